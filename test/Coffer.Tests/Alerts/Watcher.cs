using System.Text.Json;
using Coffer.Ledger;
using Coffer.Server.Ledger;
using Npgsql;

namespace Coffer.Tests.Alerts;

/// <summary>An account that watches its balances: sets alerts over HTTP, moves money through the ledger, reads what it was told.</summary>
internal sealed record Watcher(World World, TestAccount Account, string Token)
{
    public static readonly Currency Usdt = World.AllCurrencies.Find("USDTERC20");
    private static int _references;

    public static async Task<Watcher> Of(World world)
    {
        var account = await world.Account();
        return new Watcher(world, account, await account.Token());
    }

    public WalletId Main => Account.DefaultWallet;

    /// <summary>An alert on the wallet; null for the account.</summary>
    public async Task<string> Alert(int threshold, WalletId? wallet = null, int? recovery = null)
    {
        var got = await Send(HttpMethod.Post, "/user/alerts/", $$"""
            {"currency":"usdterc20","threshold":"{{threshold}}"{{(wallet is { } id ? $",\"wallet_id\":\"{id}\"" : "")}}{{(
                recovery is { } back ? $",\"recovery_threshold\":\"{back}\"" : "")}}}
            """);
        Assert.True(got.Status == 201, got.Text);
        return got.Json.GetProperty("id").GetString()!;
    }

    public Task<Got> Send(HttpMethod method, string path, string? body = null) =>
        World.Send(method, path, body, ("Authorization", $"Bearer {Token}"));

    public async Task<JsonElement> Shown(string id) => (await Send(HttpMethod.Get, $"/user/alerts/{id}/")).Json;

    public async Task<string> State(string id)
    {
        var shown = await Shown(id);
        return $"{shown.GetProperty("state").GetString()} {shown.GetProperty("available").GetString()}";
    }

    public static Reference Next() => Reference.Of($"watched:{Interlocked.Increment(ref _references)}");

    public Task<Outcome> Write(Command command, World? by = null) => (by ?? World).App.Ledger.Write(Account.Account.Shard, command);

    /// <summary>An operator's correction of whole units, up or down.</summary>
    public async Task Add(int units, WalletId? wallet = null)
    {
        var outcome = await Write(new Correct(Account.Id, wallet ?? Main, Usdt, Next(), Units(units), null, "test"));
        Assert.Null(outcome.Refusal);
    }

    public async Task<Reference> Request(int units, WalletId? wallet = null, World? by = null)
    {
        var reference = Next();
        Assert.Null((await Write(new RequestWithdrawal(Account.Id, wallet ?? Main, Usdt, reference, Units(units), 0, "somewhere"), by)).Refusal);
        return reference;
    }

    public static Int128 Units(int units) => units * Amount.One(Usdt.Decimals);

    /// <summary>What the account was told of its alerts, in order: <c>low 90</c>, <c>recovered 110</c>; of one alert when named.</summary>
    public async Task<List<string>> Told(string? alert = null) =>
        [.. (await Events()).Where(one => alert is null || Text(one.Data, "alert_id") == alert)
            .Select(one => $"{one.Type["balance.".Length..]} {Text(one.Data, "available").Split('.')[0]}")];

    public async Task<List<(string Type, JsonElement Data)>> Events()
    {
        await using var connection = new NpgsqlConnection(World.Database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT type, data FROM event WHERE account_id = $1 AND type LIKE 'balance.%' ORDER BY number", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = Account.Id.Value });
        await using var rows = await command.ExecuteReaderAsync();
        var events = new List<(string, JsonElement)>();
        while (await rows.ReadAsync())
            events.Add((rows.GetString(0), JsonDocument.Parse(rows.GetString(1)).RootElement));
        return events;
    }

    public static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
