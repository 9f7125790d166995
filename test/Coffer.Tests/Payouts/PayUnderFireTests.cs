using Coffer.Server.Payouts;

namespace Coffer.Tests.Payouts;

/// <summary>
/// kill -9 at every named step of the worker that pays, two workers at a time, on a real node and a real database, while blocks are taken
/// back and transactions forgotten: each withdrawal is paid once, and ledger and chain agree.
/// </summary>
public sealed class PayUnderFireTests(TestCluster cluster, NodeFolder folder)
{
    private const int Deaths = 200, WorkersAtOnce = 2, NewEachTime = 3, SecondTimeOneIn = 4, TriesMax = 3 * Deaths, IdleMax = 10;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_two_hundred_times_at_its_steps_the_worker_pays_each_withdrawal_once()
    {
        await using var world = await PayWorld.Start(cluster, folder);
        await using var customer = world.Paying();
        var random = new Random(20_26);
        var deaths = PayWithdrawals.Points.ToDictionary(point => point, _ => 0);
        var (asked, idle) = (0, 0);
        for (var tries = 0; deaths.Values.Sum() < Deaths; tries++)
        {
            // Tries in which nobody dies are long ones: what is stuck is said at once, not after all of them.
            Assert.True(tries < TriesMax && idle < IdleMax, $"{string.Join(", ", deaths)}; {await world.States()}");
            await customer.Withdraw(Enumerable.Range(asked + 1, NewEachTime).Select(Wanted));
            asked += NewEachTime;

            // The points that were met least come first, so that all of them are met.
            var points = deaths.OrderBy(one => one.Value).Take(WorkersAtOnce).Select(one => one.Key).ToArray();
            var died = await Task.WhenAll(points.Select(point =>
                MortalPayer.Pay(world.Database, world.Node.Url, world.Tokens, point, random.Next(SecondTimeOneIn) == 0 ? 2 : 1)));
            for (var i = 0; i < points.Length; i++)
                deaths[points[i]] += died[i] ? 1 : 0;
            idle = died.Contains(true) ? 0 : idle + 1;
            await Disturb(world, random);
        }

        for (var rounds = 0; await MortalPayer.Unfinished(customer.Db) > 0; rounds++)
        {
            Assert.True(rounds < 60, await world.States());
            await customer.Round(Ct);
            await world.Node.Mine();
        }

        Assert.DoesNotContain(0, deaths.Values);
        foreach (var (_, amount, address, code) in Enumerable.Range(1, asked).Select(Wanted))
        {
            var token = code switch { "STD" => world.Chain.Token, "USDT" => world.Chain.Tether, _ => null };
            Assert.Equal((int)amount, (int)await world.Held(address, token));
        }

        Assert.Equal(asked, await world.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state = 6"));
        Assert.Equal(asked, await world.Nonce());
        Assert.Equal(asked, await world.Scalar<long>("SELECT next_number FROM hot_wallet"));
        Assert.Equal(asked, await world.Scalar<long>("SELECT count(*) FROM payout WHERE state = 2 AND height IS NOT NULL"));
        Assert.Equal(
            Enumerable.Range(1, asked).Sum(i => (decimal)Wanted(i).Amount) + asked,
            await world.Scalar<decimal>("SELECT sum(withdrawn) FROM balance"));
        await world.Clean();
        var reconciled = await new ReconcileHot(customer.Db).Run(customer.Wallet, Ct);
        Assert.True(reconciled.Equal, $"{reconciled.Why} {string.Join("; ", reconciled.Differences)}");
        Assert.Equal(asked, reconciled.Withdrawals);
    }

    private static (string Name, Int128 Amount, string Address, string Code) Wanted(int i) =>
        ($"w{i}", i, PayWorld.Receiver(i), (i % 3) switch { 0 => "ETH", 1 => "STD", _ => "USDT" });

    /// <summary>Now and then blocks are taken back with what was in them, or the node forgets what waits.</summary>
    private static async Task Disturb(PayWorld world, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                await world.Node.Reorg(1 + random.Next(PayingEvm.Confirmations + 1));
                break;
            case 1:
                await world.Node.Call("anvil_dropAllTransactions");
                break;
        }
    }
}
