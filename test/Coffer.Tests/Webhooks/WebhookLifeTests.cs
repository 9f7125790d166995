using System.Globalization;
using System.Net;
using System.Text;
using Coffer.Server.Host;
using Coffer.Server.Outbound;

namespace Coffer.Tests.Webhooks;

/// <summary>The life of an endpoint as its owner and its receiver see it: over HTTP on both sides, with the server's own worker between.</summary>
public sealed class WebhookLifeTests(TestCluster cluster)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly Settings _inside = new() { WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] };

    [Fact]
    public async Task An_endpoint_that_answers_its_ping_is_told_of_what_happened_since_it_was_made()
    {
        await using var world = await World.Start(cluster, _inside);
        await using var receiver = await Receiver.Start();
        var owner = await WebhookOwner.Of(world);
        receiver.Says(500);
        var made = await owner.Send(HttpMethod.Post, "/user/webhooks", $$"""{"url":"{{receiver.Url}}/hooks","types":["balance.low"]}""");
        await owner.SomethingHappens();
        await Until(() => receiver.All.Count == 1);
        Assert.Equal("pending", await owner.Status(made.Json.GetProperty("id").GetGuid()));
        receiver.Says(204);
        await owner.SomethingHappens("withdrawal.updated");
        await owner.SomethingHappens();
        await owner.Send(HttpMethod.Post, $"/user/webhooks/{made.Text("id")}/ping");
        await Until(() => receiver.All.Count >= 4);
        Assert.Equal("enabled", await owner.Status(made.Json.GetProperty("id").GetGuid()));
        Assert.All(receiver.All, one => Assert.Equal(Signed(one, made), one.Signature));
        Assert.Equal(["balance.low", "balance.low"], receiver.All.Where(one => !one.Body.Contains("endpoint.ping", StringComparison.Ordinal))
            .Select(one => System.Text.Json.JsonDocument.Parse(one.Body).RootElement.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task During_a_rotation_both_secrets_verify_and_what_is_sent_again_keeps_its_id()
    {
        await using var world = await World.Start(cluster, _inside);
        await using var receiver = await Receiver.Start();
        var owner = await WebhookOwner.Of(world);
        var made = await owner.Send(HttpMethod.Post, "/user/webhooks", $$"""{"url":"{{receiver.Url}}/hooks"}""");
        var path = $"/user/webhooks/{made.Text("id")}";
        await owner.SomethingHappens();
        await Until(() => receiver.All.Count == 2);
        var rotated = await owner.Send(HttpMethod.Post, path + "/rotate-secret");
        var first = receiver.All[1];
        await Finished(owner, path, first.Id);
        Assert.Equal(202, (await owner.Send(HttpMethod.Post, $"{path}/deliveries/{first.Id}/resend")).Status);
        await Until(() => receiver.All.Count == 3);
        var again = receiver.All[2];
        Assert.Equal((first.Id, first.Body), (again.Id, again.Body));
        Assert.Equal($"{Signed(again, rotated)} {Signed(again, made)}", again.Signature);
        await Finished(owner, path, first.Id);
        var last = await owner.Send(HttpMethod.Post, path + "/rotate-secret", """{"overlap_hours":0}""");
        Assert.Equal("""{"count":2,"next_after":null}""",
            (await owner.Send(HttpMethod.Post, path + "/replay", """{"since":"2026-01-01T00:00:00Z","delivered":true}""")).Text);
        await Until(() => receiver.All.Count == 5);
        Assert.All(receiver.All.Skip(3), one => Assert.Equal(Signed(one, last), one.Signature));
        Assert.Equal([first.Id, receiver.All[0].Id], receiver.All.Skip(3).Select(one => one.Id).OrderDescending());
        await Finished(owner, path, first.Id);
        var shown = await owner.Send(HttpMethod.Get, $"{path}/deliveries/{first.Id}");
        Assert.Equal((3, "delivered"), (shown.Json.GetProperty("attempt_count").GetInt32(), shown.Text("status")));
        Assert.All(shown.Json.GetProperty("attempts").EnumerateArray(), attempt => Assert.Equal(204, attempt.GetProperty("status").GetInt32()));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_left_alone_until_its_owner_enables_it_and_then_gets_what_it_missed()
    {
        await using var world = await World.Start(cluster, _inside);
        await using var receiver = await Receiver.Start();
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make($$"""{"url":"{{receiver.Url}}/hooks","types":["balance.low"]}""");
        await UntilStatus(owner, id, "enabled");
        receiver.Says(410);
        await owner.SomethingHappens();
        await UntilStatus(owner, id, "disabled");
        var shown = await owner.Send(HttpMethod.Get, $"/user/webhooks/{id}");
        Assert.Equal(("coffer", "gone"), (shown.Text("disabled_by"), shown.Text("reason")));
        var before = receiver.All.Count;
        await owner.SomethingHappens();
        receiver.Says(204);
        Assert.Equal("pending", (await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/enable")).Text("status"));
        await Until(() => receiver.All.Count == before + 2);
        Assert.Equal("enabled", await owner.Status(id));
        Assert.Single(await Deliveries(owner, id, "failed"));
        await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay", """{"since":"2026-01-01T00:00:00Z"}""");
        await Until(() => receiver.All.Count == before + 3);
    }

    [Fact]
    public async Task A_deleted_or_disabled_endpoint_is_sent_nothing_more()
    {
        await using var world = await World.Start(cluster, _inside);
        await using var receiver = await Receiver.Start();
        var owner = await WebhookOwner.Of(world);
        var (deleted, disabled, witness) = (await owner.Make($$"""{"url":"{{receiver.Url}}/deleted"}"""),
            await owner.Make($$"""{"url":"{{receiver.Url}}/disabled"}"""), await owner.Make($$"""{"url":"{{receiver.Url}}/witness"}"""));
        foreach (var id in new[] { deleted, disabled, witness })
            await UntilStatus(owner, id, "enabled");
        await owner.Send(HttpMethod.Delete, $"/user/webhooks/{deleted}");
        await owner.Send(HttpMethod.Post, $"/user/webhooks/{disabled}/disable");
        var before = receiver.All.Count;
        await owner.SomethingHappens();
        await Until(() => receiver.All.Count > before);
        await owner.SomethingHappens();
        await Until(() => receiver.All.Count >= before + 2);
        Assert.All(receiver.All.Skip(before), one => Assert.Equal("/witness", one.Path));
    }

    private static string Signed(Received one, Got secret) => WebhookSignature.Of(one.Id, long.Parse(one.Timestamp, CultureInfo.InvariantCulture),
        Encoding.UTF8.GetBytes(one.Body), [Convert.FromBase64String(secret.Text("secret")!["whsec_".Length..])]);

    private static Task UntilStatus(WebhookOwner owner, Guid id, string status) => Until(async () => await owner.Status(id) == status);

    /// <summary>Waits until what has arrived is written down too.</summary>
    private static Task Finished(WebhookOwner owner, string path, string eventId) =>
        Until(async () => (await owner.Send(HttpMethod.Get, $"{path}/deliveries?status=waiting")).Json.GetProperty("deliveries").GetArrayLength() == 0
            && (await owner.Send(HttpMethod.Get, $"{path}/deliveries/{eventId}")).Text("status") == "delivered");

    private static async Task<List<string>> Deliveries(WebhookOwner owner, Guid id, string status) =>
        [.. (await owner.Send(HttpMethod.Get, $"/user/webhooks/{id}/deliveries?status={status}")).Json.GetProperty("deliveries").EnumerateArray()
            .Select(one => one.GetProperty("event_id").GetString()!)];

    private static Task Until(Func<bool> so) => Until(() => Task.FromResult(so()));

    private static async Task Until(Func<Task<bool>> so)
    {
        var end = TimeProvider.System.GetTimestamp();
        while (!await so())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(end) < _patience, "It did not happen.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
