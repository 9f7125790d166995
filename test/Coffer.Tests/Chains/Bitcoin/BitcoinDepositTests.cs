using System.Text.Json;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Server.Addresses;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>From a real node to the ledger and back: what strangers pay is incoming, then available, and gone when the chain says so.</summary>
public sealed class BitcoinDepositTests(TestCluster cluster, SharedBcoin shared) : IClassFixture<SharedBcoin>
{
    private static readonly Currency Coin = new()
    {
        Code = "BTC",
        Name = "Bitcoin",
        Network = "BTC",
        Token = "BTC",
        Decimals = 8,
        Confirmations = 3,
        DepositMinimum = 1_000,
    };

    private readonly Bcoin bcoin = shared.Node;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deposits_come_confirm_and_vanish_with_their_blocks_and_reconcile_until_somebody_sweeps()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        var (address, stranger) = (await bcoin.Key(), await bcoin.Key());
        var issued = new IssuedAddress(new Guid("44444444-4444-4444-8444-444444444444"), ChainWorld.Shard, ChainWorld.Account, ChainWorld.Wallet,
            "bitcoin", "BTC", "abcdef01", 0, address, ChainWorld.Noon);
        await world.Db.Transaction((tx, ct) => tx.Watch(issued, ct), Ct);
        var options = new BitcoinOptions { Network = BitcoinNetwork.Regtest, Nodes = [bcoin.Url], HoldingsFrom = await bcoin.Height() };
        using var chain = new BitcoinChain("bitcoin", options,
            async (addresses, ct) => await world.Db.Watched("bitcoin", addresses, ct), TimeProvider.System);
        var currencies = new Currencies([Coin]);
        var followed = new FollowedChain(chain, "bitcoin", await bcoin.Height(), _ => Coin) { Assets = [(Coin, null)] };
        await using var ledger = new LedgerWriters(2, world.Db, new Ids(TimeProvider.System, Random.Shared.NextBytes), TimeProvider.System);
        var follow = new FollowChain(world.Db, ledger, currencies);
        await follow.CatchUp(followed, Ct);

        // Two outputs to one address in one transaction are two deposits; one below the minimum is kept and not credited.
        await bcoin.MinePayment((address, 50_000), (stranger, 1_000), (address, 50_000), (address, 999));
        await follow.CatchUp(followed, Ct);
        Assert.Equal((0, 100_000), await Balance(world));
        await bcoin.Mine(2);
        await follow.CatchUp(followed, Ct);
        Assert.Equal((100_000, 0), await Balance(world));

        var late = await bcoin.MinePayment((address, 7_000_000));
        await follow.CatchUp(followed, Ct);
        Assert.Equal((100_000, 7_000_000), await Balance(world));
        await bcoin.Reorg(1);
        await follow.CatchUp(followed, Ct);
        Assert.Equal((100_000, 0), await Balance(world));
        Assert.Equal(late, Assert.Single(await chain.Mempool(Ct)).TxId);
        await bcoin.Mine(3);
        await follow.CatchUp(followed, Ct);
        Assert.Equal((7_100_000, 0), await Balance(world));

        var reconcile = new Reconcile(world.Db, TimeProvider.System, TimeSpan.Zero);
        var equal = await reconcile.Run(followed, null, Ct);
        Assert.True(equal.Equal);
        var sum = Assert.Single(equal.Currencies);
        Assert.Equal((1, 7_100_999, 7_100_000, 999), (sum.Addresses, (int)sum.OnChain, (int)sum.Credited, (int)sum.Kept));
        Assert.Equal((0, ""), await Command(database, options.HoldingsFrom));

        await bcoin.Sweep(address, stranger);
        await bcoin.Mine();
        await follow.CatchUp(followed, Ct);
        Assert.Equal((1, ""), await Command(database, options.HoldingsFrom));
        var swept = await reconcile.Run(followed, null, Ct);
        var different = Assert.Single(Assert.Single(swept.Currencies).Different);
        Assert.Equal((address, -7_100_999, 4), (different.Address.Address, (int)different.Difference, different.Deposits.Count));
        Assert.True((await reconcile.Run(followed, await bcoin.Height() - 1, Ct)).Equal);
    }

    /// <summary>The real program with a chains file that names the node.</summary>
    private async Task<(int Status, string Error)> Command(string database, long start)
    {
        var chains = new
        {
            chains = new[] { new { id = "bitcoin", kind = "bitcoin", network = "BTC", nodes = new[] { bcoin.Url }, start, bitcoin_network = "regtest" } },
        };
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(chains), Ct);
        var ended = await Binary.Run("reconcile", "--database", database, "--chains", file);
        File.Delete(file);
        return (ended.Status, ended.Error);
    }

    private static async Task<(int Available, int Incoming)> Balance(ChainWorld world) =>
        await world.Balance(currency: "BTC") is var parts ? ((int)parts.Available, (int)parts.Incoming) : default;
}
