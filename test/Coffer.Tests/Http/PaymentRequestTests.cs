using System.Text.Json;

namespace Coffer.Tests.Http;

/// <summary>What a payment may ask for, what it may be found by, and what does not pay it.</summary>
public sealed class PaymentRequestTests(TestCluster cluster) : IAsyncLifetime
{
    private readonly FakeTime _time = new(new DateTimeOffset(2026, 1, 15, 10, 0, 0, TimeSpan.Zero));
    private World _world = null!;
    private TestAccount _account = null!;
    private string _key = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, time: _time);
        _account = await _world.Account();
        _key = await _account.ApiKey();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("""{"amount":"0.00000999","currency":"BTC"}""")]
    [InlineData("""{"price_amount":"0.01","price_currency":"USD","pay_currency":"BTC"}""")]
    public async Task What_would_not_be_credited_is_not_asked_for(string body)
    {
        await _world.Execute("DELETE FROM rate_hour");
        await Coffer.Server.Rates.SetRate.Run(_world.App.Db, _world.App.Currencies, _time, "BTC", "60000", null, "test", CancellationToken.None);
        var got = await Create(body);
        Assert.Equal((400, "invalid_amount"), (got.Status, got.ErrorCode));
        Assert.Contains("0.00001 BTC", got.Text, StringComparison.Ordinal);
        Assert.Equal(0L, await _world.Query<long>("SELECT (SELECT count(*) FROM payment) + (SELECT count(*) FROM chain_address)"));
        Assert.Equal(201, (await Create("""{"amount":"0.00001","currency":"BTC"}""")).Status);
    }

    [Fact]
    public async Task More_than_a_ledger_holds_waiting_for_a_block_can_still_be_looked_at()
    {
        var payment = await Create("""{"amount":"1","currency":"BTC"}""");
        for (var i = 0; i < 2; i++)
            Assert.Equal(201, (await Post("/sandbox/deposits", Deposit("BTC", new string('9', 30), Text(payment, "address")))).Status);
        var shown = await Show(payment);
        Assert.Equal((200, "confirming"), (shown.Status, Text(shown, "status")));
        Assert.Equal(200, (await Get("/payments/")).Status);
    }

    [Fact]
    public async Task What_does_not_count_is_listed_with_its_reason_and_another_currency_is_the_wallets()
    {
        var payment = await Create("""{"amount":"5","currency":"USDTERC20"}""");
        await Post("/sandbox/deposits", Deposit("USDTERC20", "0.5", Text(payment, "address")));
        await Post("/sandbox/deposits", Deposit("USDCERC20", "5", Text(payment, "address")));
        await Post("/sandbox/blocks", """{"count":12}""");
        var shown = await Show(payment);
        Assert.Equal(("waiting", "0.00", "5.00"), (Text(shown, "status"), Text(shown, "amount_received"), Text(shown, "amount_missing")));
        var lines = shown.Json.GetProperty("deposits").EnumerateArray().ToDictionary(line => line.GetProperty("currency").GetString()!);
        Assert.Equal(("not_credited", "below_minimum"), Line(lines["USDTERC20"]));
        Assert.Equal(("credited", null), Line(lines["USDCERC20"]));
        Assert.Equal(5_000_000m, await _world.Query<decimal>("SELECT available FROM balance"));
    }

    [Fact]
    public async Task A_list_begins_and_ends_when_it_is_told_to()
    {
        var first = Text(await Create("""{"amount":"1","currency":"BTC"}"""), "id");
        _time.Now += TimeSpan.FromDays(2);
        var second = Text(await Create("""{"amount":"1","currency":"BTC"}"""), "id");
        foreach (var (query, ids) in new (string, string[])[]
                 {
                     ("", [second, first]), ("?date_to=2026-01-15", [first]), ("?date_from=2026-01-16", [second]),
                     ("?date_to=2026-01-15T09:59:59Z", []), ("?date_from=2026-01-15&date_to=2026-01-15T10:00:00Z", [first]),
                 })
            Assert.Equal(ids, (await Get($"/payments/{query}")).Json.GetProperty("payments").EnumerateArray()
                .Select(payment => payment.GetProperty("id").GetString()!));
        Assert.Equal(400, (await Get("/payments/?date_from=yesterday")).Status);
    }

    [Fact]
    public async Task A_live_account_on_a_network_without_a_key_is_told_so()
    {
        var live = await _world.Account(Mode.Live);
        var got = await _world.Send(HttpMethod.Post, "/payments/", """{"amount":"1","currency":"BTC"}""", ("X-API-Key", await live.ApiKey()));
        Assert.Equal((503, "service_unavailable"), (got.Status, got.ErrorCode));
    }

    private static (string?, string?) Line(JsonElement line) =>
        (line.GetProperty("status").GetString(), line.GetProperty("not_credited_because").GetString());

    private static string Text(Got got, string name) => got.Json.GetProperty(name).GetString()!;

    private string Deposit(string currency, string amount, string? address) =>
        JsonSerializer.Serialize(new { wallet_id = _account.DefaultWallet.Value, currency, amount, address });

    private Task<Got> Create(string body, params (string, string)[] more) => Post("/payments/", body, more);

    private Task<Got> Show(Got payment) => Get($"/payments/{Text(payment, "id")}/");

    private Task<Got> Get(string path) => _world.Send(HttpMethod.Get, path, null, ("X-API-Key", _key));

    private Task<Got> Post(string path, string body, params (string, string)[] more) =>
        _world.Send(HttpMethod.Post, path, body, [("X-API-Key", _key), .. more]);
}
