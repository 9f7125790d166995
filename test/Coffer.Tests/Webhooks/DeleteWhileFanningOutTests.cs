using Coffer.Server.Webhooks;

namespace Coffer.Tests.Webhooks;

/// <summary>An endpoint that is deleted while the worker makes its deliveries leaves none behind, which nobody would ever send.</summary>
public sealed class DeleteWhileFanningOutTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(EndpointState.Pending)]
    [InlineData(EndpointState.Enabled)]
    public async Task Nothing_is_left_of_an_endpoint_that_is_deleted_while_its_deliveries_are_made(object state)
    {
        await using var world = await DeliveryWorld.Start(cluster);
        var key = await world.Endpoint("https://example.com/hooks", state: (EndpointState)state);
        await world.Tell(3);
        await world.Db.Transaction((tx, ct) => tx.StartProgress(ct), Ct);
        await world.Db.Transaction(async (tx, ct) =>
        {
            Assert.True(await tx.DeleteEndpoint(key, ct));
            await tx.DropDeliveries(key, ct);
            // Another server, which cannot see yet that it is deleted.
            await world.Db.Transaction(async (other, token) =>
            {
                await other.FanOutPings(world.Time.GetUtcNow(), token);
                await other.FanOut(null, 10, 10, world.Time.GetUtcNow(), token);
            }, ct);
        }, Ct);
        Assert.Equal(0L, await world.Scalar<long>("SELECT (SELECT count(*) FROM delivery) + (SELECT count(*) FROM webhook_progress)"));
    }
}
