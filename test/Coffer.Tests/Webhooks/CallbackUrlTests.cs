using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Server.Host;
using Coffer.Tests.Http;

namespace Coffer.Tests.Webhooks;

/// <summary>The callback_url of payments and withdrawals: only where something may be sent, and signed with the account's own secret.</summary>
public sealed class CallbackUrlTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Mode.Test, "ftp://shop.example/x")]
    [InlineData(Mode.Test, "shop.example/x")]
    [InlineData(Mode.Test, "http://127.0.0.1/x")]
    [InlineData(Mode.Test, "http://localhost:8080/x")]
    [InlineData(Mode.Test, "https://169.254.169.254/latest/meta-data/")]
    [InlineData(Mode.Test, "https://2130706433/x")]
    [InlineData(Mode.Test, "https://user:secret@shop.example/x")]
    [InlineData(Mode.Test, "https://[::ffff:10.0.0.1]/x")]
    [InlineData(Mode.Live, "http://shop.example/x")]
    [InlineData(Mode.Live, "https://shop.example:5432/x")]
    public async Task Where_nothing_is_sent_to_is_refused_before_anything_is_made(Mode mode, string url)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account(mode);
        var key = await account.ApiKey();
        foreach (var (path, body) in ((string, string)[])
            [
                ("/payments/", $$"""{"amount":"10","currency":"USDTERC20","callback_url":"{{url}}"}"""),
                ("/withdrawal/", $$"""{"amount":"10","currency":"USDTERC20","address":"{{Withdrawer.Payee}}","callback_url":"{{url}}"}"""),
            ])
        {
            var got = await world.Send(HttpMethod.Post, path, body, ("X-API-Key", key));
            Assert.True((got.Status, got.ErrorCode) == (400, "invalid_request"), got.Text);
            Assert.Equal(["callback_url"], got.Json.GetProperty("error").GetProperty("details").EnumerateObject().Select(one => one.Name));
        }

        var long_ = await world.Send(HttpMethod.Post, "/payments/",
            $$"""{"amount":"10","currency":"USDTERC20","callback_url":"https://shop.example/{{new string('x', 2_000)}}"}""", ("X-API-Key", key));
        Assert.Equal((400, "invalid_request"), (long_.Status, long_.ErrorCode));
        Assert.Equal(0L, await world.Query<long>("SELECT (SELECT count(*) FROM payment) + (SELECT count(*) FROM withdrawal)"));
        Assert.Equal(0L, await world.Query<long>("SELECT count(*) FROM webhook_endpoint"));
    }

    [Fact]
    public async Task A_payment_and_a_withdrawal_call_back_with_what_GET_events_shows_signed_by_the_account()
    {
        await using var receiver = await Receiver.Start();
        await using var world = await World.Start(cluster, new Settings { WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] });
        var payer = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var payment = await payer.Post("/payments/", $$"""{"amount":"10","currency":"USDTERC20","callback_url":"{{receiver.Url}}/payment"}""");
        Assert.True(payment.Status == 201, payment.Text);
        var secret = await world.Send(HttpMethod.Post, "/user/webhooks/callbacks/rotate-secret/", "{}",
            ("Authorization", $"Bearer {await payer.Account.Token()}"));
        Assert.True(secret.Status == 200, secret.Text);
        await payer.Post("/sandbox/deposits", $$"""
            {"wallet_id":"{{payer.Account.DefaultWallet}}","currency":"USDTERC20","amount":"10","address":"{{Withdrawer.Text(payment.Json, "address")}}"}
            """);
        await payer.Post("/sandbox/blocks", """{"count":12}""");
        var withdrawal = await payer.Withdraw("20", more: $$""","callback_url":"{{receiver.Url}}/withdrawal" """);
        Assert.True(withdrawal.Status == 201, withdrawal.Text);
        await world.FinishWithdrawals(payer.Key);

        for (var i = 0; i < 300 && !(Has("/payment", "completed") && Has("/withdrawal", "completed")); i++)
            await Task.Delay(50, Ct);
        List<JsonElement> told =
            [.. (await payer.Get("/events/?types=payment.updated,withdrawal.updated")).Json.GetProperty("events").EnumerateArray()];
        // Deliveries of a lane run beside each other: the last that is sent need not be the last that arrives.
        for (var i = 0; i < 300 && receiver.All.Count < told.Count; i++)
            await Task.Delay(50, Ct);
        Assert.Equal(told.Select(one => one.GetProperty("id").GetString()).Order(StringComparer.Ordinal),
            receiver.All.Select(one => one.Id).Order(StringComparer.Ordinal));
        var key = Convert.FromBase64String(Withdrawer.Text(secret.Json, "secret")["whsec_".Length..]);
        foreach (var got in receiver.All)
        {
            var one = told.Single(one => one.GetProperty("id").GetString() == got.Id);
            Assert.Equal(one.GetProperty("type").GetString() == "payment.updated" ? "/payment" : "/withdrawal", got.Path);
            using var body = JsonDocument.Parse(got.Body);
            Assert.Equal(one.GetProperty("data").GetRawText(), body.RootElement.GetProperty("data").GetRawText());
            var signature = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{got.Id}.{got.Timestamp}.{got.Body}")));
            Assert.Contains($"v1,{signature}", got.Signature.Split(' '));
        }

        bool Has(string path, string status) =>
            receiver.All.Any(one => one.Path == path && one.Body.Contains($"\"status\":\"{status}\"", StringComparison.Ordinal));
    }
}
