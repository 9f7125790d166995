using System.Net;
using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Tests.Webhooks;

/// <summary>From a deposit to a receiver's code: the running server, real deliveries, verified by the unmodified library of npm.</summary>
public sealed class WebhookLibraryTests(TestCluster cluster, NodeFolder node)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Standardwebhooks_verifies_every_delivery_also_during_a_rotation()
    {
        await using var receiver = await Receiver.Start();
        await using var world = await World.Start(cluster, new Settings { Port = 0, WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] });
        var owner = await WebhookOwner.Of(world);
        var made = await owner.Send(HttpMethod.Post, "/user/webhooks/", $$"""{"url":"{{receiver.Url}}/hooks"}""");
        Assert.True(made.Status == 201, made.Text);
        var first = made.Json.GetProperty("secret").GetString()!;
        await Until(() => receiver.All.Count == 1);
        await Deposit(owner, "1");
        await Until(() => receiver.All.Count == 3);
        var rotated = await owner.Send(HttpMethod.Post, $"/user/webhooks/{made.Json.GetProperty("id").GetString()}/rotate-secret/");
        var second = rotated.Json.GetProperty("secret").GetString()!;
        await Deposit(owner, "2");
        await Until(() => receiver.All.Count == 5);
        await owner.Send(HttpMethod.Post, $"/user/webhooks/{made.Json.GetProperty("id").GetString()}/rotate-secret/", """{"overlap_hours":0}""");
        var deliveries = JsonSerializer.Serialize(receiver.All.Select(one => new { id = one.Id, timestamp = one.Timestamp, signature = one.Signature, body = one.Body }));
        var printed = await node.Run("webhooks.mjs", ("DELIVERIES", deliveries), ("SECRETS", JsonSerializer.Serialize(new[] { first, second })));
        Assert.Equal(["0 sound", "0 sound", "0 sound", "0,1 sound", "0,1 sound"],
            printed.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        // The two events of a deposit are sent side by side and may overtake each other.
        Assert.Equal(["deposit.confirmed", "deposit.confirmed", "deposit.received", "deposit.received", "endpoint.ping"],
            receiver.All.Select(one => JsonDocument.Parse(one.Body).RootElement.GetProperty("type").GetString()).Order(StringComparer.Ordinal));
    }

    private static async Task Deposit(WebhookOwner owner, string amount)
    {
        var key = await owner.Account.ApiKey();
        foreach (var (path, body) in ((string, string)[])
            [
                ("/sandbox/deposits", $$"""{"wallet_id":"{{owner.Account.DefaultWallet.Value}}","currency":"BTC","amount":"{{amount}}"}"""),
                ("/sandbox/blocks", """{"count":3}"""),
            ])
            Assert.Equal(201, (await owner.World.Send(HttpMethod.Post, path, body, ("X-API-Key", key))).Status);
    }

    private static async Task Until(Func<bool> so)
    {
        for (var waiting = System.Diagnostics.Stopwatch.StartNew(); !so(); await Task.Delay(10))
            Assert.True(waiting.Elapsed < _patience, "It did not arrive.");
    }
}
