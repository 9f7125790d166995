using System.Text.Json;
using Coffer.Server.Payments;

namespace Coffer.Tests.Webhooks;

/// <summary>payment.updated: told each time that a payment stands otherwise, once, by however many servers, whatever fails meanwhile.</summary>
public sealed class PaymentEventTests(TestCluster cluster) : IAsyncLifetime
{
    private readonly FakeTime time = new(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.Zero));
    private World world = null!;
    private TestAccount account = null!;
    private string key = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        world = await World.Start(cluster, time: time);
        account = await world.Account();
        key = await account.ApiKey();
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task Each_change_of_a_payment_is_told_and_so_is_a_reorg_and_its_end()
    {
        await using var second = await World.StartOn(world.Database, time: time);
        var made = await Post("/payments/", new { amount = "10", currency = "USDTERC20", order_id = "A-7", callback_url = "https://shop.example/paid" });
        await Pay(made, "4");
        await Told("partially_paid 0.00 4.00");
        await Pay(made, "7");
        await Told("partially_paid 0.00 4.00", "confirming 0.00 11.00");
        await Post("/sandbox/blocks", new { count = 1 });
        await Post("/sandbox/blocks", new { count = 11 });
        await Told("partially_paid 0.00 4.00", "confirming 0.00 11.00", "completed 11.00 0.00");
        await Post("/sandbox/reorg", new { depth = 12 });
        await Told("partially_paid 0.00 4.00", "confirming 0.00 11.00", "completed 11.00 0.00", "waiting 0.00 0.00");
        time.Now += TimeSpan.FromHours(2);
        await Told("partially_paid 0.00 4.00", "confirming 0.00 11.00", "completed 11.00 0.00", "waiting 0.00 0.00", "failed 0.00 0.00");

        var data = (await Events())[^1];
        Assert.Equal((Text(made, "id"), "A-7", Text(made, "address")), (Text(data, "id"), Text(data, "order_id"), Text(data, "address")));
        Assert.False(data.TryGetProperty("deposits", out _));
        Assert.Equal(5L, await world.Query<long>("SELECT count(*) FROM event WHERE callback_url = 'https://shop.example/paid'"));
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM webhook_endpoint WHERE kind = 2"));
    }

    [Fact]
    public async Task What_arrives_too_late_is_told_although_the_payment_stays_expired()
    {
        var made = await Post("/payments/", new { amount = "10", currency = "USDTERC20", expiry_minutes = 1 });
        await Task.Delay(2 * TellPayments.Pause, Ct);
        await Told();
        time.Now += TimeSpan.FromMinutes(2);
        await Told("expired 0.00 0.00");
        await Pay(made, "10");
        await Post("/sandbox/blocks", new { count = 12 });
        await Told("expired 0.00 0.00", "expired 0.00 0.00");
        Assert.Equal(("10.00", "true"), (Text((await Events())[^1], "amount_late"), (await Events())[^1].GetProperty("paid_late").GetRawText()));
    }

    [Fact]
    public async Task A_deposit_address_that_is_no_payment_tells_nothing_of_payments()
    {
        await Post("/payments/", new { amount = "10", currency = "USDTERC20" });
        await Post("/sandbox/deposits", new { wallet_id = account.DefaultWallet.Value, currency = "USDTERC20", amount = "10" });
        await Post("/sandbox/blocks", new { count = 12 });
        await Task.Delay(2 * TellPayments.Pause, Ct);
        await Told();
        Assert.Equal(0L, await world.Query<long>("SELECT count(*) FROM payment_told WHERE look_at = '-infinity'"));
    }

    [Fact]
    public async Task What_could_not_be_written_is_told_when_it_can()
    {
        var made = await Post("/payments/", new { amount = "10", currency = "USDTERC20" });
        await world.Execute("""
            CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
            CREATE TRIGGER no BEFORE INSERT ON event FOR EACH ROW WHEN (NEW.type = 'payment.updated') EXECUTE FUNCTION no()
            """);
        await Pay(made, "10");
        await Post("/sandbox/blocks", new { count = 12 });
        await Task.Delay(2 * TellPayments.Pause, Ct);
        Assert.Empty(await Events());
        Assert.Equal("waiting 0 0 0", await world.Query<string>("SELECT told FROM payment_told"));
        await world.Execute("DROP TRIGGER no ON event");
        await Told("completed 10.00 0.00");
    }

    [Fact]
    public async Task A_payment_that_cannot_be_shown_is_not_told_and_does_not_stop_the_others()
    {
        var bad = await Post("/payments/", new { amount = "10", currency = "USDTERC20" });
        var good = await Post("/payments/", new { amount = "10", currency = "USDTERC20" });
        var gone = await Post("/payments/", new { amount = "10", currency = "USDTERC20" });
        await world.Execute("UPDATE chain_address SET index = index + 100 WHERE address = $1", Text(bad, "address"));
        await world.Execute("UPDATE payment SET currency = 'GONE' WHERE id = $1", Guid.Parse(Text(gone, "id")));
        await Pay(bad, "10");
        await Post("/sandbox/deposits", new { wallet_id = account.DefaultWallet.Value, currency = "USDTERC20", amount = "10", address = Text(gone, "address") });
        await Pay(good, "10");
        await Told("confirming 0.00 10.00");
        Assert.Equal(Text(good, "id"), Text((await Events())[0], "id"));
    }

    private static string Text(Got got, string name) => Text(got.Json, name);

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    /// <summary>What was told so far, each time status, what was received and what is pending; waited for, then held against once more.</summary>
    private async Task Told(params string[] wanted)
    {
        var told = new List<string>();
        for (var i = 0; i < 100 && told.Count < Math.Max(1, wanted.Length); i++)
        {
            told = [.. (await Events()).Select(one => $"{Text(one, "status")} {Text(one, "amount_received")} {Text(one, "amount_pending")}")];
            if (wanted.Length == 0)
                break;
            await Task.Delay(50, Ct);
        }

        Assert.Equal(wanted, told);
    }

    private async Task<List<JsonElement>> Events() => [.. (await world.Send(HttpMethod.Get, "/events/?types=payment.updated", null, ("X-API-Key", key)))
        .Json.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("data"))];

    private Task<Got> Pay(Got payment, string amount) => Post("/sandbox/deposits", new
    {
        wallet_id = account.DefaultWallet.Value,
        currency = Text(payment, "currency"),
        amount,
        address = Text(payment, "address"),
    });

    private Task<Got> Post(string path, object body) => world.Send(HttpMethod.Post, path, JsonSerializer.Serialize(body), ("X-API-Key", key));
}
