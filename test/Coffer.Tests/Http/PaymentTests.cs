using System.Text.Json;

namespace Coffer.Tests.Http;

/// <summary>Payments as a shop uses them, on the simulated chain of a test account.</summary>
public sealed class PaymentTests(TestCluster cluster) : IAsyncLifetime
{
    private readonly FakeTime time = new(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.Zero));
    private World world = null!;
    private TestAccount account = null!;
    private string key = "";

    public async ValueTask InitializeAsync()
    {
        world = await World.Start(cluster, time: time);
        account = await world.Account();
        key = await account.ApiKey();
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task A_payment_goes_from_waiting_over_confirming_to_completed_and_a_reorg_takes_it_back()
    {
        var made = await Post("/payments/", new { amount = 25.5, currency = "USDTERC20", wallet_id = account.DefaultWallet.Value, order_id = "A-1" });
        Assert.Equal(201, made.Status);
        var id = made.Json.GetProperty("id").GetString()!;
        Assert.Equal(("waiting", "25.50", "25.50"), (Text(made, "status"), Text(made, "amount"), Text(made, "amount_missing")));
        await Pay(made, "25.5");
        Assert.Equal(("confirming", "25.50", "mempool"), await Standing(id));
        await Post("/sandbox/blocks", new { count = 11 });
        var confirming = await Show(id);
        Assert.Equal((11, 12), (Deposit(confirming).GetProperty("confirmations").GetInt32(), Deposit(confirming).GetProperty("required_confirmations").GetInt32()));
        Assert.Equal(("confirming", "25.50", "confirming"), await Standing(id));
        await Post("/sandbox/blocks", new { count = 1 });
        Assert.Equal(("completed", "0.00", "credited"), await Standing(id));
        Assert.Equal("25.50", Text(await Show(id), "amount_received"));
        await Post("/sandbox/reorg", new { depth = 12 });
        Assert.Equal(("waiting", "0.00", "orphaned"), await Standing(id));
        time.Now += TimeSpan.FromHours(2);
        Assert.Equal("failed", Text(await Show(id), "status"));
    }

    [Fact]
    public async Task Several_deposits_add_up_and_what_is_too_much_or_late_is_shown_and_credited()
    {
        var made = await Post("/payments", new { amount = "10", currency = "USDTERC20", expiry_minutes = 30 });
        var id = Text(made, "id");
        await Pay(made, "4");
        await Post("/sandbox/blocks", new { count = 12 });
        Assert.Equal(("partially_paid", "4.00", "6.00"), await Figures(id));
        await Pay(made, "7");
        await Post("/sandbox/blocks", new { count = 12 });
        Assert.Equal(("completed", "11.00", "0.00"), await Figures(id));
        Assert.Equal("1.00", Text(await Show(id), "amount_over"));
        time.Now += TimeSpan.FromMinutes(31);
        await Pay(made, "3");
        await Post("/sandbox/blocks", new { count = 12 });
        var late = await Show(id);
        Assert.Equal(("completed", "3.00", true), (Text(late, "status"), Text(late, "amount_late"), late.Json.GetProperty("paid_late").GetBoolean()));
        Assert.Equal(14_000_000m, await world.Query<decimal>("SELECT available FROM balance"));
    }

    [Fact]
    public async Task A_payment_that_is_paid_after_its_end_stays_expired_and_the_wallet_has_the_money()
    {
        var made = await Post("/payments/", new { amount = "10", currency = "USDTERC20", expiry_minutes = 1 });
        time.Now += TimeSpan.FromMinutes(2);
        Assert.Equal("expired", Text(await Show(Text(made, "id")), "status"));
        await Pay(made, "10");
        await Post("/sandbox/blocks", new { count = 12 });
        var late = await Show(Text(made, "id"));
        Assert.Equal(("expired", "0.00", "10.00"), (Text(late, "status"), Text(late, "amount_received"), Text(late, "amount_late")));
        Assert.True(Deposit(late).GetProperty("late").GetBoolean());
        Assert.Equal(10_000_000m, await world.Query<decimal>("SELECT available FROM balance"));
    }

    [Fact]
    public async Task Sent_in_time_counts_although_its_block_came_later()
    {
        var made = await Post("/payments/", new { amount = "10", currency = "USDTERC20", expiry_minutes = 1 });
        await Pay(made, "10");
        time.Now += TimeSpan.FromMinutes(5);
        await Post("/sandbox/blocks", new { count = 12 });
        Assert.Equal(("completed", "10.00", "0.00"), await Figures(Text(made, "id")));
    }

    [Fact]
    public async Task A_price_in_dollars_is_fixed_at_creation()
    {
        await world.Execute("INSERT INTO rate_hour (currency, hour, usd, at, source) VALUES ('ETH', date_trunc('hour', $1::timestamptz), 2500000000000000000000, $1, 'test') ON CONFLICT (currency, hour) DO UPDATE SET usd = excluded.usd, at = excluded.at", time.GetUtcNow().UtcDateTime);
        var made = await Post("/payments/", new { price_amount = "100", price_currency = "USD", pay_currency = "eth" });
        Assert.Equal(("0.04", "ETH", "100.00", "2500.00"), (Text(made, "amount"), Text(made, "currency"), Text(made, "price_amount"), Text(made, "rate")));
        await world.Execute("UPDATE rate_hour SET usd = usd * 2 WHERE currency = 'ETH'");
        Assert.Equal("0.04", Text(await Show(Text(made, "id")), "amount"));
        await world.Execute("DELETE FROM rate_hour WHERE currency = 'ETH'");
        Assert.Equal((503, "service_unavailable"), Refused(await Post("/payments/", new { price_amount = "100", pay_currency = "ETH" })));
    }

    [Fact]
    public async Task Order_and_custom_ids_are_used_once_for_ever_also_by_many_at_once()
    {
        var many = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Post("/payments/", new { amount = 1, currency = "BTC", order_id = "one" })));
        Assert.Single(many, got => got.Status == 201);
        Assert.All(many.Where(got => got.Status != 201), got => Assert.Equal((409, "conflict"), Refused(got)));
        Assert.Equal(201, (await Post("/payments/", new { amount = 1, currency = "BTC", custom_id = "c" })).Status);
        Assert.Equal((409, "conflict"), Refused(await Post("/payments/", new { amount = 1, currency = "BTC", custom_id = "c" })));
        var other = await world.Account();
        Assert.Equal(201, (await world.Send(HttpMethod.Post, "/payments", """{"amount":1,"currency":"BTC","order_id":"one"}""", ("X-API-Key", await other.ApiKey()))).Status);
    }

    [Fact]
    public async Task The_same_idempotency_key_is_the_same_payment_and_the_same_address()
    {
        var body = """{"amount":1,"currency":"BTC","order_id":"once"}""";
        var first = await world.Send(HttpMethod.Post, "/payments/", body, ("X-API-Key", key), ("Idempotency-Key", "k1"));
        // As if the process had died between payment and answer, and the key had been forgotten.
        await world.Execute("DELETE FROM idempotency_key");
        var second = await world.Send(HttpMethod.Post, "/payments/", body, ("X-API-Key", key), ("Idempotency-Key", "k1"));
        Assert.Equal((201, Text(first, "id"), Text(first, "address")), (second.Status, Text(second, "id"), Text(second, "address")));
    }

    [Fact]
    public async Task A_key_that_made_a_payment_makes_no_other_however_much_later()
    {
        var body = """{"amount":1,"currency":"BTC"}""";
        await world.Send(HttpMethod.Post, "/payments/", body, ("X-API-Key", key), ("Idempotency-Key", "k1"));
        foreach (var other in new[] { body.Replace('1', '2'), body.Replace("BTC", "ETH"), """{"amount":1,"currency":"BTC","order_id":"x"}""" })
        {
            await world.Execute("DELETE FROM idempotency_key");
            var got = await world.Send(HttpMethod.Post, "/payments/", other, ("X-API-Key", key), ("Idempotency-Key", "k1"));
            Assert.Equal((422, "idempotency_key_reused"), Refused(got));
        }

        Assert.Equal(1, await world.Query<long>("SELECT count(*) FROM payment"));
    }

    [Fact]
    public async Task The_list_is_filtered_and_paged_newest_first()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
            ids.Add(Text(await Post("/payments/", new { amount = 1, currency = i % 2 == 0 ? "BTC" : "ETH", order_id = $"o{i}" }), "id"));
        ids.Reverse();
        var first = await Get("/payments/?limit=2");
        Assert.Equal(ids.Take(2), Ids(first));
        var second = await Get($"/payments?limit=3&starting_after={Text(first, "next_cursor")}");
        Assert.Equal(ids.Skip(2), Ids(second));
        Assert.False(second.Json.GetProperty("has_more").GetBoolean());
        Assert.Equal([ids[1], ids[3]], Ids(await Get("/payments/?currency=eth")));
        Assert.Equal([ids[0]], Ids(await Get("/payments/?order_id=o4")));
        Assert.Empty(Ids(await Get("/payments/?status=completed")));
        Assert.Equal(5, Ids(await Get("/payments/?status=waiting")).Count);
        time.Now += TimeSpan.FromHours(2);
        Assert.Equal(5, Ids(await Get("/payments/?status=expired&limit=100")).Count);
        foreach (var query in new[] { "status=paid", "limit=0", "limit=101", "wallet_id=x", "starting_after=1", "unknown=1", "currency=XXX" })
            Assert.Equal(400, (await Get($"/payments/?{query}")).Status);
    }

    [Theory]
    [InlineData("{}", "invalid_request")]
    [InlineData("""{"amount":1}""", "invalid_request")]
    [InlineData("""{"currency":"BTC"}""", "invalid_request")]
    [InlineData("""{"amount":0,"currency":"BTC"}""", "invalid_amount")]
    [InlineData("""{"amount":-1,"currency":"BTC"}""", "invalid_amount")]
    [InlineData("""{"amount":"1e2","currency":"BTC"}""", "invalid_amount")]
    [InlineData("""{"amount":"0.123456789","currency":"BTC"}""", "invalid_amount")]
    [InlineData("""{"amount":1,"currency":"NOPE"}""", "invalid_currency")]
    [InlineData("""{"amount":1,"currency":"BTC","expiry_minutes":0}""", "invalid_request")]
    [InlineData("""{"amount":1,"currency":"BTC","expiry_minutes":10081}""", "invalid_request")]
    [InlineData("""{"amount":1,"currency":"BTC","callback_url":"ftp://x"}""", "invalid_request")]
    [InlineData("""{"amount":1,"currency":"BTC","order_id":""}""", "invalid_request")]
    [InlineData("""{"amount":1,"currency":"BTC","surprise":true}""", "invalid_request")]
    [InlineData("""{"amount":1,"currency":"BTC","pay_currency":"ETH","price_amount":"5"}""", "invalid_request")]
    [InlineData("""{"price_amount":"5","price_currency":"EUR","pay_currency":"BTC"}""", "invalid_request")]
    [InlineData("""{"price_amount":"5.001","pay_currency":"BTC"}""", "invalid_amount")]
    [InlineData("""{"pay_currency":"BTC"}""", "invalid_request")]
    public async Task What_cannot_be_a_payment_is_refused_by_name_and_changes_nothing(string body, string code)
    {
        var got = await world.Send(HttpMethod.Post, "/payments/", body, ("X-API-Key", key));
        Assert.Equal((400, code), Refused(got));
        Assert.Equal(0, await world.Query<long>("SELECT count(*) FROM payment"));
    }

    [Fact]
    public async Task Another_account_and_a_key_for_another_wallet_see_nothing()
    {
        var id = Text(await Post("/payments/", new { amount = 1, currency = "BTC" }), "id");
        var other = await world.Account();
        Assert.Equal(404, (await world.Send(HttpMethod.Get, $"/payments/{id}/", null, ("X-API-Key", await other.ApiKey()))).Status);
        var wallet = await world.Wallet(account.Account, "Second");
        var limited = await account.ApiKey(wallets: [wallet.Value]);
        Assert.Equal(404, (await world.Send(HttpMethod.Get, $"/payments/{id}", null, ("X-API-Key", limited))).Status);
        Assert.Empty(Ids(await world.Send(HttpMethod.Get, "/payments/", null, ("X-API-Key", limited))));
        Assert.Equal(404, (await world.Send(HttpMethod.Post, "/payments/", """{"amount":1,"currency":"BTC"}""", ("X-API-Key", limited))).Status);
        var theirs = JsonSerializer.Serialize(new { amount = 1, currency = "BTC", wallet_id = account.DefaultWallet.Value });
        Assert.Equal(404, (await world.Send(HttpMethod.Post, "/payments/", theirs, ("X-API-Key", await other.ApiKey()))).Status);
        Assert.Equal(404, (await Get($"/payments/{Guid.Empty}")).Status);
        Assert.Equal(400, (await Get("/payments/nonsense")).Status);
    }

    private static string Text(Got got, string name) => got.Json.GetProperty(name).GetString()!;

    private static JsonElement Deposit(Got got) => got.Json.GetProperty("deposits").EnumerateArray().Last();

    private static List<string> Ids(Got got) => [.. got.Json.GetProperty("payments").EnumerateArray().Select(one => one.GetProperty("id").GetString()!)];

    private static (int, string?) Refused(Got got) => (got.Status, got.Json.GetProperty("error").GetProperty("code").GetString());

    private async Task<(string, string, string)> Standing(string id)
    {
        var got = await Show(id);
        return (Text(got, "status"), Text(got, "amount_pending"), Deposit(got).GetProperty("status").GetString()!);
    }

    private async Task<(string, string, string)> Figures(string id)
    {
        var got = await Show(id);
        return (Text(got, "status"), Text(got, "amount_received"), Text(got, "amount_missing"));
    }

    private Task<Got> Pay(Got payment, string amount) => Post("/sandbox/deposits", new
    {
        wallet_id = account.DefaultWallet.Value,
        currency = Text(payment, "currency"),
        amount,
        address = Text(payment, "address"),
    });

    private Task<Got> Show(string id) => Get($"/payments/{id}/");

    private Task<Got> Get(string path) => world.Send(HttpMethod.Get, path, null, ("X-API-Key", key));

    private Task<Got> Post(string path, object body) => world.Send(HttpMethod.Post, path, JsonSerializer.Serialize(body), ("X-API-Key", key));
}
