using System.Text.Json;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Payouts;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>Withdrawals from the ledger to a real node and back into the ledger.</summary>
public sealed class PayingBitcoinTests(TestCluster cluster, SharedBcoin shared) : IClassFixture<SharedBcoin>
{
    private readonly Bcoin bcoin = shared.Node;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Several_withdrawals_share_a_transaction_and_each_is_settled_once()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        await using var paying = new PayingBitcoin(database, bcoin.Url, await bcoin.Height(), batchMax: 10);
        await Ready(paying, 2_000_000);
        string[] addresses = [await bcoin.Key(), await bcoin.Key(), await bcoin.Key(), await bcoin.Key(), await bcoin.Key()];
        for (var i = 0; i < addresses.Length; i++)
            await paying.Withdraw($"w{i}", 10_000 + i, addresses[i]);
        await paying.Round(Ct);
        Assert.Equal(1, await world.Scalar<long>("SELECT count(DISTINCT tx_id) FROM withdrawal WHERE state = 4"));
        var balance = await world.Balance(currency: "BTC");
        Assert.Equal((1_937_490, 62_510, 0), ((int)balance.Available, (int)balance.Held, (int)balance.Withdrawn));
        await bcoin.Mine();
        await paying.Round(Ct);
        Assert.Equal(5, await world.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state = 5"));
        await bcoin.Mine();
        await paying.Round(Ct);
        Assert.Equal(5, await world.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state = 6"));
        balance = await world.Balance(currency: "BTC");
        Assert.Equal((1_937_490, 0, 62_510), ((int)balance.Available, (int)balance.Held, (int)balance.Withdrawn));
        foreach (var (address, i) in addresses.Select((address, i) => (address, i)))
            Assert.Equal([10_000 + i], await Paid(address));

        // What the miner got is told with the withdrawals, to the satoshi; what came back pays the next.
        var fee = await world.Scalar<decimal>("SELECT sum(network_fee_paid) FROM withdrawal");
        Assert.Equal(fee, await world.Scalar<decimal>("SELECT fee FROM payout"));
        await paying.Withdraw("next", 700_000, addresses[0]);
        await paying.Round(Ct);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        Assert.Equal([10_000, 700_000], await Paid(addresses[0]));
        Assert.Equal(2, await world.Scalar<long>("SELECT count(*) FROM hot_coin WHERE payout_id IS NOT NULL"));
        await Clean(paying);
    }

    [Fact]
    public async Task A_stuck_transaction_is_replaced_and_one_of_both_settles()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        await using var paying = new PayingBitcoin(database, bcoin.Url, await bcoin.Height(), bumpAfter: TimeSpan.Zero);
        await Ready(paying, 1_000_000);
        var address = await bcoin.Key();
        await paying.Withdraw("w", 200_000, address);
        await paying.Round(Ct);
        var first = await world.Scalar<string>("SELECT tx_id FROM withdrawal");
        await paying.Round(Ct);
        await paying.Round(Ct);
        Assert.True(await world.Scalar<long>("SELECT count(*) FROM payout_attempt WHERE signed IS NOT NULL") >= 2);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        Assert.NotEqual(first, await world.Scalar<string>("SELECT tx_id FROM withdrawal WHERE state = 6"));
        Assert.Equal([200_000], await Paid(address));
        await Clean(paying);
    }

    [Fact]
    public async Task A_reorg_after_completion_takes_the_settlement_back_until_it_is_mined_again()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        await using var paying = new PayingBitcoin(database, bcoin.Url, await bcoin.Height());
        await Ready(paying, 1_000_000);
        var address = await bcoin.Key();
        await paying.Withdraw("w", 200_000, address);
        await paying.Round(Ct);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        Assert.Equal(202_500, (int)(await world.Balance(currency: "BTC")).Withdrawn);

