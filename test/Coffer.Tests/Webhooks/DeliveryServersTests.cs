using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Coffer.Server.Sql;
using Coffer.Server.Webhooks;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coffer.Tests.Webhooks;

/// <summary>Several servers on one database, and what happens beside an attempt that is under way.</summary>
public sealed class DeliveryServersTests(TestCluster cluster)
{
    private readonly FakeTime _time = new(new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero));
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_servers_share_the_work_and_nothing_arrives_twice()
    {
        const int endpoints = 3, told = 300;
        await using var world = await DeliveryWorld.Start(cluster);
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, _) => Task.Delay(5);
        for (var i = 0; i < endpoints; i++)
            await world.Endpoint($"{receiver.Url}/{i}");
        // Databases of their own: no bell of the teller rings in either.
        await using var firstDb = new Db(world.Database, TimeProvider.System);
        await using var secondDb = new Db(world.Database, TimeProvider.System);
        var sent = new ConcurrentQueue<int>();
        await using var first = world.Worker(db: firstDb, at: point => Sent(point, 1));
        await using var second = world.Worker(db: secondDb, at: point => Sent(point, 2));
        first.Start();
        second.Start();
        for (var i = 0; i < told / 10; i++)
            await world.Tell(10);
        for (var waiting = Stopwatch.StartNew(); await world.Scalar<long>("SELECT count(*) FROM delivery WHERE state = 2") < endpoints * (told + 1);)
        {
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(30), $"{receiver.All.Count} arrived.");
            await Task.Delay(20, Ct);
        }

        Assert.Equal(endpoints * (told + 1), receiver.All.Select(one => (one.Path, one.Id)).Distinct().Count());
        Assert.Equal(endpoints * (told + 1), receiver.All.Count);
        Assert.Equal([1, 2], sent.Distinct().Order());

        void Sent(string point, int server)
        {
            if (point == "sent")
                sent.Enqueue(server);
        }
    }

    [Fact]
    public async Task A_server_that_slept_past_its_lease_takes_nothing_back()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        await using var sleepy = world.Worker();
        await using var other = world.Worker();
        var woken = Hold(receiver, StatusCodes.Status500InternalServerError);
        await world.Endpoint(receiver.Url);
        await Arrived(sleepy, receiver, 1);
        _time.Now += DeliverEvents.LeaseDefault + TimeSpan.FromSeconds(1);
        other.LookNow();
        await DeliveryWorld.Until(other, () => receiver.All.Count == 2);
        woken.SetResult();
        await DeliveryWorld.Settle(sleepy);
        Assert.Single(receiver.All.Select(one => one.Id).Distinct());
        Assert.Equal("2 1", await world.Scalar<string>("SELECT state || ' ' || tried FROM delivery"));
    }

    [Fact]
    public async Task What_is_sent_again_by_hand_begins_anew_though_its_last_attempt_is_just_failing()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        await using var worker = world.Worker();
        var endpoint = await world.Endpoint(receiver.Url);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1);
        receiver.Says(500);
        await world.Tell(1);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 2);
        await world.Scalar<int>("UPDATE delivery SET attempts = 9, tried = 9 WHERE state = 1");
        _time.Now += TimeSpan.FromMinutes(1);
        var ended = Hold(receiver, StatusCodes.Status500InternalServerError);
        await Arrived(worker, receiver, 3);
        _time.Now += TimeSpan.FromSeconds(1);
        Assert.True(await world.Db.Transaction((tx, ct) => tx.Resend(endpoint, 2, _time.Now, ct), Ct));
        ended.SetResult();
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 4);
        Assert.Equal("2 1", await world.Scalar<string>("SELECT state || ' ' || attempts FROM delivery WHERE event_number = 2"));
    }

    [Fact]
    public async Task A_pause_that_was_asked_for_holds_for_what_was_leased_and_for_a_success_beside_it()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        await using var worker = world.Worker();
        await world.Endpoint(receiver.Url);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1);
        receiver.Says(500);
        await world.Tell(1);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 2);
        var asked = 0;
        receiver.Answer = async (_, http) =>
        {
            if (Interlocked.Increment(ref asked) == 1)
            {
                for (var waiting = Stopwatch.StartNew(); Volatile.Read(ref asked) < DeliverEvents.FailingPlaces && waiting.Elapsed.TotalSeconds < 5;)
                    await Task.Delay(5);
                http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                http.Response.Headers.RetryAfter = "300";
            }
            else
            {
                // After the one that asks for a pause.
                await Task.Delay(300);
            }
        };
        await world.Tell(20);
        _time.Now += TimeSpan.FromSeconds(6);
        await Look(worker);
        Assert.Equal(2 + DeliverEvents.FailingPlaces, receiver.All.Count);
        _time.Now += TimeSpan.FromSeconds(299);
        await Look(worker);
        Assert.Equal(2 + DeliverEvents.FailingPlaces, receiver.All.Count);
        _time.Now += TimeSpan.FromSeconds(2);
        await Look(worker);
        Assert.Equal(22, receiver.All.Select(one => one.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_server_without_the_keys_says_so_once_and_leaves_the_work_to_one_that_has_them()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        var log = new CountingLog();
        await using var keyless = world.Worker(log: log,
            secrets: new EndpointSecrets(new EphemeralDataProtectionProvider(), RandomNumberGenerator.Fill));
        await using var other = world.Worker();
        await world.Endpoint(receiver.Url);
        await world.Tell(200);
        await Look(keyless);
        Assert.Empty(receiver.All);
        // At most by each of those that were at it together.
        Assert.InRange(log.Count, 1, DeliverEvents.LanePlaces);
        var said = log.Count;
        await Look(keyless);
        Assert.Equal(said, log.Count);
        await Look(other);
        Assert.Equal(201, receiver.All.Count);
        Assert.Equal(201, await world.Scalar<long>("SELECT count(*) FROM delivery WHERE state = 2 AND tried = 1"));
    }

    [Fact]
    public async Task While_the_database_is_away_the_loop_waits_longer_each_time()
    {
        await using var world = await DeliveryWorld.Start(cluster);
        await using var away = new Db("Host=127.0.0.1;Port=1;Username=nobody;Database=none;Timeout=2", TimeProvider.System);
        var time = new HastyTime();
        await using (var worker = world.Worker(time: time, db: away))
        {
            worker.Start();
            for (var waiting = Stopwatch.StartNew(); time.Pauses.Count < 8; await Task.Delay(10, Ct))
                Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(30), $"It paused {time.Pauses.Count} times.");
        }

        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30], time.Pauses.Take(8).Select(pause => pause.TotalSeconds));
    }

    [Fact]
    public async Task What_ended_long_ago_is_deleted_and_what_waits_or_is_recent_stays()
    {
        await using var world = await DeliveryWorld.Start(cluster, _time);
        await using var receiver = await Receiver.Start();
        await using var pending = await Receiver.Start();
        await using var worker = world.Worker();
        await world.Endpoint(receiver.Url);
        await world.Tell(2 * DeleteDeliveries.OfEndpoint);
        pending.Says(500);
        await world.Endpoint(pending.Url, state: EndpointState.Pending);
        await DeliveryWorld.Until(worker, () => receiver.All.Count == 1 + (2 * DeleteDeliveries.OfEndpoint) && pending.All.Count == 1);
        await world.Scalar<int>("UPDATE delivery SET state = 3, finished_at = due_at WHERE state = 1");
        _time.Now += DeleteDeliveries.KeptFor - TimeSpan.FromMinutes(1);
        await world.Tell(1);
        receiver.Says(500);
        await Look(worker);
        var before = await world.Scalar<long>("SELECT count(*) FROM delivery_attempt");
        await new DeleteDeliveries(world.Db, _time).Run(Ct);
        Assert.Equal(before, await world.Scalar<long>("SELECT count(*) FROM delivery_attempt"));
        _time.Now += TimeSpan.FromMinutes(2);
        await new DeleteDeliveries(world.Db, _time).Run(Ct);
        // What waits, and the ping of an endpoint that has not answered: else it would be pinged again.
        Assert.Equal("1,3", await world.Scalar<string>("SELECT string_agg(state::text, ',' ORDER BY state) FROM delivery"));
        Assert.Equal(2, await world.Scalar<long>("SELECT count(*) FROM delivery_attempt"));
        await Look(worker);
        Assert.Single(pending.All);
        Assert.Equal(203, await world.Scalar<long>("SELECT count(*) FROM event"));
    }

    /// <summary>Lets the next request wait; it is answered with this status when the result is set. Those after it are answered with 200.</summary>
    private static TaskCompletionSource Hold(Receiver receiver, int status)
    {
        var (end, asked) = (new TaskCompletionSource(), 0);
        receiver.Answer = async (_, http) =>
        {
            if (Interlocked.Increment(ref asked) > 1)
                return;
            await end.Task;
            http.Response.StatusCode = status;
        };
        return end;
    }

    /// <summary>Turns the worker until so many have arrived; they may still be waiting for their answers.</summary>
    private static async Task Arrived(DeliverEvents worker, Receiver receiver, int count)
    {
        for (var waiting = Stopwatch.StartNew(); receiver.All.Count < count; await Task.Delay(5))
        {
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(10), "It did not arrive.");
            await worker.Turn(default);
        }
    }

    private static async Task Look(DeliverEvents worker)
    {
        worker.LookNow();
        await DeliveryWorld.Settle(worker);
    }

    /// <summary>A clock whose timers end at once and are remembered.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public ConcurrentQueue<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    private sealed class CountingLog : ILogger
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Interlocked.Increment(ref _count);
    }
}
