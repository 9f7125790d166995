using Coffer.Chains;
using Coffer.Server.Chain;

namespace Coffer.Tests.Chains;

/// <summary>What the chain itself calls final, blocks that are forgotten, and where following begins.</summary>
public sealed class FollowFinalityTests(TestCluster cluster) : IAsyncLifetime
{
    private ChainWorld _world = null!;
    private Node _node = null!;
    private long? _finalized;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (_world, _) = await ChainWorld.New(cluster);
        _node = new Node(_world.Chain) { Top = tip => tip with { Finalized = _finalized } };
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task Follow() => _world.Follower.CatchUp(_world.Followed(_node), Ct);

    private Task<Parts> Dai() => _world.Balance(currency: "DAIERC20");

    [Fact]
    public async Task A_deposit_that_waits_for_finality_is_available_when_the_chain_calls_its_block_final_and_not_before()
    {
        await _world.Mine(4);
        await _world.Deposit("one", 500, currency: "DAIERC20");
        await _world.Mine(100);
        _finalized = 4;
        await Follow();
        Assert.Equal(new Parts(0, 500, 0, 500, 0, 0), await Dai());
        _finalized = 5;
        await Follow();
        Assert.Equal(new Parts(500, 0, 0, 500, 0, 0), await Dai());
    }

    [Fact]
    public async Task A_chain_that_calls_nothing_final_has_a_number_of_blocks_instead()
    {
        await _world.Deposit("one", 500, currency: "DAIERC20");
        await _world.Mine(Currency.ConfirmationsWithoutFinality - 1);
        await Follow();
        Assert.Equal(500, (await Dai()).Incoming);
        await _world.Mine(1);
        await Follow();
        Assert.Equal(500, (await Dai()).Available);
    }

    [Fact]
    public async Task What_a_node_on_another_fork_calls_final_confirms_nothing_of_ours()
    {
        await _world.Mine(3);
        await _world.Deposit("one", 500, currency: "DAIERC20");
        await _world.Mine(5);
        _finalized = 0;
        await Follow();
        await _world.Reorg(6);
        await _world.Mine(2);
        _finalized = (await _world.Chain.Tip(Ct)).Height;

        // The node's finality covers the height of our deposit, but its block there is another one.
        var seen = new List<Parts>();
        await using var mortal = _world.Mortal(async at =>
        {
            if (at is "undone" or "confirmed and marked")
                seen.Add(await Dai());
        });
        await mortal.Follower.CatchUp(_world.Followed(_node), Ct);
        Assert.NotEmpty(seen);
        Assert.All(seen, parts => Assert.Equal(0, parts.Available));
        Assert.Equal(default, await Dai());
    }

    [Fact]
    public async Task Blocks_far_below_are_forgotten_except_the_first_and_a_reorg_below_them_stops_the_chain_with_a_sentence()
    {
        for (var i = 0; i < 30; i++)
        {
            await _world.Mine(13);
            await _world.Forgetful.CatchUp(_world.Followed(), Ct);
        }

        var height = (await _world.Chain.Tip(Ct)).Height;
        Assert.Equal(ChainWorld.BlocksKept + 1, await _world.Scalar<long>("SELECT count(*) FROM chain_block"));
        Assert.Equal(0, await _world.Scalar<long>("SELECT min(height) FROM chain_block"));
        Assert.Equal(height - ChainWorld.BlocksKept + 1, await _world.Scalar<long>("SELECT min(height) FROM chain_block WHERE height > 0"));

        await _world.Reorg(ChainWorld.BlocksKept - 1);
        await _world.Forgetful.CatchUp(_world.Followed(), Ct);
        Assert.Equal((await _world.Chain.Tip(Ct)).Hash, (await _world.Db.Cursor(_world.Chain.Id, Ct))!.Hash);

        await _world.Mine(100);
        await _world.Forgetful.CatchUp(_world.Followed(), Ct);
        await _world.Reorg(ChainWorld.BlocksKept + 5);
        var fault = await Assert.ThrowsAsync<ChainFault>(() => _world.Forgetful.CatchUp(_world.Followed(), Ct));
        Assert.False(fault.Retryable);
        Assert.Contains("the lowest that is remembered", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chain_without_a_start_begins_a_little_below_the_tip()
    {
        await _world.Mine(100);
        await _world.Deposit("one", 500);
        await _world.Mine(3);
        await _world.Follower.CatchUp(_world.Followed() with { Start = null }, Ct);
        Assert.Equal(103 - FollowChain.StartBelowTip, await _world.Scalar<long>("SELECT min(height) FROM chain_block"));
        Assert.Equal(500, (await _world.Balance()).Available);
    }

    [Fact]
    public async Task A_chain_that_is_not_yet_at_its_start_is_waited_for()
    {
        await _world.Mine(3);
        await _world.Follower.CatchUp(_world.Followed() with { Start = 5 }, Ct);
        Assert.Null(await _world.Db.Cursor(_world.Chain.Id, Ct));
        await _world.Mine(3);
        await _world.Follower.CatchUp(_world.Followed() with { Start = 5 }, Ct);
        Assert.Equal(6, (await _world.Db.Cursor(_world.Chain.Id, Ct))!.Height);
    }
}
