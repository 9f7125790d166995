namespace Coffer.Ledger;

/// <summary>What a command comes to: a refusal, a movement that is already as wished, or a movement with its postings.</summary>
public sealed record Decision
{
    /// <summary>Why not; null when it is accepted.</summary>
    public Refusal? Refusal { get; init; }

    /// <summary>The movement as it is after the command; null for a refusal, or when there was nothing to undo.</summary>
    public Movement? Movement { get; init; }

    /// <summary>Whether the movement is new and must be inserted; otherwise its state changed.</summary>
    public bool IsNew { get; init; }

    /// <summary>What is booked, in order; empty when nothing changes.</summary>
    public IReadOnlyList<Posting> Postings { get; init; } = [];

    /// <summary>The balance of the command's wallet afterwards.</summary>
    public Balance? Own { get; init; }

    /// <summary>Transfers: the balance of the receiving wallet afterwards.</summary>
    public Balance? Other { get; init; }
}

/// <summary>
/// The rules of the ledger as one pure function: a command, the movement with its reference (or none) and the balances as they
/// are give a decision. Called by the ledger writer, in order, on rows that it holds locked or wrote last. Nothing here reads a clock, a
/// database or chance, so every rule is a table of cases.
/// </summary>
public static class Decide
{
    /// <summary>Decides one command.</summary>
    /// <param name="command">The wish.</param>
    /// <param name="existing">The movement that already has this reference, or null.</param>
    /// <param name="own">The balance of the command's wallet.</param>
    /// <param name="other">Transfers: the balance of the receiving wallet; otherwise null.</param>
    /// <param name="now">The time to record, whole microseconds.</param>
    /// <param name="id">The id for a new movement.</param>
    public static Decision On(Command command, Movement? existing, Balance own, Balance? other, DateTimeOffset now, MovementId id)
    {
        // A clock that jumps back must not book anything before what it follows.
        now = Later(now, Later(own.LastMovementAt, other?.LastMovementAt ?? default));
        if (existing is not null && !Concerns(command, existing))
            return No(new(RefusalCode.Conflict, "This reference belongs to a movement of another kind, wallet or currency."));
        try
        {
            var decision = command switch
            {
                DepositSeen seen => Seen(seen, existing, own, now, id),
                DepositConfirmed confirmed => Confirmed(confirmed, existing, own, now),
                DepositReversed reversed => Reversed(reversed, existing, own, now),
                RequestWithdrawal request => Request(request, existing, own, now, id),
                SettleWithdrawal settle => Settle(settle, existing, own, now),
                UnsettleWithdrawal unsettle => Unsettle(unsettle, existing, own, now),
                FailWithdrawal fail => Fail(fail, existing, own, now),
                Transfer transfer => Move(transfer, existing, own, other ?? Balance.Empty, now, id),
                Correct correct => Corrected(correct, existing, own, now, id),
                _ => throw new ArgumentOutOfRangeException(nameof(command), command.GetType().Name, "No rule for this command."),
            };
            return decision.Own?.Fits() == false || decision.Other?.Fits() == false ? No(TooLarge(command)) : decision;
        }
        catch (OverflowException)
        {
            // Amounts up to 10^38 - 1 fit; only their sums can leave 128 bits.
            return No(TooLarge(command));
        }
    }

    private static Decision Seen(DepositSeen command, Movement? existing, Balance own, DateTimeOffset now, MovementId id)
    {
        if (command.Amount <= 0)
            return No(NotPositive());
        if (existing is not null && command.Sighting <= existing.Sighting)
            return Same(existing, own);
        if (existing is not null && existing.State != MovementState.Reversed)
            return No(new(RefusalCode.Conflict, "This deposit is still counted from an earlier sighting; that one must be reversed first."));
        var effective = Earlier(command.EffectiveAt, now);
        var movement = existing is null
            ? New(command, MovementKind.Deposit, MovementState.Seen, command.Amount, 0, effective, now, id) with { Sighting = command.Sighting }
            : existing with
            {
                State = MovementState.Seen,
                Sighting = command.Sighting,
                Amount = command.Amount,
                Fee = 0,
                EffectiveAt = effective,
                UpdatedAt = now,
            };
        return Yes(movement, existing is null, own,
            Blank(command, movement, PostingKind.DepositSeen, effective, now) with { External = -command.Amount, Incoming = command.Amount });
    }

