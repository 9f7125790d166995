using System.Diagnostics;
using System.Globalization;
using Coffer.Chains;
using Coffer.Server.Chain;

namespace Coffer.Tests.Chains;

/// <summary>Long ways, full blocks and many addresses.</summary>
public sealed class FollowLoadTests(TestCluster cluster) : IAsyncLifetime
{
    private const long MegaByte = 1 << 20;
    private ChainWorld _world = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => (_world, _) = await ChainWorld.New(cluster);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Memory_stays_flat_over_100_000_blocks()
    {
        const int blocks = 100_000;
        long early = 0, late = 0;
        var chain = new LongChain(blocks, at => [.. Enumerable.Range(0, 5).Select(n => Transfer(at, n, $"stranger{at}/{n}", 7)),
            .. at % 1_000 == 0 ? [Transfer(at, 5, ChainWorld.Address, 10)] : Array.Empty<ChainTransfer>()]);
        var added = 0;
        await using var measuring = _world.Mortal(at =>
        {
            added += at == "added" ? 1 : 0;
            if (at == "added" && added == blocks / FollowChain.BlocksMax / 5)
                early = GC.GetTotalMemory(forceFullCollection: true);
            if (at == "added" && added == blocks / FollowChain.BlocksMax)
                late = GC.GetTotalMemory(forceFullCollection: true);
            return Task.CompletedTask;
        });
        var watch = Stopwatch.StartNew();
        await measuring.Follower.CatchUp(Followed(chain), Ct);
        TestContext.Current.SendDiagnosticMessage($"{blocks / watch.Elapsed.TotalSeconds:F0} blocks/s, {early} then {late} bytes");
        Assert.True(early > 0 && late - early < 2 * MegaByte, $"{early} bytes after a fifth, {late} at the end");
        Assert.Equal(blocks / 1_000 * 10, (await _world.Balance()).Deposited);
        Assert.Equal(blocks, (await _world.Db.Cursor("long", Ct))!.Height);
    }

    [Fact]
    public async Task A_block_with_1000_deposits_is_credited_in_few_batches()
    {
        var chain = new LongChain(10, at => at != 3 ? [] : [.. Enumerable.Range(0, 1_000).Select(n => Transfer(at, n,
            n % 2 == 0 ? ChainWorld.Address : ChainWorld.OtherAddress, 10))]);
        await _world.Follower.CatchUp(Followed(chain), Ct);
        Assert.Equal(5_000, (await _world.Balance()).Available);
        Assert.Equal(5_000, (await _world.Balance(ChainWorld.Other)).Available);
        Assert.Equal(2_000, await _world.Scalar<long>("SELECT count(*) FROM posting"));
        // A batch is one transaction, and all of its postings were recorded at one moment.
        Assert.InRange(await _world.Scalar<long>("SELECT count(DISTINCT recorded_at) FROM posting"), 2, 8);
    }

    [Fact]
    public async Task An_outage_longer_than_any_batch_with_a_node_that_fails_in_between_skips_nothing()
    {
        const int blocks = (5 * FollowChain.BlocksMax) + 1;
        var chain = new LongChain(blocks, at => at == 0 ? [] : [Transfer(at, 0, ChainWorld.Address, 10)]);
        var calls = 0;
        var node = new Node(chain) { Answer = found => ++calls % 3 == 0 ? throw new ChainFault("away", retryable: true) : found };
        var faults = 0;
        while (await _world.Db.Cursor("long", Ct) is not { Height: blocks })
        {
            var before = await _world.Db.Cursor("long", Ct);
            try
            {
                await _world.Follower.CatchUp(Followed(node), Ct);
            }
            catch (ChainFault)
            {
                Assert.InRange(++faults, 1, 20);
            }

            var after = await _world.Db.Cursor("long", Ct);
            Assert.True((after?.Height ?? 0) >= (before?.Height ?? 0));
            Assert.Equal((after?.Height ?? -1) + 1, await _world.Scalar<long>("SELECT count(*) FROM chain_block"));
        }

        Assert.True(faults > 0);
        await _world.Follower.CatchUp(Followed(chain), Ct);
        Assert.Equal(blocks * 10, (await _world.Balance()).Deposited);
        Assert.Equal(blocks, await _world.Scalar<long>("SELECT count(*) FROM movement"));
    }

    [Fact]
    public async Task Looking_at_the_same_transaction_a_hundred_times_credits_it_once()
    {
        var chain = new LongChain(5, at => at != 3 ? [] : [Transfer(at, 0, ChainWorld.Address, 10)]);
        var node = new Node(chain) { Top = tip => tip with { Hash = "a tip that is looked at anew" } };
        for (var i = 0; i < 100; i++)
            await _world.Follower.CatchUp(Followed(node), Ct);
        Assert.Equal(new Parts(10, 0, 0, 10, 0, 0), await _world.Balance());
        Assert.Equal(2, await _world.Scalar<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task A_node_below_the_height_that_it_advertises_is_waited_for()
    {
        var chain = new LongChain(5, at => at == 5 ? [Transfer(at, 0, ChainWorld.Address, 10)] : []);
        var behind = new Node(chain) { Answer = found => [.. found.Where(block => block.Height < 5)] };
        await _world.Follower.CatchUp(Followed(behind), Ct);
        Assert.Equal(4, (await _world.Db.Cursor("long", Ct))!.Height);
        await _world.Follower.CatchUp(Followed(chain), Ct);
        Assert.Equal(10, (await _world.Balance()).Incoming);
    }

    private FollowedChain Followed(IChain chain) => _world.Followed() with { Chain = chain };

    private static ChainTransfer Transfer(long at, int n, string address, int amount) => new(
        string.Create(CultureInfo.InvariantCulture, $"{at:x32}{n:x32}"), TransferKind.Token, 0, address, "USDTERC20", amount);
}
