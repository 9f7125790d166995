using Coffer.Ledger;
using static Coffer.Tests.Ledger.TestLedger;

namespace Coffer.Tests.Ledger;

/// <summary>A small ledger in which everything has happened: every command, every state, two wallets, a deficit.</summary>
internal static class SampleLedger
{
    public static readonly AccountId Owner = Account(1);
    public static readonly WalletId Main = Wallet(1), Savings = Wallet(2);

    /// <summary>A reference as a chain gives it: SHA-256 of nothing.</summary>
    public const string FromChain = "sim:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855:token:0";

    public static async Task Fill(TestLedger ledger)
    {
        Task Do(Command command) => ledger.Do(0, command);
        await Deposit(ledger, "kept", Main, Eth, 1_000, 3);
        await Do(Seen("waiting", Main, Eth, 50, 1));
        await Do(Seen("gone", Main, Eth, 60, 1));
        await Do(new DepositReversed(Owner, Main, Eth, Of("gone"), 1));
        await Deposit(ledger, "back", Main, Eth, 70, 1);
        await Do(new DepositReversed(Owner, Main, Eth, Of("back"), 1));
        await Do(Seen("back", Main, Eth, 71, 2));
        await Do(Ask("open", 100, 2));
        await Do(Ask("done", 200, 2));
        await Do(new SettleWithdrawal(Owner, Main, Eth, Of("done")));
        await Do(Ask("failed", 300, 2));
        await Do(new FailWithdrawal(Owner, Main, Eth, Of("failed")));
        await Do(new Transfer(Owner, Main, Eth, Of("saved"), Savings, 40, "saved"));
        await Do(new Correct(Owner, Main, Eth, Of("gift"), 5, Noon.AddDays(-3), "gift"));
        await Do(new Correct(Owner, Main, Eth, Of("slip"), -6, null, "slip"));
        await Deposit(ledger, "spent", Savings, Usdt, 500, 10);
        await Do(new Correct(Owner, Savings, Usdt, Of("spend"), -400, null, "spend"));
        await Do(new DepositReversed(Owner, Savings, Usdt, Of("spent"), 1));
        await Deposit(ledger, "payback", Savings, Usdt, 90, 0);
        await ledger.Do(1, Seen(FromChain, Wallet(3), Usdt, 7, 1) with { Account = Account(2) });
    }

    private static Reference Of(string text) => Reference.Of(text);

    private static DepositSeen Seen(string reference, WalletId wallet, Currency currency, Int128 amount, int sighting) =>
        new(Owner, wallet, currency, Of(reference), amount, Noon.AddHours(-reference.Length), sighting);

    private static RequestWithdrawal Ask(string reference, Int128 amount, Int128 fee) =>
        new(Owner, Main, Eth, Of(reference), amount, fee, "0xabc");

    private static async Task Deposit(TestLedger ledger, string reference, WalletId wallet, Currency currency, Int128 amount, Int128 fee)
    {
        await ledger.Do(0, Seen(reference, wallet, currency, amount, 1));
        await ledger.Do(0, new DepositConfirmed(Owner, wallet, currency, Of(reference), fee, 1));
    }
}
