using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Server.Chain;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Tests.Chains;
using Coffer.Tests.Chains.Bitcoin;

namespace Coffer.Tests.Live;

/// <summary>
/// kill -9 at every named step of the worker that pays, on a real Bitcoin node, with replacements and reorgs in between: afterwards each
/// withdrawal was paid once, to the satoshi, and ledger and chain agree.
/// </summary>
public sealed class BitcoinUnderFireTests(TestCluster cluster, SharedBcoin shared) : IClassFixture<SharedBcoin>
{
    private const int Rounds = 30, Seed = 20_261_121, Confirming = 40;
    private readonly Bcoin bcoin = shared.Node;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_at_any_step_again_and_again_each_withdrawal_is_paid_once()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        var (random, start, paid) = (new Random(Seed), await bcoin.Height(), new Dictionary<string, long>());
        await using var paying = new PayingBitcoin(database, bcoin.Url, start, MortalBitcoinPayer.BatchMax);
        await paying.Round(Ct);
        await bcoin.MinePayment([.. Enumerable.Range(0, 12).Select(i => (HotKeys.Addresses.First.Address, 600_000L + i))]);
        await bcoin.Mine(2);
        await paying.Credit(10_000_000);
        string[] points = [.. PayWithdrawals.Points, .. FollowChain.Points.Intersect(["added", "undone"])];
        var deaths = 0;
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var address = await bcoin.Key();
                paid.Add(address, random.Next(20_000, 120_000));
                await paying.Withdraw($"w{paid.Count}", paid[address], address);
            }

            deaths += await MortalBitcoinPayer.Pay(
                database, bcoin.Url, start, points[round % points.Length], 1 + (round / points.Length % 2), bump: round % 3 == 0) ? 1 : 0;
            if (round % 5 == 4)
                await bcoin.Reorg(random.Next(1, 4), drop: random.Next(2) == 0);
            if (random.Next(3) is > 0 and var blocks)
                await bcoin.Mine(blocks);
        }

        for (var round = 0; round < Confirming && await world.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state <> 6") > 0; round++)
        {
            await paying.Round(Ct);
            await bcoin.Mine();
        }

        Assert.True(deaths >= Rounds / 2, $"it died only {deaths} times");
        var found = await Found(start, paid);
        Assert.Equal(paid.ToDictionary(one => one.Key, one => (1, one.Value)), found);
        var balance = await world.Balance(currency: "BTC");
        var gone = paid.Values.Sum() + (paid.Count * 2_500L);
        Assert.Equal((10_000_000 - gone, 0, gone), ((long)balance.Available, (long)balance.Held, (long)balance.Withdrawn));
        var reconciled = await new ReconcileHot(paying.Db).Run(paying.Wallet, Ct);
        Assert.Empty(reconciled.Differences);
        Assert.Empty((await Verify.Run(paying.Db, TimeProvider.System, Ct)).Findings);
    }

    /// <summary>How often, and how much, each address was paid on the chain as it is now.</summary>
    private async Task<Dictionary<string, (int Times, long Sum)>> Found(long start, Dictionary<string, long> paid)
    {
        var found = new Dictionary<string, (int Times, long Sum)>();
        for (var height = start; height <= await bcoin.Height(); height++)
        {
            var hash = await bcoin.HashAt(height);
            foreach (var transfer in RawBlock.Parse(await bcoin.RawBlock(hash), RawHash.Parse(hash)!.Value).Transactions
                .SelectMany(one => BitcoinBlocks.Transfers(one, BitcoinNetwork.Regtest)).Where(one => paid.ContainsKey(one.Address)))
            {
                var (times, sum) = found.GetValueOrDefault(transfer.Address);
                found[transfer.Address] = (times + 1, sum + (long)transfer.Amount);
            }
        }

        return found;
    }
}
