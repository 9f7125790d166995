using System.Numerics;
using Coffer.Ledger;

namespace Coffer.Tests.Ledger;

/// <summary>What the auditor says a command must come to.</summary>
internal sealed record Verdict(string? Refusal, AuditedMovement? Movement, bool Changed, BigInteger? Available = null,
    BigInteger? Required = null);

/// <summary>A movement as the auditor has it.</summary>
internal sealed record AuditedMovement(string Kind, string State, WalletId Wallet, WalletId? To, string Currency, BigInteger Amount,
    BigInteger Fee, int Sighting, DateTimeOffset Effective, DateTimeOffset Updated, string? Words, string Reference);

/// <summary>What happened to the flows: in or out, of how much, counted how often, when.</summary>
internal readonly record struct AuditedFlow(WalletId Wallet, string Currency, DateTimeOffset At, BigInteger In, BigInteger Out,
    int InCount, int OutCount);

/// <summary>One wallet's holding of one currency, in the auditor's book.</summary>
internal sealed record AuditedPurse
{
    public BigInteger Free { get; init; }

    public BigInteger Coming { get; init; }

    public BigInteger Reserved { get; init; }

    public BigInteger Owed { get; init; }

    public BigInteger Received { get; init; }

    public BigInteger Gone { get; init; }

    public BigInteger Fees { get; init; }

    public BigInteger Moved { get; init; }

    public long Entries { get; init; }

    public DateTimeOffset Last { get; init; }

    public BigInteger Total => Free + Coming + Reserved;
}

/// <summary>
/// An auditor who keeps the books of one account by hand: from the words of the contract, with unbounded integers, and with nothing of the
/// code that he audits but the commands that were sent. What he says must be what every table and endpoint says.
/// </summary>
internal sealed class AuditorModel
{
    private static readonly BigInteger Most = BigInteger.Pow(10, 38) - 1;

    public SortedDictionary<(string Currency, Guid Wallet), AuditedPurse> Purses { get; } = [];

    public Dictionary<string, AuditedMovement> Movements { get; } = [];

    public List<AuditedFlow> Flows { get; } = [];

    /// <summary>Takes a command at a time; says what must come of it and books it.</summary>
    public Verdict Take(Command command, DateTimeOffset now)
    {
        var wallet = command.Wallet;
        var code = command.Currency.Code;
        var purse = Purse(wallet, code);
        var to = command is Transfer transfer ? Purse(transfer.To, code) : null;
        now = Latest(now, purse.Last, to?.Last ?? default);
        Movements.TryGetValue(command.Reference.Text, out var known);
        return command switch
        {
            DepositSeen seen => Arrived(seen, known, purse, now),
            DepositConfirmed confirmed => Ripe(confirmed, known, purse, now),
            DepositReversed reversed => Vanished(reversed, known, purse, now),
            RequestWithdrawal ask => Reserve(ask, known, purse, now),
            SettleWithdrawal settle => Finish(command, known, purse, now, left: true, settle.Fee),
            UnsettleWithdrawal unsettle => Return(unsettle, known, purse, now),
            FailWithdrawal => Finish(command, known, purse, now, left: false),
            Transfer move => Move(move, known, purse, to!, now),
            Correct correct => ByHand(correct, known, purse, now),
            _ => throw new NotSupportedException(),
        };
    }

    private Verdict Arrived(DepositSeen c, AuditedMovement? known, AuditedPurse purse, DateTimeOffset now)
    {
        if (known is not null && Foreign(c, known, "Deposit")) return No("Conflict");
        if (c.Amount <= 0) return No("InvalidAmount");
        if (known is not null && known.Sighting >= c.Sighting) return Still(known);
        if (known is { State: not "Reversed" }) return No("Conflict");
        var at = c.EffectiveAt < now ? Micro(c.EffectiveAt) : now;
        BigInteger amount = c.Amount;
        return Book(c, new("Deposit", "Seen", c.Wallet, null, c.Currency.Code, amount, 0, c.Sighting, at, now, null, c.Reference.Text), now,
            purse with { Coming = purse.Coming + amount, Received = purse.Received + amount },
            [new(c.Wallet, c.Currency.Code, at, amount, 0, 1, 0)]);
    }

