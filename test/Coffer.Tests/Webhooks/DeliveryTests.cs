using System.Globalization;
using System.Runtime.CompilerServices;
using Coffer.Server.Events;
using Coffer.Server.Webhooks;

namespace Coffer.Tests.Webhooks;

/// <summary>The worker that delivers, turned by hand against real receivers, with a clock that moves only when told.</summary>
public sealed class DeliveryTests(TestCluster cluster)
{
    private static readonly DateTimeOffset _noon = new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTime _time = new(_noon);

    [Fact]
    public async Task Each_event_goes_to_each_endpoint_that_wants_it_once_with_one_id_and_one_body()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var all = await Receiver.Start();
        await using var some = await Receiver.Start();
        await using var worker = world.Worker();
        await world.Endpoint(all.Url);
        await world.Endpoint(some.Url, [EventType.BalanceLow]);
        await world.Tell(3);
        await world.Tell(2, EventType.BalanceLow);
        await DeliveryWorld.Until(worker, () => all.All.Count >= 6 && some.All.Count >= 3);
        // The first of each is its ping.
        Assert.Equal(6, all.All.Count);
        Assert.Equal(3, some.All.Count);
        var low = all.All.Where(one => one.Body.Contains("balance.low", StringComparison.Ordinal)).Select(one => (one.Id, one.Body)).Order();
        Assert.Equal(low, some.All.Where(one => !one.Body.Contains("ping", StringComparison.Ordinal)).Select(one => (one.Id, one.Body)).Order());
        Assert.Equal("""{"type":"balance.low","timestamp":"2026-01-15T12:00:00Z","data":{"n":0}}""", low.First().Body);
        Assert.Equal(9, await world.Scalar<long>("SELECT count(*) FROM delivery WHERE state = 2 AND tried = 1"));
        Assert.Equal(9, await world.Scalar<long>("SELECT count(*) FROM delivery_attempt WHERE status = 204 AND error IS NULL"));
    }

    [Fact]
    public void The_schedule_is_that_of_the_standard_and_the_readme_names_it()
    {
        // Standard Webhooks 1.0.0, "Retry schedule and exponential backoff".
        Assert.Equal(["0 s", "5 s", "5 min", "30 min", "2 h", "5 h", "10 h", "14 h", "20 h", "24 h"], RetrySchedule.Pauses.Select(Words));
        var words = RetrySchedule.Pauses.Skip(1).Select(Words).ToList();
        var sentence = $"after {string.Join(", ", words[..^1])} and {words[^1]} (each ± {RetrySchedule.Jitter * 100:F0} %)";
        Assert.Contains(sentence, File.ReadAllText(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "..", "README.md")), StringComparison.Ordinal);

        static string Words(TimeSpan pause) => pause < TimeSpan.FromMinutes(1) ? $"{pause.TotalSeconds} s"
            : pause < TimeSpan.FromHours(1) ? $"{pause.TotalMinutes} min" : $"{pause.TotalHours} h";
    }

    [Fact]
    public async Task A_failing_delivery_is_tried_on_the_schedule_with_jitter_and_then_given_up()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        receiver.Says(500);
        await using var worker = world.Worker();
        await world.Endpoint(receiver.Url, [EventType.BalanceLow]);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1);
        var pauses = new List<TimeSpan>();
        for (var attempt = 2; attempt <= RetrySchedule.Pauses.Count; attempt++)
        {
            var next = await world.Scalar<DateTime>("SELECT due_at FROM delivery");
            var pause = next - _time.Now.UtcDateTime;
            Assert.InRange(pause / RetrySchedule.Pauses[attempt - 1], 1 - RetrySchedule.Jitter, 1 + RetrySchedule.Jitter);
            pauses.Add(pause / RetrySchedule.Pauses[attempt - 1] * TimeSpan.FromSeconds(1));
            _time.Now = new DateTimeOffset(next, TimeSpan.Zero).AddMilliseconds(-1);
            await Look(worker);
            Assert.Equal(attempt - 1, receiver.All.Count);
            _time.Now = _time.Now.AddMilliseconds(1);
            await DeliveryWorld.Until(worker, () => receiver.All.Count == attempt);
        }

        Assert.True(pauses.Distinct().Count() > 1, "There is no jitter.");
        Assert.Equal("3 10", await world.Scalar<string>("SELECT state || ' ' || tried FROM delivery"));
        _time.Now = _time.Now.AddDays(30);
        await Look(worker);
        Assert.Equal(10, receiver.All.Count);
        // Across attempts id and body stay, the time of the attempt moves.
        Assert.Single(receiver.All.Select(one => (one.Id, one.Body)).Distinct());
        Assert.Equal(10, receiver.All.Select(one => one.Timestamp).Distinct().Count());
        Assert.Equal(_noon.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), receiver.All[0].Timestamp);
    }

    [Fact]
    public async Task A_receiver_that_was_down_for_a_day_gets_everything_in_the_order_of_due_times()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        await using var worker = world.Worker();
        await world.Endpoint(receiver.Url);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1);
        receiver.Says(500);
        for (var hour = 0; hour < 24; hour++)
        {
            await world.Tell(2);
            await Look(worker);
            _time.Now = _time.Now.AddHours(1);
            await Look(worker);
        }

        receiver.Says(200);
        var before = receiver.All.Count;
        for (var i = 0; i < 48 && await world.Scalar<long>("SELECT count(*) FROM delivery WHERE state = 1") > 0; i++)
        {
            _time.Now = _time.Now.AddHours(1);
            await Look(worker);
        }

        var got = receiver.All.Skip(before).ToList();
        Assert.Equal(48, got.Count);
        Assert.Equal(48, got.Select(one => one.Id).Distinct().Count());
        Assert.Equal(49, await world.Scalar<long>("SELECT count(*) FROM delivery WHERE state = 2"));
        var late = await world.Scalar<long>("""
            SELECT count(*) FROM (SELECT a.at, lag(a.at) OVER (ORDER BY p.next_at, a.event_number) AS earlier
                FROM delivery_attempt a JOIN delivery_attempt p USING (shard, account_id, endpoint_id, event_number)
                WHERE a.error IS NULL AND p.number = a.number - 1) o WHERE at < earlier
            """);
        Assert.Equal(0, late);
    }

    [Fact]
    public async Task Gone_disables_at_once_and_the_others_are_told()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var leaving = await Receiver.Start();
        await using var other = await Receiver.Start();
        leaving.Says(410);
        await using var worker = world.Worker();
        await world.Endpoint(leaving.Url);
        await world.Endpoint(other.Url, [EventType.EndpointDisabled]);
        await DeliveryWorld.Until(worker, () => other.All.Any(one => one.Body.Contains("endpoint.disabled", StringComparison.Ordinal)));
        Assert.Single(leaving.All);
        Assert.Contains("\"reason\":\"gone\"", other.All[^1].Body, StringComparison.Ordinal);
        await world.Tell(5);
        await Look(worker);
        Assert.Single(leaving.All);
        Assert.Equal("4 gone", await world.Scalar<string>("SELECT state || ' ' || state_reason FROM webhook_endpoint WHERE state_reason IS NOT NULL"));
    }

    [Fact]
    public async Task Five_days_of_nothing_but_failures_disable_and_one_success_in_between_does_not()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        await using var worker = world.Worker();
        await world.Endpoint(receiver.Url);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1);
        foreach (var (days, says) in ((int, int)[])[(4, 500), (0, 200), (4, 500)])
        {
            receiver.Says(says);
            for (var hour = 0; hour <= days * 24; hour++)
            {
                await world.Tell(1);
                await Look(worker);
                _time.Now = _time.Now.AddHours(1);
            }

            Assert.Equal(2, await world.Scalar<short>("SELECT state FROM webhook_endpoint"));
        }

        for (var hour = 0; hour <= 24; hour++)
        {
            await world.Tell(1);
            await Look(worker);
            _time.Now = _time.Now.AddHours(1);
        }

        Assert.Equal("4 failing", await world.Scalar<string>("SELECT state || ' ' || state_reason FROM webhook_endpoint"));
        Assert.Equal(1, await world.Scalar<long>("SELECT count(*) FROM event WHERE type = 'endpoint.disabled'"));
    }

    [Theory]
    [InlineData(429, null, 60)]
    [InlineData(503, "300", 300)]
    [InlineData(502, "999999", 3600)]
    public async Task An_overloaded_receiver_gets_the_pause_that_it_asks_for(int status, string? retryAfter, int seconds)
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        await using var worker = world.Worker();
        await world.Endpoint(receiver.Url);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1);
        receiver.Says(status, retryAfter is null ? [] : [("Retry-After", retryAfter)]);
        await world.Tell(1);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 2);
        receiver.Says(200);
        await world.Tell(10);
        _time.Now = _time.Now.AddSeconds(seconds - 1);
        await Look(worker);
        Assert.Equal(2, receiver.All.Count);
        _time.Now = _time.Now.AddSeconds(2);
        await DeliveryWorld.Until(worker, () => receiver.All.Count >= 13);
    }

    [Fact]
    public async Task Nothing_but_pings_before_a_ping_was_answered_and_everything_after_it()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        receiver.Says(500);
        await using var worker = world.Worker();
        await world.Endpoint(receiver.Url, state: EndpointState.Pending);
        await world.Tell(4);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1);
        Assert.Equal(1, await world.Scalar<short>("SELECT state FROM webhook_endpoint"));
        receiver.Says(204);
        _time.Now = _time.Now.AddSeconds(6);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 6);
        Assert.All(receiver.All.Take(2), one => Assert.Contains("endpoint.ping", one.Body, StringComparison.Ordinal));
        Assert.Equal(2, await world.Scalar<short>("SELECT state FROM webhook_endpoint"));
        Assert.Equal(4, receiver.All.Skip(2).Select(one => one.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_receiver_that_hangs_holds_only_its_own_places()
    {
        await using var world = await DeliveryWorld.Start(cluster);
        await using var dead = await Receiver.Start();
        await using var alive = await Receiver.Start();
        var end = new TaskCompletionSource();
        dead.Answer = (_, _) => end.Task;
        await using var worker = world.Worker();
        await world.Endpoint(dead.Url);
        await world.Endpoint(alive.Url);
        await world.Tell(300);
        for (var waiting = System.Diagnostics.Stopwatch.StartNew(); alive.All.Count < 301; await worker.Turn(TestContext.Current.CancellationToken))
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(10), $"{alive.All.Count} arrived.");
        Assert.InRange(dead.All.Count, 1, DeliverEvents.LanePlaces);
        end.SetResult();
    }

    // A look that does not wait for the bell: as the loop does by itself after a while.
    private static async Task Look(DeliverEvents worker)
    {
        worker.LookNow();
        await DeliveryWorld.Settle(worker);
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
