using System.Text.Json;

namespace Coffer.Tests.Webhooks;

/// <summary>
/// What an owner sees of his deliveries, and sending them again. The endpoint has answered no ping, so the server sends nothing of what
/// the tests put there; it tries the ping, which is left out of what the tests look at.
/// </summary>
public sealed class DeliveryRequestTests(TestCluster cluster)
{
    private const int Waiting = 1, Delivered = 2, GivenUp = 3;
    private static readonly DateTime _start = new(2026, 1, 15, 9, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task Deliveries_are_listed_page_by_page_newest_first_with_their_attempts()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        var events = new List<string>();
        foreach (var state in new[] { Delivered, GivenUp, Delivered, GivenUp, Waiting })
            events.Insert(0, await Delivery(owner, id, state, attempts: 2));
        var path = $"/user/webhooks/{id}/deliveries";
        var first = await owner.Send(HttpMethod.Get, path + "/?limit=2");
        Assert.Equal(events[..2], Events(first));
        Assert.Equal((true, events[1]), (first.Json.GetProperty("has_more").GetBoolean(), first.Text("next_cursor")));
        var rest = await owner.Send(HttpMethod.Get, $"{path}?starting_after={events[1]}");
        Assert.Equal((false, null), (rest.Json.GetProperty("has_more").GetBoolean(), rest.Text("next_cursor")));
        Assert.Equal(events[2..], Events(rest));
        Assert.Equal([events[1], events[3]], Events(await owner.Send(HttpMethod.Get, path + "?status=failed")));
        Assert.Equal([events[0]], Events(await owner.Send(HttpMethod.Get, path + "?status=waiting")));
        Assert.Equal([events[2], events[4]], Events(await owner.Send(HttpMethod.Get, path + "?status=delivered")));
        var one = await owner.Send(HttpMethod.Get, $"{path}/{events[1]}/");
        Assert.Equal(first.Json.GetProperty("deliveries")[1].GetRawText(), one.Text);
        Assert.Equal(("deposit.received", "https://example.com/hooks", "failed"), (one.Text("type"), one.Text("url"), one.Text("status")));
        var attempt = one.Json.GetProperty("attempts")[0];
        Assert.Equal((2, 503, "status", "<b>busy</b>", 20), (attempt.GetProperty("number").GetInt32(), attempt.GetProperty("status").GetInt32(),
            attempt.GetProperty("error").GetString(), attempt.GetProperty("response").GetString(), attempt.GetProperty("milliseconds").GetInt32()));
        Assert.Equal(1, one.Json.GetProperty("attempts")[1].GetProperty("number").GetInt32());
    }

