using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Server.Chain;

namespace Coffer.Tests.Chains;

/// <summary>
/// After any sequence of blocks, reorgs, restarts, rescans and node faults the balances are those of the canonical chain alone. Several
/// followers at once, each behind a node of its own that fails in every way that nodes fail, each of which may die between any two of its
/// steps; blocks are forgotten and one currency waits for finality. A failure names its seed.
/// </summary>
public sealed class FollowPropertyTests(TestCluster cluster)
{
    private const int Operations = 45;
    private const int ReorgMax = 12;

    /// <summary>What the chain calls final is this far below its tip: deeper than any reorg here.</summary>
    private const int FinalBelow = ReorgMax + 2;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed class Stopped : Exception;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task After_anything_that_chains_nodes_and_processes_do_the_balances_are_those_of_the_canonical_chain(int seed)
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        using var foreign = new SimulatedChain("foreign", new MemoryLog());
        await foreign.Mine(60, ChainWorld.Noon, 0, Ct);
        var random = new Random(seed);
        IReadOnlyList<ChainBlock> left = [];
        for (var i = 0; i < Operations; i++)
        {
            left = await Do(random, world) ?? left;
            var (fork, chance) = (left, random.Next(2, 12));
            await Task.WhenAll(Enumerable.Range(0, random.Next(4)).Select(n =>
                Mortal(world, fork, foreign, new Random((seed * 10_000) + (i * 10) + n), chance)));
            if (random.Next(3) == 0)
                await Check(world, $"seed {seed}, operation {i}");
        }

        await Check(world, $"seed {seed}, at the end");
        await new RescanChain(world.Db, world.Forgetful).Run(world.Followed(), 0, Ct);
        await Check(world, $"seed {seed}, after a rescan");
    }

    private static async Task Check(ChainWorld world, string because)
    {
        await world.Forgetful.CatchUp(world.Followed(Honest(world)), Ct);
        foreach (var (wallet, currency) in new[]
                 {
                     (ChainWorld.Wallet, ChainWorld.Tether), (ChainWorld.Wallet, ChainWorld.Ether), (ChainWorld.Other, ChainWorld.Tether),
                     (ChainWorld.Wallet, ChainWorld.Dai), (ChainWorld.Other, ChainWorld.Dai),
                 })
        {
            var expected = await world.Expected(wallet, currency.Finalized ? currency with { Confirmations = FinalBelow + 1 } : currency);
            var found = await world.Balance(wallet, currency.Code);
            Assert.True(expected == found, $"{because}: {currency.Code} {found} instead of {expected}");
        }
    }

    private static Node Honest(ChainWorld world) =>
        new(world.Chain) { Top = tip => tip with { Finalized = Math.Max(0, tip.Height - FinalBelow) } };

    /// <summary>One process: follows or rescans behind a faulty node, and perhaps dies of it.</summary>
    private static async Task Mortal(ChainWorld world, IReadOnlyList<ChainBlock> left, IChain foreign, Random random, int chance)
    {
        var node = new FaultyNode(Honest(world), left, foreign, random, 1 + random.Next(6));
        await using var mortal = world.Mortal(_ =>
        {
            lock (random)
                return random.Next(chance) == 0 ? throw new Stopped() : Task.CompletedTask;
        });
        try
        {
            if (random.Next(5) == 0)
                await new RescanChain(mortal.Db, mortal.Forgetful).Run(mortal.Followed(node), 0, Ct);
            else
                await mortal.Forgetful.CatchUp(mortal.Followed(node), Ct);
        }
        catch (Exception fault) when (fault is Stopped or ChainFault or Server.Host.SetupFailure)
        {
            // Somebody else goes on.
        }
    }

    /// <summary>Changes the chain; answers the blocks that it has left, if it has.</summary>
    private static async Task<IReadOnlyList<ChainBlock>?> Do(Random random, ChainWorld world)
    {
        var height = (int)(await world.Chain.Tip(Ct)).Height;
        switch (random.Next(7))
        {
            case 0 when height > 0:
                var before = await world.Chain.Blocks(0, int.MaxValue, Ct);
                await world.Reorg(random.Next(1, Math.Min(height, ReorgMax) + 1), returned: random.Next(2) == 0);
                return before;
            case 1 or 2:
                await world.Mine(random.Next(1, 5));
                return null;
            default:
                // Few seeds, so that dropped payments come back; amounts by seed, since the same payment is the same transaction.
                var seed = random.Next(30);
                var address = seed % 3 == 0 ? ChainWorld.OtherAddress : ChainWorld.Address;
                await world.Deposit($"{seed}", 5 + seed, address, (seed % 4) switch { 0 => "ETH", 1 => "DAIERC20", _ => "USDTERC20" });
                return null;
        }
    }
}