    private Verdict Ripe(DepositConfirmed c, AuditedMovement? known, AuditedPurse purse, DateTimeOffset now)
    {
        if (known is null) return No("NotFound");
        if (Foreign(c, known, "Deposit")) return No("Conflict");
        if (known.Sighting != c.Sighting || known.State != "Seen") return Still(known);
        var fee = BigInteger.Min(c.Fee, known.Amount);
        var rest = known.Amount - fee;
        var repaid = BigInteger.Min(purse.Owed, rest);
        var after = purse with
        {
            Coming = purse.Coming - known.Amount,
            Free = purse.Free + rest - repaid,
            Owed = purse.Owed - repaid,
            Received = purse.Received - repaid,
            Gone = purse.Gone + fee,
            Fees = purse.Fees + fee,
        };
        return Book(c, known with { State = "Confirmed", Fee = fee, Updated = now }, now, after,
            [new(c.Wallet, c.Currency.Code, known.Effective, -repaid, fee, 0, 0)], repaid > 0 ? 2 : 1);
    }

    private Verdict Vanished(DepositReversed c, AuditedMovement? known, AuditedPurse purse, DateTimeOffset now)
    {
        if (known is null) return new Verdict(null, null, false);
        if (Foreign(c, known, "Deposit")) return No("Conflict");
        if (known.Sighting != c.Sighting || known.State == "Reversed") return Still(known);
        var gone = known with { State = "Reversed", Updated = now };
        if (known.State == "Seen")
            return Book(c, gone, now, purse with { Coming = purse.Coming - known.Amount, Received = purse.Received - known.Amount },
                [new(c.Wallet, c.Currency.Code, known.Effective, -known.Amount, 0, -1, 0)]);
        var given = known.Amount - known.Fee;
        var found = BigInteger.Min(given, purse.Free);
        var missing = given - found;
        var after = purse with
        {
            Free = purse.Free - found,
            Owed = purse.Owed + missing,
            Received = purse.Received - known.Amount + missing,
            Gone = purse.Gone - known.Fee,
            Fees = purse.Fees - known.Fee,
        };
        return Book(c, gone, now, after, [new(c.Wallet, c.Currency.Code, known.Effective, missing - known.Amount, -known.Fee, -1, 0)]);
    }

    private Verdict Reserve(RequestWithdrawal c, AuditedMovement? known, AuditedPurse purse, DateTimeOffset now)
    {
        if (known is not null)
            return known.Kind == "Withdrawal" && known.Wallet == c.Wallet && known.Currency == c.Currency.Code && known.Amount == c.Amount
                && known.Words == c.Destination ? Still(known) : No("IdempotencyKeyReused");
        if (c.Amount <= 0) return No("InvalidAmount");
        var whole = (BigInteger)c.Amount + c.Fee;
        if (Short(purse, whole) is { } refusal) return refusal;
        return Book(c, new("Withdrawal", "Requested", c.Wallet, null, c.Currency.Code, c.Amount, c.Fee, 0, now, now, c.Destination,
            c.Reference.Text), now, purse with { Free = purse.Free - whole, Reserved = purse.Reserved + whole }, []);
    }

    private Verdict Finish(Command c, AuditedMovement? known, AuditedPurse purse, DateTimeOffset now, bool left, BigInteger? fee = null)
    {
        if (known is null) return No("NotFound");
        if (Foreign(c, known, "Withdrawal")) return No("Conflict");
        var end = left ? "Settled" : "Failed";
        if (known.State == end) return Still(known);
        if (known.State != "Requested") return No("Conflict");
        var whole = known.Amount + known.Fee;
        var after = purse with { Reserved = purse.Reserved - whole };
        var done = known with { State = end, Effective = now, Updated = now };
        if (!left) return Book(c, done, now, after with { Free = after.Free + whole }, []);
        var charged = fee is { } actual && actual < known.Fee ? actual : known.Fee;
        var gone = known.Amount + charged;
        return Book(c, done with { Fee = charged }, now,
            after with { Gone = after.Gone + gone, Fees = after.Fees + charged, Free = after.Free + whole - gone },
            [new(c.Wallet, c.Currency.Code, now, 0, gone, 0, 1)]);
    }

    private Verdict Return(UnsettleWithdrawal c, AuditedMovement? known, AuditedPurse purse, DateTimeOffset now)
    {
        if (known is null) return No("NotFound");
        if (Foreign(c, known, "Withdrawal")) return No("Conflict");
        if (known.State != "Settled" || known.Effective != c.SettledAt) return Still(known);
        var back = known.Amount + known.Fee;
        return Book(c, known with { State = "Requested", Effective = now, Updated = now }, now,
            purse with { Reserved = purse.Reserved + back, Gone = purse.Gone - back, Fees = purse.Fees - known.Fee },
            [new(c.Wallet, c.Currency.Code, known.Effective, 0, -back, 0, -1)]);
    }

