using System.Text.Json;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Withdrawals;

namespace Coffer.Tests.Http;

/// <summary>An account with money and a credential that withdraws it.</summary>
internal sealed record Withdrawer(World World, TestAccount Account, string Key)
{
    /// <summary>Of a stranger, on the simulated chain of any test account.</summary>
    public static readonly string Payee = SomePayee(0);

    /// <summary>An account that has this much, given by hand.</summary>
    public static async Task<Withdrawer> Of(World world, Mode mode, params (string Currency, string Amount)[] funds)
    {
        var account = await world.Account(mode);
        foreach (var (code, text) in funds)
            await Give(world, account, code, text);
        return new Withdrawer(world, account, await account.ApiKey());
    }

    public static async Task Give(World world, TestAccount account, string code, string text)
    {
        var currency = world.App.Currencies.Find(code);
        Assert.True(Amount.TryParse(text, currency.Decimals, out var amount, out _));
        var outcome = await world.App.Ledger.Write(account.Account.Shard, new Correct(account.Id, account.DefaultWallet, currency,
            Reference.Of($"fund:{world.Ids.New()}"), amount, null, "funds"));
        Assert.Null(outcome.Refusal);
    }

    public static string SomePayee(int index) =>
        SimulatedAddress.Make(new AccountId(new Guid(1, 2, 3, new byte[8])), new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", index);

    public AllowWithdrawals Allow => new(World.App.Db, World.Time);

    public Task<Got> Withdraw(string amount, string currency = "USDTERC20", string? address = null, string more = "", string? key = null) =>
        Post("/withdrawal/", $$"""{"amount":"{{amount}}","currency":"{{currency}}","address":"{{address ?? Payee}}"{{more}}}""", key);

    public Task<Got> Post(string path, string body, string? key = null) =>
        World.Send(HttpMethod.Post, path, body, ("X-API-Key", key ?? Key));

    public Task<Got> Get(string path) => World.Send(HttpMethod.Get, path, null, ("X-API-Key", Key));

    /// <summary>Available and held of the default wallet.</summary>
    public async Task<string> Balance(string currency = "usdterc20")
    {
        var got = await Get($"/wallets/balances?wallet_id={Account.DefaultWallet}");
        var line = got.Json.GetProperty("result").GetProperty("balances").EnumerateArray().First(l => Text(l, "currency") == currency);
        return $"{Text(line, "amount")}/{Text(line, "pendingAmount")}";
    }

    public Task<long> Rows() => World.Query<long>("SELECT count(*) FROM withdrawal WHERE account_id = $1", Account.Id.Value);

    public static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    public static JsonElement Details(Got got) => got.Json.GetProperty("error").GetProperty("details");
}