        // The node forgets it with its block: it is sent again, the same bytes.
        await bcoin.Reorg(2, drop: true);
        await paying.Round(Ct);
        var balance = await world.Balance(currency: "BTC");
        Assert.Equal((202_500, 0), ((int)balance.Held, (int)balance.Withdrawn));
        await paying.Round(Ct);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        Assert.Equal(202_500, (int)(await world.Balance(currency: "BTC")).Withdrawn);
        Assert.Equal([200_000], await Paid(address));
        Assert.Equal(1, await world.Scalar<long>("SELECT count(*) FROM payout_attempt"));
        await Clean(paying);
    }

    [Fact]
    public async Task A_withdrawal_that_the_wallet_cannot_fund_waits_and_says_so_and_the_small_one_beside_it_is_paid()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        await using var paying = new PayingBitcoin(database, bcoin.Url, await bcoin.Height(), batchMax: 10);
        await Ready(paying, [500_000], 5_000_000);
        var alarms = await Alarms(paying);
        Assert.Empty(alarms);
        await paying.Withdraw("large", 2_000_000, await bcoin.Key());
        await paying.Withdraw("small", 100_000, await bcoin.Key());

        // Before anything is planned: 2.1 million and fees and what should be left, against half a million.
        Assert.Contains("0.005 held, 0.021 queued, 0.00 leaving", Assert.Single(await Alarms(paying)), StringComparison.Ordinal);
        await paying.Round(Ct);
        Assert.Equal("funds", await world.Scalar<string>("SELECT waits_for FROM withdrawal WHERE amount = 2000000"));
        Assert.Equal(4, await world.Scalar<short>("SELECT state FROM withdrawal WHERE amount = 100000"));
        await bcoin.MinePayment((PayingBitcoin.Hot.First.Address, 3_000_000));
        await bcoin.Mine(2);
        await paying.Round(Ct);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        Assert.Equal(2, await world.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state = 6"));
        Assert.Empty(await Alarms(paying));
        await Clean(paying);
    }

    [Fact]
    public async Task A_coin_that_somebody_else_spent_is_never_planned_and_is_named()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        await using var paying = new PayingBitcoin(database, bcoin.Url, await bcoin.Height());
        await Ready(paying, [1_000_000, 600_000], 1_600_000);

        // Somebody with the same key takes the larger coin.
        var coin = (await paying.Db.UnspentHotCoins(PayingBitcoin.Chain, Ct))[0];
        var payouts = paying.Paying.Payouts;
        PayoutOutput[] theft = [new(await bcoin.Key(), null, 900_000)];
        var plan = payouts.Plan(theft, await payouts.Terms(theft, Ct), new PayoutFunds(null, [coin], payouts.Change(999), 1_000_000,
            DateTimeOffset.UnixEpoch)).Plan!;
        await paying.Paying.Chain.Broadcast(BitcoinTransfer.Sign(plan.Unsigned, PayingBitcoin.Hot, HotKeys.Sign).Bytes, Ct);
        var address = await bcoin.Key();
        await paying.Withdraw("w", 200_000, address);
        await paying.Round(Ct);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        Assert.Equal([200_000], await Paid(address));
        var found = await new ReconcileHot(paying.Db).Run(paying.Wallet, Ct);
        Assert.Contains($"{coin.TxId}:{coin.Ordinal}", Assert.Single(found.Differences), StringComparison.Ordinal);
        Assert.False(found.Equal);
    }

    [Fact]
    public async Task Reconcile_names_a_completed_withdrawal_whose_transaction_pays_otherwise()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        await using var paying = new PayingBitcoin(database, bcoin.Url, await bcoin.Height());
        await Ready(paying, 1_000_000);
        await paying.Withdraw("w", 200_000, await bcoin.Key());
        await paying.Round(Ct);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        await Clean(paying);
        await world.Execute("UPDATE withdrawal SET amount = 200001");
        var found = await new ReconcileHot(paying.Db).Run(paying.Wallet, Ct);
        Assert.Equal(2, found.Count);
        Assert.Contains("does not pay 200001 BTC", found.Differences[0], StringComparison.Ordinal);
        Assert.Contains("which nobody asked for", found.Differences[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_tells_how_the_wallet_stands_and_fails_while_an_alarm_does()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        var start = await bcoin.Height();
        await using var paying = new PayingBitcoin(database, bcoin.Url, start);
        await Ready(paying, [500_000], 5_000_000);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new
        {
            chains = new[]
            {
                new
                {
                    id = PayingBitcoin.Chain, kind = "bitcoin", network = "BTC", nodes = new[] { bcoin.Url }, start, bitcoin_network = "regtest",
                    hot = new { xpub = HotKeys.Xpub, fee_max = "0.01", low = new { BTC = "0.001" } },
                },
            },
        }), Ct);

        var well = await Binary.Run("hot", "status", "--json", "--database", database, "--chains", file);
        Assert.Equal((0, ""), (well.Status, well.Error));
        var chain = JsonDocument.Parse(well.Output).RootElement.GetProperty("chains")[0];
        Assert.Equal((PayingBitcoin.Hot.First.Address, "0.005", 0), (chain.GetProperty("address").GetString(),
            chain.GetProperty("assets")[0].GetProperty("held").GetString(), chain.GetProperty("alarms").GetArrayLength()));
        var equal = await Binary.Run("reconcile", "--database", database, "--chains", file);
        Assert.Contains("The hot wallet of bitcoin: 0 completed withdrawals, 1 coins", equal.Output, StringComparison.Ordinal);
        Assert.Equal(0, equal.Status);

        await paying.Withdraw("large", 2_000_000, await bcoin.Key());
        var ill = await Binary.Run("hot", "status", "--database", database, "--chains", file);
        Assert.Equal(1, ill.Status);
        Assert.Contains("ALARM: BTC: 0.005 held, 0.02 queued", ill.Output, StringComparison.Ordinal);
        File.Delete(file);
    }

    private Task Ready(PayingBitcoin paying, long coin) => Ready(paying, [coin], coin);

    private async Task Ready(PayingBitcoin paying, long[] coins, long credit)
    {
        await paying.Round(Ct);
        await bcoin.MinePayment([.. coins.Select(value => (PayingBitcoin.Hot.First.Address, value))]);
        await bcoin.Mine(2);
        await paying.Round(Ct);
        await paying.Credit(credit);
    }

    private static async Task<List<string>> Alarms(PayingBitcoin paying) =>
        [.. (await new HotStatus(paying.Db).Run(paying.Wallet, Ct)).Alarms];

    private async Task<List<int>> Paid(string address)
    {
        var height = await bcoin.Height();
        var paid = new List<int>();
        for (var i = height - 40; i <= height; i++)
            paid.AddRange(RawBlock.Parse(await bcoin.RawBlock(await bcoin.HashAt(i)), RawHash.Parse(await bcoin.HashAt(i))!.Value).Transactions
                .SelectMany(one => BitcoinBlocks.Transfers(one, Coffer.Chains.Keys.BitcoinNetwork.Regtest))
                .Where(transfer => transfer.Address == address).Select(transfer => (int)transfer.Amount));
        return paid;
    }

    private static async Task Clean(PayingBitcoin paying)
    {
        var found = await new ReconcileHot(paying.Db).Run(paying.Wallet, Ct);
        Assert.Empty(found.Differences);
        Assert.True(found.Equal);
        Assert.Empty((await Verify.Run(paying.Db, TimeProvider.System, Ct)).Findings);
    }
}