    private Verdict Move(Transfer c, AuditedMovement? known, AuditedPurse source, AuditedPurse to, DateTimeOffset now)
    {
        if (known is not null)
            return known.Kind == "Transfer" && known.Wallet == c.Wallet && known.To == c.To && known.Currency == c.Currency.Code
                && known.Amount == c.Amount && known.Words == c.Description ? Still(known) : No("IdempotencyKeyReused");
        if (c.Amount <= 0) return No("InvalidAmount");
        if (c.To == c.Wallet) return No("InvalidRequest");
        if (Short(source, c.Amount) is { } refusal) return refusal;
        var target = to with { Free = to.Free + c.Amount, Moved = to.Moved + c.Amount, Entries = to.Entries + 1, Last = now };
        if (!Fits(target)) return No("LimitExceeded");
        var verdict = Book(c, new("Transfer", "Completed", c.Wallet, c.To, c.Currency.Code, c.Amount, 0, 0, now, now, c.Description,
            c.Reference.Text), now, source with { Free = source.Free - c.Amount, Moved = source.Moved - c.Amount }, []);
        if (verdict.Changed) Purses[(c.Currency.Code, c.To.Value)] = target;
        return verdict;
    }

    private Verdict ByHand(Correct c, AuditedMovement? known, AuditedPurse purse, DateTimeOffset now)
    {
        if (known is not null)
            return known.Kind == "Correction" && known.Wallet == c.Wallet && known.Currency == c.Currency.Code && known.Amount == c.Amount
                && known.Words == c.Description ? Still(known) : No("IdempotencyKeyReused");
        if (c.Amount == 0) return No("InvalidAmount");
        BigInteger amount = c.Amount;
        if (purse.Free + amount < 0) return new Verdict("InsufficientBalance", null, false, purse.Free, -amount);
        var at = c.EffectiveAt is { } wished && wished < now ? Micro(wished) : now;
        var (into, outOf) = (BigInteger.Max(amount, 0), BigInteger.Max(-amount, 0));
        return Book(c, new("Correction", "Completed", c.Wallet, null, c.Currency.Code, amount, 0, 0, at, now, c.Description,
            c.Reference.Text), now, purse with { Free = purse.Free + amount, Received = purse.Received + into, Gone = purse.Gone + outOf },
            [new(c.Wallet, c.Currency.Code, at, into, outOf, amount > 0 ? 1 : 0, amount < 0 ? 1 : 0)]);
    }

    private Verdict Book(Command c, AuditedMovement movement, DateTimeOffset now, AuditedPurse after, AuditedFlow[] flows, int entries = 1)
    {
        if (!Fits(after)) return No("LimitExceeded");
        Purses[(c.Currency.Code, c.Wallet.Value)] = after with { Entries = after.Entries + entries, Last = now };
        Movements[movement.Reference] = movement;
        Flows.AddRange(flows);
        return new Verdict(null, movement, true);
    }

    private AuditedPurse Purse(WalletId wallet, string code) => Purses.GetValueOrDefault((code, wallet.Value)) ?? new AuditedPurse();

    private static Verdict? Short(AuditedPurse purse, BigInteger whole) =>
        purse.Owed > 0 ? No("Conflict") : purse.Free < whole ? new Verdict("InsufficientBalance", null, false, purse.Free, whole) : null;

    private static bool Foreign(Command c, AuditedMovement known, string kind) =>
        known.Kind != kind || known.Wallet != c.Wallet || known.Currency != c.Currency.Code;

    private static bool Fits(AuditedPurse p) =>
        new[] { p.Free, p.Coming, p.Reserved, p.Owed, p.Received, p.Gone, p.Fees, BigInteger.Abs(p.Moved), p.Total }
            .All(v => v >= 0 && v <= Most);

    private static Verdict No(string code) => new(code, null, false);

    private static Verdict Still(AuditedMovement known) => new(null, known, false);

    private static DateTimeOffset Latest(params DateTimeOffset[] times) => times.Max();

    private static DateTimeOffset Micro(DateTimeOffset time) => new(time.UtcTicks / 10 * 10, TimeSpan.Zero);
}
