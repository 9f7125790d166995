using Coffer.Chains.Keys;
using Coffer.Server.Addresses;
using Coffer.Server.Chain;
using Coffer.Tests.Chains.Evm;
using Coffer.Tests.Ledger;

namespace Coffer.Tests.Live;

/// <summary>
/// kill -9 at every named step of the follower, on a real node and a real database: afterwards the balances are those of a follower that
/// was never disturbed and has only ever seen the chain as it is now.
/// </summary>
public sealed class FollowUnderFireTests(TestCluster cluster, NodeFolder node)
{
    private const short Shard = 0;
    private const int Deaths = 2;
    private static readonly AccountId Account = TestLedger.Account(1);
    private static readonly WalletId Wallet = TestLedger.Wallet(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Points() => [.. FollowChain.Points];

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Killed_at_a_step_again_and_again_the_balances_end_as_if_undisturbed(string point)
    {
        await using var chain = await Anvil.Start(node);
        var address = EvmAddress.Write(Enumerable.Repeat((byte)7, EvmAddress.Bytes).ToArray());
        var (mortal, undisturbed) = (await Database(address), await Database(address));
        await chain.Mine();
        var deaths = 0;
        await FollowMortally();

        // Confirmed, waiting, taken back after and before its confirmation, and paid again.
        foreach (var amount in new[] { 1_000, 200, 30 })
        {
            await chain.Pay(address, amount);
            await chain.Mine(2);
            await FollowMortally();
        }

        await chain.Reorg(3);
        await chain.Pay(address, 4);
        await chain.Mine();
        await FollowMortally();
        await chain.Mine(4);
        await chain.Pay(address, 50_000);
        await chain.Mine();
        await FollowMortally();

        await MortalFollower.Undisturbed(undisturbed, chain.Url);
        await using var books = TestLedger.On(mortal);
        await using var expected = TestLedger.On(undisturbed);
        const string figures = "SELECT string_agg(available || '/' || incoming || '/' || deposited, ',') FROM balance";
        var right = await expected.Scalar<string>(figures);
        Assert.EndsWith("/50000/51204", right, StringComparison.Ordinal);
        Assert.Equal(right, await books.Scalar<string>(figures));
        Assert.True(deaths > 0, "the point was never reached");
        Assert.Empty((await books.Verify(Ct)).Findings);

        // Dies at the point the first time that it is there, then the second; whoever comes next lives.
        async Task FollowMortally()
        {
            for (var time = 1; time <= Deaths; time++)
                deaths += await MortalFollower.Follow(mortal, chain.Url, point, time) ? 1 : 0;
            while (await MortalFollower.Follow(mortal, chain.Url, point, Deaths))
            {
                // Another death at a step of what was left to do.
            }
        }
    }

    private async Task<string> Database(string address)
    {
        var database = await cluster.NewDatabase();
        await using var ledger = TestLedger.On(database);
        var issued = new IssuedAddress(ledger.Ids.New(), Shard, Account, Wallet, MortalFollower.Family, "ETH", "00000000", 0, address, TestLedger.Noon);
        await ledger.Db.Transaction((tx, ct) => tx.Watch(issued, ct), Ct);
        return database;
    }
}
