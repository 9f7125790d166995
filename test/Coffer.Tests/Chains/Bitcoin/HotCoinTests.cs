using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Withdrawals;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>The coins of the hot wallet are those of the canonical chain, whatever the chain does and however often it is read.</summary>
public sealed class HotCoinTests(TestCluster cluster, SharedBcoin shared) : IClassFixture<SharedBcoin>
{
    private static readonly HotAddresses Hot = HotKeys.Addresses;
    private readonly Bcoin bcoin = shared.Node;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void The_addresses_are_those_of_BIP84()
    {
        const string zpub =
            "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
        var hot = new HotAddresses(zpub, BitcoinNetwork.Main);
        Assert.Equal(("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "0/0"), (hot.First.Address, hot.First.Path));
        Assert.Equal("0/1", hot.Find("bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g")!.Path);
        Assert.Equal("1/0", hot.Find("bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el")!.Path);
        Assert.Equal(hot.Change(3), hot.Change(3 + HotAddresses.ChangeCount));
        Assert.Null(hot.Find("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"));
        Assert.Throws<KeyFault>(() => new HotAddresses(zpub, BitcoinNetwork.Regtest));
    }

    [Fact]
    public async Task Coins_come_and_go_with_their_blocks_and_are_free_when_they_are_deep_enough()
    {
        await using var wallet = await Wallet();
        var change = Hot.Change(7);

        // To an address to fund it, to one for change, and to somebody who is none of ours.
        var txId = await bcoin.MinePayment((Hot.First.Address, 500_000), (await bcoin.Key(), 1_000), (change.Address, 70_000));
        await wallet.Follow();
        HotCoin[] both = [new(txId, 0, Hot.First.Address, "0/0", 500_000), new(txId, 2, change.Address, "1/7", 70_000)];
        Assert.Equal(both, await wallet.World.Db.UnspentHotCoins("bitcoin", Ct));
        Assert.Empty(await wallet.World.Db.FreeHotCoins("bitcoin", Ct));
        await bcoin.Mine(HotCoinSql.DepthOfOthers - 1);
        await wallet.Follow();
        Assert.Equal(both, await wallet.World.Db.FreeHotCoins("bitcoin", Ct));

        // A reorg takes them away; another block brings them back.
        await bcoin.Reorg(HotCoinSql.DepthOfOthers);
        await wallet.Follow();
        Assert.Empty(await wallet.World.Db.UnspentHotCoins("bitcoin", Ct));
        await bcoin.Mine(HotCoinSql.DepthOfOthers);
        await wallet.Follow();
        Assert.Equal(both, await wallet.World.Db.FreeHotCoins("bitcoin", Ct));
    }

    [Fact]
    public async Task A_rescan_finds_coins_from_before_and_changes_nothing_the_second_time()
    {
        var txId = await bcoin.MinePayment((Hot.First.Address, 12_345));
        await bcoin.Mine(2);
        await using var wallet = await Wallet();
        Assert.Empty(await wallet.World.Db.UnspentHotCoins("bitcoin", Ct));
        for (var time = 0; time < 2; time++)
        {
            await new RescanChain(wallet.World.Db, wallet.Follower).Run(wallet.Followed, await bcoin.Height() - 4, Ct);
            Assert.Equal(txId, Assert.Single(await wallet.World.Db.FreeHotCoins("bitcoin", Ct)).TxId);
        }
    }

    [Fact]
    public async Task A_locked_coin_is_no_other_payouts_and_a_lock_that_fails_takes_nothing()
    {
        await using var wallet = await Wallet();
        await bcoin.MinePayment((Hot.First.Address, 500_000), (Hot.First.Address, 600_000));
        await bcoin.Mine(2);
        await wallet.Follow();
        var (db, one, other) = (wallet.World.Db, new Guid("0198f000-0000-7000-8000-000000000001"), new Guid("0198f000-0000-7000-8000-000000000002"));
        var coins = await db.FreeHotCoins("bitcoin", Ct);
        await Lock(one, coins[..1]);
        await Assert.ThrowsAsync<Refused>(() => Lock(other, coins));
        Assert.Equal(coins[1..], await db.FreeHotCoins("bitcoin", Ct));
        await db.Transaction((tx, ct) => tx.ReleaseHotCoins("bitcoin", one, ct), Ct);
        Assert.Equal(coins, await db.FreeHotCoins("bitcoin", Ct));

        Task Lock(Guid payout, List<HotCoin> wanted) => db.Transaction(async (tx, ct) =>
        {
            if (!await tx.LockHotCoins("bitcoin", payout, wanted, ct))
                throw new Refused();
        }, Ct);
    }

    private sealed class Refused : Exception;

    private async Task<FollowedWallet> Wallet()
    {
        var (world, _) = await ChainWorld.New(cluster);
        var wallet = new FollowedWallet(world, bcoin.Url, await bcoin.Height());
        await wallet.Follow();
        return wallet;
    }

    /// <summary>A follower of the node that knows the hot wallet.</summary>
    private sealed class FollowedWallet : IAsyncDisposable
    {
        private readonly LedgerWriters ledger;

        public FollowedWallet(ChainWorld world, Uri node, long start)
        {
            World = world;
            ledger = new LedgerWriters(2, world.Db, new Ids(TimeProvider.System, Random.Shared.NextBytes), TimeProvider.System);
            Follower = new FollowChain(world.Db, ledger, new Currencies([]));
            var options = new BitcoinOptions { Network = BitcoinNetwork.Regtest, Nodes = [node] };
            var chain = new BitcoinChain("bitcoin", options, (addresses, _) => Task.FromResult<IReadOnlySet<string>>(
                addresses.Where(address => Hot.Find(address) is not null).ToHashSet()), TimeProvider.System);
            Followed = new FollowedChain(chain, "bitcoin", start, _ => null) { Assets = [], Hot = Hot };
        }

        public ChainWorld World { get; }

        public FollowChain Follower { get; }

        public FollowedChain Followed { get; }

        public Task Follow() => Follower.CatchUp(Followed, Ct);

        public async ValueTask DisposeAsync()
        {
            ((BitcoinChain)Followed.Chain).Dispose();
            await ledger.DisposeAsync();
            await World.DisposeAsync();
        }
    }
}
