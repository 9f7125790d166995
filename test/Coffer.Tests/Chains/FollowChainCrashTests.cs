using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Chain;
using Coffer.Server.Payouts;
using Coffer.Server.Withdrawals;

namespace Coffer.Tests.Chains;

/// <summary>
/// The follower is stopped where it hurts: at a named point, between any two of its steps. Another process then does whatever is to
/// be done. A failure names its seed.
/// </summary>
public sealed class FollowChainCrashTests(TestCluster cluster)
{
    private const int Seeds = 8;
    private const int Operations = 40;

    private static readonly string Payee = SimulatedAddress.Make(ChainWorld.Account, ChainWorld.Wallet, "ETH", 77);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed class Stopped : Exception;

    public static TheoryData<string> Points() => [.. FollowChain.Points, .. PayWithdrawals.Points];

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Stopped_at_any_point_any_number_of_times_the_balances_end_as_if_undisturbed(string point)
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        var stops = 0;
        await world.Deposit("spent", 2_000);
        await world.Mine(3);
        await FollowMortally();
        await Request(world, "w1", 500);
        for (var i = 0; i < 5; i++)
        {
            await world.Deposit($"{i}", 100 + i);
            await world.Mine(1);
            await FollowMortally();
        }

        await Request(world, "w2", 100);
        await world.Reorg(4, returned: true);
        await FollowMortally();
        await world.Mine(2);
        await world.Reorg(5);
        await FollowMortally();
        await world.Mine(4);
        await FollowMortally();

        // What is left: 2000 and the first of the five, less two withdrawals with a fee of 3 each.
        Assert.True(stops > 0, "the point was never reached");
        Assert.Equal(new Parts(1_494, 0, 0, 2_100, 606, 0), await world.Balance());
        var paid = (await world.Chain.Blocks(0, 100, Ct)).SelectMany(block => block.Transfers).Where(transfer => transfer.Address == Payee);
        Assert.Equal([100, 500], paid.Select(transfer => (int)transfer.Amount).Order());

        // Each process dies at the point, the first, second or third time that it is there; the next one starts over, until one lives.
        async Task FollowMortally()
        {
            for (var process = 0; ; process++)
            {
                Assert.True(process < 100, "no process comes to an end");
                var reached = 0;
                await using var mortal = world.Mortal(at =>
                    at == point && Interlocked.Increment(ref reached) == 1 + (process % 3) ? throw new Stopped() : Task.CompletedTask);
                try
                {
                    await mortal.Follow();
                    return;
                }
                catch (Stopped)
                {
                    stops++;
                }
            }
        }
    }

    [Fact]
    public async Task What_was_undone_and_is_back_before_the_ledger_was_told_is_told_in_order()
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        await world.Deposit("one", 500);
        await world.Mine(3);
        await world.Follow();
        Assert.Equal(500, (await world.Balance()).Available);
        await world.Reorg(3, returned: true);
        await world.Mine(1);

        // Dies right after the block of the deposit was undone; the next block that is added has it again.
        var undone = 0;
        await using (var mortal = world.Mortal(at => at == "undone" && ++undone == 3 ? throw new Stopped() : Task.CompletedTask))
            await Assert.ThrowsAsync<Stopped>(mortal.Follow);
        await world.Follow();
        Assert.Equal(new Parts(0, 500, 0, 500, 0, 0), await world.Balance());
    }

    [Fact]
    public async Task After_any_blocks_reorgs_crashes_and_rivals_the_balances_are_those_of_the_canonical_chain_alone()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (world, _) = await ChainWorld.New(cluster);
            await using var end = world;
            var random = new Random(seed);
            for (var i = 0; i < Operations; i++)
            {
                await Do(random, world);
                if (random.Next(3) == 0)
                    continue;
                // Up to three processes at once, each of which may die anywhere; then one that lives.
                var chance = random.Next(1, 12);
                await Task.WhenAll(Enumerable.Range(0, random.Next(4))
                    .Select(n => Mortal(world, new Random((seed * 1_000) + (i * 10) + n), chance)));
                if (random.Next(2) == 0)
                    await Check(world, $"seed {seed}, operation {i}");
            }

            await Check(world, $"seed {seed}, at the end");
        }
    }

    private static async Task Check(ChainWorld world, string because)
    {
        await world.Follow();
        foreach (var (wallet, currency) in new[]
                 {
                     (ChainWorld.Wallet, ChainWorld.Tether), (ChainWorld.Wallet, ChainWorld.Ether), (ChainWorld.Other, ChainWorld.Tether),
                 })
        {
            var (expected, found) = (await world.Expected(wallet, currency), await world.Balance(wallet, currency.Code));
            Assert.True(expected == found, $"{because}: {currency.Code} {found} instead of {expected}");
        }
    }

    private static async Task Mortal(ChainWorld world, Random random, int chance)
    {
        await using var mortal = world.Mortal(_ =>
        {
            lock (random)
                return random.Next(chance) == 0 ? throw new Stopped() : Task.CompletedTask;
        });
        try
        {
            await mortal.Follow();
        }
        catch (Stopped)
        {
            // Somebody else goes on.
        }
    }

    private static async Task Do(Random random, ChainWorld world)
    {
        var height = (int)(await world.Chain.Tip(Ct)).Height;
        switch (random.Next(6))
        {
            case 0 when height > 0:
                await world.Reorg(random.Next(1, Math.Min(height, 12) + 1), returned: random.Next(2) == 0);
                break;
            case 1 or 2:
                await world.Mine(random.Next(1, 4));
                break;
            default:
                var address = random.Next(3) == 0 ? ChainWorld.OtherAddress : ChainWorld.Address;
                // Few seeds, so that dropped payments come back; amounts by seed, since the same payment is the same transaction.
                var seed = random.Next(25);
                await world.Deposit($"{seed}", 5 + seed, address, seed % 4 == 0 ? "ETH" : "USDTERC20");
                break;
        }
    }

    private static async Task Request(ChainWorld world, string name, Int128 amount)
    {
        var command = new RequestWithdrawal(ChainWorld.Account, ChainWorld.Wallet, ChainWorld.Tether, Reference.Of($"withdrawal:{name}"),
            amount, 3, Payee)
        {
            Companion = new WithdrawalOrder(world.Chain.Id, 2, FeesOnTop: true),
        };
        (await world.Write(command)).Accepted();
    }
}
