using Coffer.Server.Webhooks;

namespace Coffer.Tests.Webhooks;

/// <summary>kill -9 at every named step of the worker that delivers, two servers at a time: every event arrives, a second time only as itself.</summary>
public sealed class DeliverUnderFireTests(TestCluster cluster)
{
    private const int Deaths = 200, ServersAtOnce = 2, NewEachTime = 10, TriesMax = 2 * Deaths;

    private static readonly TimeSpan _round = DeliverEvents.LeaseDefault + TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Killed_two_hundred_times_at_its_steps_the_worker_loses_no_event_and_repeats_only_under_the_same_id()
    {
        await using var world = await DeliveryWorld.Start(cluster);
        await using var receiver = await Receiver.Start();
        await using var grumpy = await Receiver.Start();
        var random = new Random(20_26);
        grumpy.Answer = (_, http) =>
        {
            lock (random)
                http.Response.StatusCode = random.Next(4) == 0 ? 500 : 200;
            return Task.CompletedTask;
        };
        await world.Endpoint(receiver.Url);
        await world.Endpoint(grumpy.Url);
        var deaths = DeliverEvents.Points.ToDictionary(point => point, _ => 0);
        var told = 0;
        for (var tries = 0; deaths.Values.Sum() < Deaths; tries++)
        {
            Assert.True(tries < TriesMax, string.Join(", ", deaths));
            await world.Tell(NewEachTime);
            told += NewEachTime;
            // Leases of the dead are over in the next round.
            var ahead = _round * tries;
            string[] points = [.. deaths.OrderBy(one => one.Value).Take(ServersAtOnce).Select(one => one.Key)];
            int[] times;
            lock (random)
                times = [.. points.Select(_ => 1 + random.Next(4))];
            var died = await Task.WhenAll(points.Select((point, i) => MortalDeliverer.Deliver(world.Database, world.Keys, ahead, point, times[i])));
            for (var i = 0; i < points.Length; i++)
                deaths[points[i]] += died[i] ? 1 : 0;
        }

        // What has failed waits for hours by then; this worker comes after them.
        await using var last = world.Worker(time: new ShiftedTime(TimeSpan.FromDays(4)));
        for (var looks = 0; await world.Scalar<long>("SELECT count(*) FROM delivery WHERE state = 1") > 0; looks++)
        {
            Assert.True(looks < 20, "It does not come to an end.");
            grumpy.Says(200);
            last.LookNow();
            await DeliveryWorld.Settle(last);
        }

        Assert.DoesNotContain(0, deaths.Values);
        foreach (var one in (Receiver[])[receiver, grumpy])
        {
            var byId = one.All.GroupBy(got => got.Id).ToList();
            // The ping too.
            Assert.Equal(told + 1, byId.Count);
            Assert.All(byId, same => Assert.Single(same.Select(got => got.Body).Distinct()));
        }

        Assert.Equal(2 * (told + 1), await world.Scalar<long>("SELECT count(*) FROM delivery WHERE state = 2"));
        Assert.Equal(0, await world.Scalar<long>("""
            SELECT count(*) FROM delivery d WHERE tried <> (SELECT count(*) FROM delivery_attempt a WHERE a.shard = d.shard
                AND a.account_id = d.account_id AND a.endpoint_id = d.endpoint_id AND a.event_number = d.event_number)
            """));
    }
}