    private static Decision Confirmed(DepositConfirmed command, Movement? existing, Balance own, DateTimeOffset now)
    {
        if (existing is null)
            return No(Refusal.NotFound("deposit"));
        if (existing.Sighting != command.Sighting || existing.State != MovementState.Seen)
            return Same(existing, own);
        var fee = Int128.Min(command.Fee, existing.Amount);
        var movement = existing with { State = MovementState.Confirmed, Fee = fee, UpdatedAt = now };
        var confirmed = Blank(command, movement, PostingKind.DepositConfirmed, existing.EffectiveAt, now) with
        {
            Incoming = -existing.Amount,
            Available = existing.Amount - fee,
            Fee = fee,
        };
        var paid = Int128.Min(own.Deficit, existing.Amount - fee);
        if (paid == 0)
            return Yes(movement, false, own, confirmed);
        return Yes(movement, false, own, confirmed,
            Blank(command, movement, PostingKind.DeficitPaid, existing.EffectiveAt, now) with { Available = -paid, Deficit = paid });
    }

    private static Decision Reversed(DepositReversed command, Movement? existing, Balance own, DateTimeOffset now)
    {
        // A reversal may come before its sighting was ever booked (a crash between the two): then there is nothing to undo.
        if (existing is null)
            return new Decision();
        if (existing.Sighting != command.Sighting || existing.State == MovementState.Reversed)
            return Same(existing, own);
        var movement = existing with { State = MovementState.Reversed, UpdatedAt = now };
        var posting = Blank(command, movement, PostingKind.DepositReversed, existing.EffectiveAt, now);
        if (existing.State == MovementState.Seen)
            return Yes(movement, false, own, posting with { Incoming = -existing.Amount, External = existing.Amount });
        var given = existing.Amount - existing.Fee;
        var covered = Int128.Min(own.Available, given);
        return Yes(movement, false, own, posting with
        {
            Available = -covered,
            Fee = -existing.Fee,
            Deficit = -(given - covered),
            External = existing.Amount,
        });
    }

    private static Decision Request(RequestWithdrawal command, Movement? existing, Balance own, DateTimeOffset now, MovementId id)
    {
        if (existing is not null)
            return SameOrReused(command, existing, own);
        if (command.Amount <= 0)
            return No(NotPositive());
        var required = command.Amount + command.Fee;
        if (Spend(command, own, required) is { } refusal)
            return No(refusal);
        var movement = New(command, MovementKind.Withdrawal, MovementState.Requested, command.Amount, command.Fee, now, now, id)
            with
        { Description = command.Destination };
        return Yes(movement, true, own,
            Blank(command, movement, PostingKind.WithdrawalRequested, now, now) with { Available = -required, Held = required });
    }

    private static Decision Settle(SettleWithdrawal command, Movement? existing, Balance own, DateTimeOffset now)
    {
        if (existing is null)
            return No(Refusal.NotFound("withdrawal"));
        if (existing.State == MovementState.Settled)
            return Same(existing, own);
        if (existing.State != MovementState.Requested)
            return No(new(RefusalCode.Conflict, "This withdrawal has failed; what failed cannot be settled."));
        if (command.Fee < 0)
            return No(NotPositive());
        var fee = Int128.Min(command.Fee ?? existing.Fee, existing.Fee);
        var movement = existing with { State = MovementState.Settled, Fee = fee, EffectiveAt = now, UpdatedAt = now };
        return Yes(movement, false, own, Blank(command, movement, PostingKind.WithdrawalSettled, now, now) with
        {
            Held = -(existing.Amount + existing.Fee),
            External = existing.Amount,
            Fee = fee,
            Available = existing.Fee - fee,
        });
    }

