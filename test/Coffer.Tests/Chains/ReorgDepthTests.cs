namespace Coffer.Tests.Chains;

/// <summary>Reorganisations of every depth around the confirmation threshold: exactly the deposits in the lost blocks go, and come back.</summary>
public sealed class ReorgDepthTests(TestCluster cluster)
{
    private const int Blocks = 12;
    private const int First = 100;

    public static TheoryData<int, bool> Depths()
    {
        var all = new TheoryData<int, bool>();
        for (var depth = 1; depth <= Blocks; depth++)
        {
            all.Add(depth, false);
            all.Add(depth, true);
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Depths))]
    public async Task A_reorg_takes_the_deposits_of_the_lost_blocks_and_no_others(int depth, bool returned)
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        for (var block = 1; block <= Blocks; block++)
        {
            await world.Deposit($"{block}", Amount(block));
            await world.Mine(1);
        }

        await world.Follow();
        var unconfirmed = Sum(Blocks - (int)ChainWorld.Tether.Confirmations + 2, Blocks);
        Assert.Equal((Sum(1, Blocks) - unconfirmed, unconfirmed), await Parts(world));

        // One block more than was lost, all of them empty: what stays is confirmed by now.
        await world.Reorg(depth, returned);
        await world.Follow();
        var kept = Sum(1, Blocks - depth);
        Assert.Equal((kept, 0), await Parts(world));

        await world.Mine(1);
        await world.Follow();
        var back = returned ? Sum(Blocks - depth + 1, Blocks) : 0;
        Assert.Equal((kept, back), await Parts(world));
        await world.Mine(ChainWorld.Tether.Confirmations - 1);
        await world.Follow();
        Assert.Equal((kept + back, 0), await Parts(world));
        Assert.Equal(kept + back, (await world.Balance()).Deposited);
    }

    // Each a bit of its own, so that a sum says which deposits are in it.
    private static Int128 Amount(int block) => (Int128)First << block;

    private static Int128 Sum(int from, int to)
    {
        Int128 sum = 0;
        for (var block = from; block <= to; block++)
            sum += Amount(block);
        return sum;
    }

    private static async Task<(Int128 Available, Int128 Incoming)> Parts(ChainWorld world)
    {
        var balance = await world.Balance();
        return (balance.Available, balance.Incoming);
    }
}
