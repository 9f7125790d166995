using System.Globalization;
using Coffer.Ledger;
using Coffer.Server.Ledger;

namespace Coffer.Tests;

/// <summary>Moves money of one account through the real ledger writer, in words of the manual.</summary>
internal sealed class Books(World world, TestAccount account)
{
    private int _references;

    public async Task<Reference> Deposit(WalletId wallet, string code, string amount, bool confirmed = true, DateTimeOffset? at = null)
    {
        var (currency, reference) = (Currency(code), Next());
        await Write(new DepositSeen(account.Id, wallet, currency, reference, Amount(currency, amount), at ?? world.Time.GetUtcNow(), 1));
        if (confirmed)
            await Write(new DepositConfirmed(account.Id, wallet, currency, reference, 0, 1));
        return reference;
    }

    public Task Reverse(WalletId wallet, string code, Reference reference) =>
        Write(new DepositReversed(account.Id, wallet, Currency(code), reference, 1));

    public async Task<Reference> Request(WalletId wallet, string code, string amount, string fee)
    {
        var (currency, reference) = (Currency(code), Next());
        await Write(new RequestWithdrawal(account.Id, wallet, currency, reference, Amount(currency, amount), Amount(currency, fee), "somewhere"));
        return reference;
    }

    public async Task Withdraw(WalletId wallet, string code, string amount, string fee) =>
        await Write(new SettleWithdrawal(account.Id, wallet, Currency(code), await Request(wallet, code, amount, fee)));

    public Task Transfer(WalletId from, WalletId to, string code, string amount) =>
        Write(new Transfer(account.Id, from, Currency(code), Next(), to, Amount(Currency(code), amount), null));

    /// <summary>Sets a price as of the world's clock.</summary>
    public Task Price(string code, string price)
    {
        Assert.True(UsdPrice.TryParse(price, out var usd));
        var now = world.Time.GetUtcNow().UtcDateTime;
        return world.Execute("INSERT INTO rate_hour (currency, hour, usd, at, source) VALUES ($1, date_trunc('hour', $2, 'UTC'), $3::numeric, $2, 'test') "
            + "ON CONFLICT (currency, hour) DO UPDATE SET usd = excluded.usd, at = excluded.at",
            code, now, System.Numerics.BigInteger.Parse(usd.Scaled.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));
    }

    private async Task<Outcome> Write(Command command)
    {
        var outcome = await world.App.Ledger.Write(account.Account.Shard, command);
        Assert.Null(outcome.Refusal);
        return outcome;
    }

    private Reference Next() => Reference.Of($"test:{Interlocked.Increment(ref _references)}");

    private static Currency Currency(string code) => World.AllCurrencies.Find(code);

    private static Int128 Amount(Currency currency, string text)
    {
        Assert.True(Coffer.Amount.TryParse(text, currency.Decimals, out var amount, out _));
        return amount;
    }
}
