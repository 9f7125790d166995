using Coffer.Chains;
using Coffer.Server.Chain;
using Coffer.Server.Host;

namespace Coffer.Tests.Chains;

public sealed class RescanTests(TestCluster cluster) : IAsyncLifetime
{
    private ChainWorld _world = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => (_world, _) = await ChainWorld.New(cluster);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task<Rescanned> Rescan(long from, FollowedChain? followed = null) =>
        new RescanChain(_world.Db, _world.Follower).Run(followed ?? _world.Followed(), from, Ct);

    [Fact]
    public async Task What_a_node_did_not_tell_is_added_over_many_blocks_and_what_was_credited_is_not_touched()
    {
        var hidden = new Node(_world.Chain)
        {
            Answer = blocks => [.. blocks.Select(block => block with { Transfers = [.. block.Transfers.Where(t => t.Amount % 2 == 0)] })],
        };
        for (var i = 0; i < 40; i++)
        {
            await _world.Deposit($"{i}", 100 + i);
            await _world.Mine(1 + (i % 23));
        }

        await _world.Follower.CatchUp(_world.Followed(hidden), Ct);
        Assert.NotEqual(await _world.Expected(ChainWorld.Wallet, ChainWorld.Tether), await _world.Balance());
        var rows = await _world.Scalar<string>("SELECT string_agg(d::text, ',' ORDER BY tx_id) FROM chain_deposit d WHERE amount % 2 = 0");
        var done = await Rescan(0);
        Assert.Equal((40, 20, 0), (done.Payments, done.Added, done.Credited));
        Assert.Equal(await _world.Expected(ChainWorld.Wallet, ChainWorld.Tether), await _world.Balance());
        Assert.Equal(rows, await _world.Scalar<string>(
            "SELECT string_agg(d::text, ',' ORDER BY tx_id) FROM chain_deposit d WHERE amount % 2 = 0"));
        Assert.Equal((40, 0, 0), await Rescan(0) is var again ? (again.Payments, again.Added, again.Credited) : default);
        Assert.Equal(40, await _world.Scalar<long>("SELECT count(*) FROM movement"));
    }

    [Fact]
    public async Task A_currency_that_is_known_by_now_and_a_minimum_that_is_lower_are_credited()
    {
        await _world.Deposit("new", 500, currency: "NEWCOIN");
        await _world.Deposit("dust", 9);
        await _world.Deposit("huge", Int128.MaxValue);
        await _world.Mine(4);
        await _world.Follow();
        Assert.Equal(3, await _world.Scalar<long>("SELECT count(*) FROM chain_deposit WHERE reason IS NOT NULL"));
        var followed = _world.Followed() with
        {
            CurrencyOf = transfer => transfer.Asset == "NEWCOIN" ? ChainWorld.Ether : ChainWorld.Tether with { DepositMinimum = 1 },
        };
        var done = await Rescan(0, followed);
        Assert.Equal((3, 0, 2), (done.Payments, done.Added, done.Credited));
        Assert.Equal(new Parts(9, 0, 0, 9, 0, 0), await _world.Balance());
        Assert.Equal(new Parts(0, 500, 0, 500, 0, 0), await _world.Balance(currency: "ETH"));
        Assert.Equal("amount_too_large", await _world.Scalar<string>("SELECT reason FROM chain_deposit WHERE reason IS NOT NULL"));

        // From now on they are like any other: a reorg takes them back.
        await _world.Reorg(4);
        await _world.Follow();
        Assert.Equal(default, await _world.Balance());
        Assert.Equal(default, await _world.Balance(currency: "ETH"));
    }

    [Fact]
    public async Task Blocks_below_the_first_that_was_followed_are_read_and_their_payments_credited_once()
    {
        await _world.Deposit("early", 500);
        await _world.Mine(50);
        await _world.Follower.CatchUp(_world.Followed() with { Start = 30 }, Ct);
        Assert.Equal(default, await _world.Balance());
        Assert.Equal(1, (await Rescan(0)).Added);
        Assert.Equal(0, (await Rescan(0)).Added);
        Assert.Equal(500, (await _world.Balance()).Available);
        Assert.Equal(30, await _world.Scalar<long>("SELECT min(height) FROM chain_block"));
    }

    [Fact]
    public async Task Blocks_that_are_not_those_that_were_followed_are_refused_before_anything_is_written()
    {
        await _world.Mine(20);
        await _world.Follow();
        var liar = new Node(_world.Chain)
        {
            Answer = blocks => [.. blocks.Select(block => block.Height != 7 ? block : block with
            {
                Hash = "another",
                Transfers = [new ChainTransfer("lie", TransferKind.Token, 0, ChainWorld.Address, "USDTERC20", 1_000)],
            })],
        };
        var fault = await Assert.ThrowsAsync<ChainFault>(() => Rescan(0, _world.Followed(liar)));
        Assert.Contains("block 7 is not the one that was followed", fault.Message, StringComparison.Ordinal);
        var empty = new Node(_world.Chain) { Answer = _ => [] };
        await Assert.ThrowsAsync<ChainFault>(() => Rescan(0, _world.Followed(empty)));
        Assert.Equal(0, await _world.Scalar<long>("SELECT count(*) FROM chain_deposit"));
        await Assert.ThrowsAsync<SetupFailure>(() => Rescan(21));
    }

    [Fact]
    public async Task Blocks_that_were_undone_while_they_were_read_give_nothing()
    {
        await _world.Mine(5);
        await _world.Deposit("gone", 500);
        await _world.Mine(3);
        await _world.Follow();
        var reads = 0;
        var node = new Node(_world.Chain)
        {
            Answer = blocks =>
            {
                if (++reads == 1)
                    Task.Run(async () =>
                    {
                        await _world.Reorg(4);
                        await _world.Follow();
                    }).Wait(Ct);
                return blocks;
            },
        };
        Assert.Equal((9, 0, 0), await Rescan(0, _world.Followed(node)) is var done ? (done.To, done.Payments, done.Added) : default);
        Assert.Equal(default, await _world.Balance());
    }

    [Fact]
    public async Task Beside_a_follower_that_undoes_blocks_it_starts_over_and_nothing_counts_twice()
    {
        var random = new Random(5);
        for (var round = 0; round < 12; round++)
        {
            for (var i = 0; i < 5; i++)
                await _world.Deposit($"{round}/{i}", 10 + i);
            await _world.Mine(3);
            await _world.Follow();
            await _world.Reorg(1 + random.Next(6), returned: round % 2 == 0);
            await Task.WhenAll(_world.Follow(), Tolerant(), Tolerant());
            await _world.Follow();
            Assert.Equal(await _world.Expected(ChainWorld.Wallet, ChainWorld.Tether), await _world.Balance());
        }

        async Task Tolerant()
        {
            try
            {
                await Rescan(0);
            }
            catch (ChainFault)
            {
                // The node has left the blocks that are followed still.
            }
        }
    }
}