    [Fact]
    public async Task Whatever_became_of_a_delivery_it_is_sent_again_under_the_same_id()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        foreach (var state in new[] { Waiting, Delivered, GivenUp })
        {
            var sent = await Delivery(owner, id, state, attempts: 3);
            var again = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/deliveries/{sent}/resend/");
            Assert.Equal((202, sent, "waiting", null), (again.Status, again.Text("event_id"), again.Text("status"), again.Text("finished_at")));
            Assert.Equal((3, 3), (again.Json.GetProperty("attempt_count").GetInt32(), again.Json.GetProperty("attempts").GetArrayLength()));
            Assert.True(await world.Query<bool>("SELECT attempts = 0 AND due_at <= now() FROM delivery WHERE event_number = $1", Number(sent)));
        }
    }

    [Fact]
    public async Task A_replay_sends_what_has_not_arrived_since_a_time_and_if_asked_what_has()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        var early = await Delivery(owner, id, GivenUp, attempts: 1);
        await Task.Delay(1_100, TestContext.Current.CancellationToken);
        var since = $"{world.Time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'}";
        var (failed, waiting, arrived) = (await Delivery(owner, id, GivenUp, 1), await Delivery(owner, id, Waiting, 1), await Delivery(owner, id, Delivered, 1));
        var due = async () => Events(await owner.Send(HttpMethod.Get, $"/user/webhooks/{id}/deliveries?status=waiting"));
        var replayed = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay/", $$"""{"since":"{{since}}"}""");
        Assert.Equal((202, """{"count":2,"next_after":null}"""), (replayed.Status, replayed.Text));
        Assert.Equal([waiting, failed], await due());
        Assert.Equal(2L, await world.Query<long>("SELECT count(*) FROM delivery WHERE due_at <= now() AND attempts = 0 AND state = 1 AND event_number > 1"));
        replayed = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay/", $$"""{"since":"{{since}}","delivered":true}""");
        Assert.Equal("""{"count":1,"next_after":null}""", replayed.Text);
        Assert.Equal([arrived, waiting, failed], await due());
        replayed = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay/", """{"since":"2026-01-01T00:00:00Z"}""");
        Assert.InRange(replayed.Json.GetProperty("count").GetInt32(), 1, 2);
        Assert.Contains(early, await due());
        Assert.Equal("""{"count":0,"next_after":null}""",
            (await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay/", """{"since":"2999-01-01T00:00:00Z"}""")).Text);
    }

    [Fact]
    public async Task A_long_replay_goes_on_where_the_answer_says()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        await world.Execute("""
            INSERT INTO delivery (shard, account_id, endpoint_id, event_number, lane, state, attempts, tried, due_at, created_at, finished_at)
            SELECT $1, $2, $3, n, '', 3, 10, 10, $4, $4, $4 FROM generate_series(2, 10102) n
            """, owner.Account.Account.Shard, owner.Account.Id.Value, id, _start);
        var first = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay", $$"""{"after":"{{$"evt_{owner.Account.Id.Value:N}_1"}}"}""");
        Assert.Equal((10_000, 10_001), (first.Json.GetProperty("count").GetInt32(), Number(first.Text("next_after")!)));
        var rest = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay", $$"""{"after":"{{first.Text("next_after")}}"}""");
        Assert.Equal("""{"count":101,"next_after":null}""", rest.Text);
        Assert.Equal(0L, await world.Query<long>("SELECT count(*) FROM delivery WHERE state = 3"));
    }

    [Fact]
    public async Task A_disabled_endpoint_is_sent_nothing_again_until_it_is_enabled_and_then_its_failures_are_forgiven()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        var sent = await Delivery(owner, id, GivenUp, attempts: 1);
        await world.Execute("""
            INSERT INTO webhook_lane (shard, account_id, endpoint_id, lane, failures, first_failure, failing_since, slow_until)
            VALUES ($1, $2, $3, '', 9, $4, $4, $5)
            ON CONFLICT (shard, account_id, endpoint_id, lane) DO UPDATE SET failing_since = $4, slow_until = $5
            """, owner.Account.Account.Shard, owner.Account.Id.Value, id, _start, _start.AddYears(100));
        var shown = await owner.Send(HttpMethod.Get, $"/user/webhooks/{id}");
        Assert.Equal(("2026-01-15T09:00:00Z", "2126-01-15T09:00:00Z"), (shown.Text("failing_since"), shown.Text("paused_until")));
        await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/disable");
        foreach (var (path, body) in new[] { ($"deliveries/{sent}/resend", "{}"), ("replay", """{"since":"2026-01-01T00:00:00Z"}""") })
            Assert.Equal(409, (await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/{path}", body)).Status);
        Assert.Equal(3, await world.Query<short>("SELECT state FROM delivery WHERE event_number = $1", Number(sent)));
        Assert.Null((await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/enable")).Text("failing_since"));
        Assert.Equal(202, (await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/deliveries/{sent}/resend")).Status);
    }

    [Fact]
    public async Task Nobody_sees_or_sends_what_is_not_his_and_a_deleted_endpoint_leaves_nothing()
    {
        await using var world = await World.Start(cluster);
        var (owner, other) = (await WebhookOwner.Of(world), await WebhookOwner.Of(world));
        var (id, its) = (await owner.Make(), await other.Make());
        var sent = await Delivery(owner, id, GivenUp, attempts: 1);
        // What was sent to one endpoint is no delivery of another, of the same account neither.
        var second = await owner.Make();
        Assert.Equal(404, (await owner.Send(HttpMethod.Get, $"/user/webhooks/{second}/deliveries/{sent}")).Status);
        Assert.Equal(404, (await owner.Send(HttpMethod.Post, $"/user/webhooks/{second}/deliveries/{sent}/resend")).Status);
        Assert.Empty(Events(await owner.Send(HttpMethod.Get, $"/user/webhooks/{second}/deliveries")));
        foreach (var path in new[] { $"{id}/deliveries", $"{id}/deliveries/{sent}", $"{its}/deliveries/{sent}", $"{its}/deliveries/none" })
            Assert.Equal((404, path), ((await other.Send(HttpMethod.Get, $"/user/webhooks/{path}")).Status, path));
        foreach (var path in new[] { $"{id}/deliveries/{sent}/resend", $"{its}/deliveries/{sent}/resend" })
            Assert.Equal(404, (await other.Send(HttpMethod.Post, $"/user/webhooks/{path}")).Status);
        Assert.Equal(404, (await other.Send(HttpMethod.Post, $"/user/webhooks/{id}/replay", """{"since":"2026-01-01T00:00:00Z"}""")).Status);
        Assert.Equal(3, await world.Query<short>("SELECT state FROM delivery WHERE event_number = $1", Number(sent)));
        Assert.Equal(204, (await owner.Send(HttpMethod.Delete, $"/user/webhooks/{id}")).Status);
        Assert.Equal(0L, await world.Query<long>(
            "SELECT (SELECT count(*) FROM delivery WHERE endpoint_id = $1) + (SELECT count(*) FROM delivery_attempt WHERE endpoint_id = $1)", id));
    }

    [Theory]
    [InlineData("replay", "{}", "since")]
    [InlineData("replay", """{"since":null}""", "since")]
    [InlineData("replay", """{"since":"yesterday"}""", "since")]
    [InlineData("replay", """{"since":"2026-01-15T09:30:00"}""", "since")]
    [InlineData("replay", """{"since":1768469400}""", "since")]
    [InlineData("replay", """{"after":"17"}""", "after")]
    [InlineData("replay", """{"after":"evt_00000000000000000000000000000000_1"}""", "after")]
    [InlineData("replay", """{"since":"2026-01-15T09:30:00Z","delivered":"yes"}""", "delivered")]
    [InlineData("replay", """{"since":"2026-01-15T09:30:00Z","until":"2026-01-16T09:30:00Z"}""", "until")]
    [InlineData("deliveries?limit=101", null, "limit")]
    [InlineData("deliveries?status=lost", null, "status")]
    [InlineData("deliveries?starting_after=17", null, "starting_after")]
    public async Task What_cannot_be_meant_is_refused_by_name(string path, string? body, string parameter)
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var got = await owner.Send(body is null ? HttpMethod.Get : HttpMethod.Post, $"/user/webhooks/{await owner.Make()}/{path}", body);
        Assert.Equal((400, true), (got.Status, got.Json.GetProperty("error").GetProperty("details").TryGetProperty(parameter, out _)));
    }

    /// <summary>An event of now and its delivery, which was tried so often without success; answers the event's id.</summary>
    private static async Task<string> Delivery(WebhookOwner owner, Guid endpoint, int state, int attempts)
    {
        var (world, shard, account) = (owner.World, owner.Account.Account.Shard, owner.Account.Id.Value);
        await owner.SomethingHappens("deposit.received");
        var number = await world.Query<long>("SELECT last FROM event_head WHERE account_id = $1", account);
        await world.Execute("""
            INSERT INTO delivery (shard, account_id, endpoint_id, event_number, lane, state, attempts, tried, due_at, created_at, finished_at)
            VALUES ($1, $2, $3, $4, '', $5, $6, $6, now() + interval '1 day', now(), CASE WHEN $5 <> 1 THEN now() END)
            """, shard, account, endpoint, number, (short)state, attempts);
        await world.Execute("""
            INSERT INTO delivery_attempt (shard, account_id, endpoint_id, event_number, number, at, milliseconds, status, error, excerpt)
            SELECT $1, $2, $3, $4, n, $5, 10 * n, 503, 'status', '<b>busy</b>' FROM generate_series(1, $6) n
            """, shard, account, endpoint, number, _start, attempts);
        return $"evt_{account:N}_{number}";
    }

    private static long Number(string eventId) => long.Parse(eventId.Split('_')[2], System.Globalization.CultureInfo.InvariantCulture);

    private static List<string> Events(Got got) => [.. got.Json.GetProperty("deliveries").EnumerateArray()
        .Where(delivery => delivery.GetProperty("type").GetString() != "endpoint.ping").Select(EventId)];

    private static string EventId(JsonElement delivery) => delivery.GetProperty("event_id").GetString()!;
}