    private static Decision Unsettle(UnsettleWithdrawal command, Movement? existing, Balance own, DateTimeOffset now)
    {
        if (existing is null)
            return No(Refusal.NotFound("withdrawal"));
        if (existing.State != MovementState.Settled || existing.EffectiveAt != command.SettledAt)
            return Same(existing, own);
        // What the settlement gave back stays given back: it may be spent. From now on the actual fee is what is reserved.
        var movement = existing with { State = MovementState.Requested, EffectiveAt = now, UpdatedAt = now };
        return Yes(movement, false, own, Blank(command, movement, PostingKind.WithdrawalUnsettled, existing.EffectiveAt, now) with
        {
            Held = existing.Amount + existing.Fee,
            External = -existing.Amount,
            Fee = -existing.Fee,
        });
    }

    private static Decision Fail(FailWithdrawal command, Movement? existing, Balance own, DateTimeOffset now)
    {
        if (existing is null)
            return No(Refusal.NotFound("withdrawal"));
        if (existing.State == MovementState.Failed)
            return Same(existing, own);
        if (existing.State != MovementState.Requested)
            return No(new(RefusalCode.Conflict, "This withdrawal is settled; what left for good cannot fail."));
        var movement = existing with { State = MovementState.Failed, EffectiveAt = now, UpdatedAt = now };
        var back = existing.Amount + existing.Fee;
        return Yes(movement, false, own,
            Blank(command, movement, PostingKind.WithdrawalFailed, now, now) with { Held = -back, Available = back });
    }

    private static Decision Move(Transfer command, Movement? existing, Balance own, Balance other, DateTimeOffset now, MovementId id)
    {
        if (existing is not null)
            return SameOrReused(command, existing, own) with { Other = other };
        if (command.Amount <= 0)
            return No(NotPositive());
        if (command.To == command.Wallet)
            return No(Refusal.Parameter("to_wallet_id", "Choose another wallet than the one the money comes from."));
        if (Spend(command, own, command.Amount) is { } refusal)
            return No(refusal);
        var movement = New(command, MovementKind.Transfer, MovementState.Completed, command.Amount, 0, now, now, id)
            with
        { ToWallet = command.To, Description = command.Description };
        var sent = Blank(command, movement, PostingKind.TransferOut, now, now) with { Available = -command.Amount, Transfer = command.Amount };
        var received = Blank(command, movement, PostingKind.TransferIn, now, now) with
        {
            Key = new BalanceKey(command.Account, command.Currency.Code, command.To),
            Available = command.Amount,
            Transfer = -command.Amount,
        };
        var (ownAfter, first) = Book(own, sent);
        var (otherAfter, second) = Book(other, received);
        return new Decision { Movement = movement, IsNew = true, Postings = [first, second], Own = ownAfter, Other = otherAfter };
    }

    private static Decision Corrected(Correct command, Movement? existing, Balance own, DateTimeOffset now, MovementId id)
    {
        if (existing is not null)
            return SameOrReused(command, existing, own);
        if (command.Amount == 0)
            return No(NotPositive());
        if (command.Amount < 0 && Spend(command, own, -command.Amount, frozen: false) is { } refusal)
            return No(refusal);
        var effective = Earlier(command.EffectiveAt ?? now, now);
        var movement = New(command, MovementKind.Correction, MovementState.Completed, command.Amount, 0, effective, now, id)
            with
        { Description = command.Description };
        var kind = command.Amount > 0 ? PostingKind.CorrectionIn : PostingKind.CorrectionOut;
        return Yes(movement, true, own,
            Blank(command, movement, kind, effective, now) with { Available = command.Amount, External = -command.Amount });
    }

    /// <summary>
    /// Whether a command that carries a movement on is about the wallet, currency and kind of the movement with its reference; else it
    /// would book on another balance than the movement names. Commands that make a movement say themselves what is a reuse.
    /// </summary>
    private static bool Concerns(Command command, Movement existing) => command switch
    {
        DepositSeen or DepositConfirmed or DepositReversed => existing.Kind == MovementKind.Deposit && command.Made(existing),
        SettleWithdrawal or UnsettleWithdrawal or FailWithdrawal => existing.Kind == MovementKind.Withdrawal && command.Made(existing),
        _ => true,
    };

