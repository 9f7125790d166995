using Coffer.Ledger;

namespace Coffer.Tests.Ledger;

/// <summary>One account of a plan: turns steps into commands and keeps the auditor's book of it.</summary>
internal sealed class ModelAccount(TestAccount account, WalletId[] wallets, Currency[] currencies)
{
    private readonly List<Command> sent = [];
    private readonly List<DepositSeen> deposits = [];
    private readonly List<RequestWithdrawal> withdrawals = [];
    private int references;

    public TestAccount Account => account;

    public short Shard => account.Account.Shard;

    public WalletId[] Wallets => wallets;

    public AuditorModel Book { get; } = new();

    /// <summary>What the ledger called the movements, and when they were made: the only things that the auditor cannot know before.</summary>
    public Dictionary<string, (MovementId Id, DateTimeOffset MadeAt)> Names { get; } = [];

    /// <summary>The command of a step, and what the auditor says must come of it.</summary>
    public (Command Command, Verdict Verdict) Next(Step step, DateTimeOffset now)
    {
        var command = Command(step, now);
        sent.Add(command);
        if (command is DepositSeen seen) deposits.Add(seen);
        if (command is RequestWithdrawal ask) withdrawals.Add(ask);
        return (command, Book.Take(command, now));
    }

    private Command Command(Step step, DateTimeOffset now)
    {
        var (wallet, currency) = (wallets[step.Wallet], currencies[step.Currency]);
        var at = now.AddMinutes(-step.Minutes).AddTicks(step.Pick % 100_000);
        // Limits are tried on one wallet and currency only: the sums of an account must fit what sums of wallets may be.
        var amount = step.Amount > Amount.One(30) && (step.Wallet, step.Currency) != (0, 0) ? step.Amount % 1_000_000 : step.Amount;
        return step.Move switch
        {
            Move.DepositAgain when deposits.Count > 0 => Again(step, amount, at),
            Move.Confirm when deposits.Count > 0 => Recent(deposits, step) is var d
                ? new DepositConfirmed(account.Id, d.Wallet, d.Currency, d.Reference, step.Fee, d.Sighting) : null!,
            Move.Reverse when deposits.Count > 0 => Recent(deposits, step) is var d
                ? new DepositReversed(account.Id, d.Wallet, d.Currency, d.Reference, d.Sighting) : null!,
            Move.Settle when withdrawals.Count > 0 => Recent(withdrawals, step) is var w
                ? new SettleWithdrawal(account.Id, w.Wallet, w.Currency, w.Reference, step.Pick % 3 == 0 ? step.Fee : null) : null!,
            Move.Unsettle when withdrawals.Count > 0 => Recent(withdrawals, step) is var w
                ? new UnsettleWithdrawal(account.Id, w.Wallet, w.Currency, w.Reference, SettledAt(w, step)) : null!,
            Move.Fail when withdrawals.Count > 0 => Recent(withdrawals, step) is var w
                ? new FailWithdrawal(account.Id, w.Wallet, w.Currency, w.Reference) : null!,
            Move.Ask => new RequestWithdrawal(account.Id, wallet, currency, New(), amount, step.Fee, $"to {step.Pick % 3}"),
            Move.Transfer => new Transfer(account.Id, wallet, currency, New(),
                wallets[step.Pick % wallets.Length], amount, step.Fee == 0 ? null : "moved"),
            Move.CorrectUp => new Correct(account.Id, wallet, currency, New(), amount, step.Fee == 0 ? null : at, "up"),
            Move.CorrectDown => new Correct(account.Id, wallet, currency, New(), -amount, step.Fee == 0 ? null : at, "down"),
            Move.Repeat when sent.Count > 0 => Recent(sent, step),
            Move.Misuse when sent.Count > 0 => Misuse(Recent(sent, step), step, wallet, currency),
            _ => new DepositSeen(account.Id, wallet, currency, New(), amount, at, 1),
        };
    }

    private DepositSeen Again(Step step, Int128 amount, DateTimeOffset at)
    {
        var first = Recent(deposits, step);
        return first with
        {
            Amount = step.Fee == 0 ? first.Amount : amount % 1_000_000,
            EffectiveAt = at,
            Sighting = first.Sighting + (step.Pick % 3),
        };
    }

    /// <summary>Mostly when it was settled, if it is; sometimes another time.</summary>
    private DateTimeOffset SettledAt(RequestWithdrawal withdrawal, Step step) =>
        Book.Movements.TryGetValue(withdrawal.Reference.Text, out var known) ? known.Effective.AddMicroseconds(step.Pick % 7 == 0 ? 1 : 0) : default;

    /// <summary>A reference that is taken, for something else.</summary>
    private static Command Misuse(Command other, Step step, WalletId wallet, Currency currency) => (step.Pick % 4) switch
    {
        0 => other with { Wallet = wallet },
        1 => other with { Currency = currency },
        2 => new RequestWithdrawal(other.Account, wallet, currency, other.Reference, 5, 1, "misused"),
        _ => new Correct(other.Account, wallet, currency, other.Reference, 5, null, "misused"),
    };

    /// <summary>Mostly one of the latest, so that stories go on; sometimes any.</summary>
    private static T Recent<T>(List<T> all, Step step) =>
        step.Pick % 5 == 0 ? all[step.Pick % all.Count] : all[^(1 + (step.Pick % Math.Min(all.Count, 12)))];

    private Reference New() => Reference.Of($"model:{references++}");
}
