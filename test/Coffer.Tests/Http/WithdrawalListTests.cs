using System.Text.Json;
using Coffer.Chains.Simulated;

namespace Coffer.Tests.Http;

/// <summary>Finding withdrawals again, and what one says of itself.</summary>
public sealed class WithdrawalListTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly string Payee =
        SimulatedAddress.Make(new AccountId(new Guid(1, 2, 3, new byte[8])), new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", 0);

    private World _world = null!;
    private TestAccount _account = null!;
    private string _key = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _account = await _world.Account();
        _key = await _account.ApiKey();
        await Post("/sandbox/deposits", JsonSerializer.Serialize(
            new { wallet_id = _account.DefaultWallet.ToString(), currency = "USDTERC20", amount = "1000" }));
        await Post("/sandbox/blocks", """{"count":12}""");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("created_desc", "14,13,12,11,10")]
    [InlineData("created_asc", "10,11,12,13,14,15")]
    public async Task A_reader_who_pages_by_cursor_meets_each_once_whatever_is_made_meanwhile(string sort, string expected)
    {
        for (var i = 0; i < 5; i++)
            await Withdraw($"{10 + i}");
        var seen = new List<string>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await Get($"/withdrawal/?limit=2&sort={sort}{(cursor.Length > 0 ? $"&starting_after={cursor}" : "")}")).Json;
            seen.AddRange(Amounts(page));
            cursor = page.GetProperty("next_cursor").GetString();
            Assert.Equal(cursor is not null, page.GetProperty("has_more").GetBoolean());
            if (seen.Count == 2)
                await Withdraw("15");
        }

        Assert.Equal(expected, string.Join(',', seen));
    }

    [Fact]
    public async Task Every_filter_finds_what_it_says_and_wrong_ones_are_named()
    {
        await Withdraw("10");
        await Withdraw("11", ", \"custom_id\":\"c\"");
        await _world.Execute("UPDATE withdrawal SET state = 7, reason = 'suspicious' WHERE amount = 11000000");
        var today = TimeProvider.System.GetUtcNow();
        foreach (var (query, found) in new[]
        {
            ("status=rejected", "11"), ("status=unknown", ""), ("blockchain=eth", "11,10"), ("blockchain=trx", ""), ("token=usdt", "11,10"),
            ("token=usdt&blockchain=eth", "11,10"), ("token=dai", ""), ("custom_id=c", "11"), ("currency=usdterc20", "11,10"),
            ($"start_date={today.AddDays(-1):yyyy-MM-dd}", "11,10"), ($"end_date={today.AddDays(-1):yyyy-MM-dd}", ""),
            ($"start_date={today.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}", ""), ($"end_date={today.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}", "11,10"),
        })
        {
            var page = (await Get($"/withdrawal/?{query}")).Json;
            Assert.Equal((query, found, found.Length == 0 ? 0 : found.Split(',').Length), (query, string.Join(',', Amounts(page)), page.GetProperty("total").GetInt32()));
        }

        foreach (var name in new[] { "status", "sort", "start_date", "end_date", "starting_after", "limit", "nonsense" })
        {
            var got = await Get($"/withdrawal/?{name}=x");
            Assert.Equal((name, 400), (name, got.Status));
            Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(name, out _), got.Text);
        }
    }

    [Fact]
    public async Task One_tells_what_was_asked_how_deep_it_is_and_when_it_was_done()
    {
        var created = await Withdraw("100", ", \"final_amount\":false");
        Assert.Equal(("95.50", "100.00", 0, 12), (Text(created, "amount"), Text(created, "requested_amount"), Number(created, "confirmations"),
            Number(created, "required_confirmations")));
        foreach (var name in new[] { "transaction_hash", "completed_at", "waits_for", "reason" })
            Assert.Equal(JsonValueKind.Null, created.Json.GetProperty(name).ValueKind);
        var path = $"/withdrawal/{Text(created, "id")}";
        for (var i = 0; i < 200 && Text(await Get(path), "status") != "submitted"; i++)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        foreach (var (blocks, deep, status) in new[] { (1, 1, "confirmed"), (4, 5, "confirmed"), (7, 12, "completed"), (3, 15, "completed") })
        {
            await Post("/sandbox/blocks", $$"""{"count":{{blocks}}}""");
            var got = await Get(path);
            Assert.Equal((deep, status), (Number(got, "confirmations"), Text(got, "status")));
            Assert.Equal(status == "completed", got.Json.GetProperty("completed_at").ValueKind == JsonValueKind.String);
        }
    }

    private static IEnumerable<string> Amounts(JsonElement page) =>
        page.GetProperty("withdrawals").EnumerateArray().Select(line => line.GetProperty("amount").GetString()![..^3]);

    private static string Text(Got got, string name) => got.Json.GetProperty(name).GetString()!;

    private static int Number(Got got, string name) => got.Json.GetProperty(name).GetInt32();

    private Task<Got> Withdraw(string amount, string more = "") =>
        Post("/withdrawal/", $$"""{"amount":"{{amount}}","currency":"usdterc20","address":"{{Payee}}"{{more}}}""");

    private Task<Got> Post(string path, string body) => _world.Send(HttpMethod.Post, path, body, ("X-API-Key", _key));

    private Task<Got> Get(string path) => _world.Send(HttpMethod.Get, path, null, ("X-API-Key", _key));
}