    /// <summary>The one spending check: null when available covers it and the wallet owes nothing.</summary>
    private static Refusal? Spend(Command command, Balance own, Int128 required, bool frozen = true)
    {
        if (frozen && own.Deficit > 0)
            return new(RefusalCode.Conflict, "This balance is frozen: a deposit that was already spent vanished from its chain. "
                + "It opens again when new deposits have covered the deficit; ask the operator.");
        if (own.Available >= required)
            return null;
        return new(RefusalCode.InsufficientBalance, "Insufficient balance for operation", new Dictionary<string, object>
        {
            ["available"] = Amount.Short(own.Available, command.Currency.Decimals),
            ["required"] = Amount.Short(required, command.Currency.Decimals),
            ["currency"] = command.Currency.Code,
        });
    }

    private static Movement New(Command command, MovementKind kind, MovementState state, Int128 amount, Int128 fee,
        DateTimeOffset effective, DateTimeOffset now, MovementId id) => new()
        {
            Id = id,
            Account = command.Account,
            Kind = kind,
            State = state,
            Wallet = command.Wallet,
            Currency = command.Currency.Code,
            Amount = amount,
            Fee = fee,
            Reference = command.Reference,
            EffectiveAt = effective,
            UpdatedAt = now,
        };

    private static Posting Blank(Command command, Movement movement, PostingKind kind, DateTimeOffset effective, DateTimeOffset now) => new()
    {
        Key = new BalanceKey(command.Account, command.Currency.Code, command.Wallet),
        Version = 0,
        Movement = movement.Id,
        Kind = kind,
        EffectiveAt = effective,
        RecordedAt = now,
    };

    /// <summary>Gives a posting its version, after-values and hash, and the balance that it makes.</summary>
    private static (Balance After, Posting Posting) Book(Balance before, Posting posting)
    {
        posting = posting with
        {
            Version = before.Version + 1,
            AvailableAfter = before.Available + posting.Available,
            IncomingAfter = before.Incoming + posting.Incoming,
            HeldAfter = before.Held + posting.Held,
        };
        posting = posting with { Hash = posting.HashAfter(before.HeadHash) };
        return (before with
        {
            Available = posting.AvailableAfter,
            Incoming = posting.IncomingAfter,
            Held = posting.HeldAfter,
            Deposited = before.Deposited + posting.Deposited,
            Withdrawn = before.Withdrawn + posting.Withdrawn,
            Fees = before.Fees + posting.Fee,
            Transferred = before.Transferred - posting.Transfer,
            Deficit = before.Deficit - posting.Deficit,
            Version = posting.Version,
            LastMovementAt = posting.RecordedAt,
            HeadHash = posting.Hash,
        }, posting);
    }

    private static Decision Yes(Movement movement, bool isNew, Balance own, params ReadOnlySpan<Posting> blanks)
    {
        var postings = new Posting[blanks.Length];
        for (var i = 0; i < blanks.Length; i++)
            (own, postings[i]) = Book(own, blanks[i]);
        return new Decision { Movement = movement, IsNew = isNew, Postings = postings, Own = own };
    }

    private static Decision Same(Movement existing, Balance own) => new() { Movement = existing, Own = own };

    private static Decision SameOrReused(Command command, Movement existing, Balance own) => command.Made(existing)
        ? Same(existing, own)
        : No(new(RefusalCode.IdempotencyKeyReused, "This key was used for another request. Repeat that request as it was, or take a new key."));

    private static Decision No(Refusal refusal) => new() { Refusal = refusal };

    private static Refusal NotPositive() => new(RefusalCode.InvalidAmount, "Send an amount above zero.");

    private static Refusal TooLarge(Command command) => new(RefusalCode.LimitExceeded,
        $"With this amount the {command.Currency.Code} balance would exceed 38 digits of its smallest unit; nothing was booked.");

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset time, DateTimeOffset now)
    {
        var whole = new DateTimeOffset(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
        return whole < now ? whole : now;
    }
}
