using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>Transactions of the hot wallet as a real node sees them: planned, signed, taken, mined, replaced, dead.</summary>
public sealed class BitcoinPayoutTests : IClassFixture<SharedBcoin>, IDisposable
{
    private const long Coin = 100_000_000, FeeMax = 1_000_000;
    private static readonly HotAddresses Hot = HotKeys.Addresses;
    private readonly Bcoin bcoin;
    private readonly BitcoinChain chain;
    private readonly BitcoinPayouts payouts;
    private readonly List<HotCoin> coins = [];

    public BitcoinPayoutTests(SharedBcoin shared)
    {
        bcoin = shared.Node;
        var options = new BitcoinOptions { Network = BitcoinNetwork.Regtest, Nodes = [bcoin.Url] };
        chain = new BitcoinChain("bitcoin", options, (_, _) => throw new InvalidOperationException(), TimeProvider.System);
        payouts = new BitcoinPayouts(chain, Hot, _ => Task.FromResult<IReadOnlyList<HotCoin>>(coins));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => chain.Dispose();

    [Fact]
    public async Task One_transaction_pays_several_to_the_satoshi_and_its_change_is_spent_by_the_next()
    {
        await Fund(1_000_000);
        var addresses = new List<PayoutOutput>();
        for (var i = 0; i < 5; i++)
            addresses.Add(new PayoutOutput(await bcoin.Key(), null, 10_000 + i));
        var (plan, signed) = await Make(addresses);
        Assert.Equal(signed.TxId, await chain.Broadcast(signed.Bytes, Ct));
        Assert.Equal((FateKind.Waiting, signed.TxId), await Fate(plan, signed.TxId) is var waiting ? (waiting.Kind, waiting.TxId) : default);
        await bcoin.Mine();
        var fate = await Fate(plan, signed.TxId);
        Assert.Equal((FateKind.Mined, await bcoin.Height(), plan.Reading.FeeMax), (fate.Kind, fate.Height, fate.Fee));
        var transfers = (await chain.Transaction(signed.TxId, Ct))!.Transfers;
        Assert.Equal(addresses.Select(one => (one.Address, (long)one.Amount)), transfers.Take(5).Select(one => (one.Address, (long)one.Amount)));

        // The rate is the fallback's, for every virtual byte of the signed bytes and at most one more for each input.
        var size = (await bcoin.Call("getrawtransaction", signed.TxId, true)).GetProperty("vsize").GetInt32();
        Assert.InRange((long)fate.Fee!, size * 20, (size + 1) * 20);

        coins.Clear();
        coins.Add(Assert.Single(plan.Reading.Change));
        Assert.Equal((transfers[5].Address, 1_000_000 - 50_010 - (long)fate.Fee!), (coins[0].Address, (long)coins[0].Amount));
        var (next, nextSigned) = await Make([new PayoutOutput(await bcoin.Key(), null, 500_000)]);
        Assert.Equal(coins, next.Reading.Claim.Coins);
        await chain.Broadcast(nextSigned.Bytes, Ct);
        await bcoin.Mine();
        Assert.Equal(FateKind.Mined, (await Fate(next, nextSigned.TxId)).Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_a_transaction_and_its_replacement_one_is_mined_and_both_are_known_by_it(bool replacement)
    {
        await Fund(400_000);
        var (plan, first) = await Make([new PayoutOutput(await bcoin.Key(), null, 200_000)]);
        var bumped = payouts.Bump(plan, new BitcoinTerms(0, 50_000), Funds()).Plan!;
        Assert.Equal(plan.Reading.Outputs, bumped.Reading.Outputs);
        Assert.Equal(plan.Reading.Claim.Coins, bumped.Reading.Claim.Coins);
        Assert.Equal(141 * 50, (int)bumped.Reading.FeeMax);
        var second = Signed(bumped);
        await chain.Broadcast(first.Bytes, Ct);
        await chain.Broadcast(second.Bytes, Ct);
        Assert.Equal(second.TxId, (await Fate(bumped, first.TxId, second.TxId)).TxId);

        // The other way round: the node forgets the replacement, or never saw it, and a miner has the original.
        if (!replacement)
        {
            await bcoin.Forget(second.TxId);
            await chain.Broadcast(first.Bytes, Ct);
        }

        await bcoin.Mine();
        var fate = await Fate(bumped, first.TxId, second.TxId);
        Assert.Equal((FateKind.Mined, replacement ? second.TxId : first.TxId), (fate.Kind, fate.TxId));
        Assert.Equal(replacement ? bumped.Reading.FeeMax : plan.Reading.FeeMax, fate.Fee);
        await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(replacement ? first.Bytes : second.Bytes, Ct));
    }

    [Fact]
    public async Task A_replacement_that_pays_too_little_more_is_refused_by_nodes_and_never_made()
    {
        await Fund(400_000);
        var (plan, first) = await Make([new PayoutOutput(await bcoin.Key(), null, 200_000)]);
        await chain.Broadcast(first.Bytes, Ct);

        // At the same rate: the least that rule 4 of BIP125 asks for.
        var bumped = payouts.Bump(plan, new BitcoinTerms(0, 1_000), Funds()).Plan!;
        Assert.Equal(plan.Reading.FeeMax + 141, bumped.Reading.FeeMax);
        var (node, second) = (await chain.Broadcast(Signed(bumped).Bytes, Ct), Signed(bumped));
        Assert.Equal(second.TxId, node);
        Assert.Equal(NoPlan.FeeAboveMax, payouts.Bump(plan, new BitcoinTerms(0, 1_000_000), Funds() with { FeeMax = 10_000 }).WhyNot);
        await bcoin.Forget();
    }

    [Fact]
    public async Task Bytes_that_are_not_the_plan_or_badly_signed_are_refused_here_and_by_the_node()
    {
        await Fund(400_000);
        var (plan, signed) = await Make([new PayoutOutput(await bcoin.Key(), null, 200_000)]);
        for (var at = 0; at < signed.Bytes.Length; at++)
        {
            var other = signed.Bytes.ToArray();
            other[at] ^= 1;
            Assert.Throws<KeyFault>(() => payouts.Accept(plan.Unsigned, other));
        }

        Assert.Throws<KeyFault>(() => payouts.Accept(plan.Unsigned, signed.Bytes.AsMemory(..^1)));
        Assert.Throws<KeyFault>(() => payouts.Accept(plan.Unsigned, (byte[])[.. signed.Bytes, 0]));
        Assert.Equal(signed.Bytes, payouts.Accept(plan.Unsigned, signed.Bytes).Bytes);
        for (var at = 0; at < plan.Unsigned.Length; at++)
        {
            var other = plan.Unsigned.ToArray();
            other[at] ^= 1;
            // Some bits only make it another payment; it is not the one that was signed.
            Assert.Throws<KeyFault>(() => payouts.Accept(other, signed.Bytes));
        }

        var bad = BitcoinTransfer.Sign(plan.Unsigned, Hot, (path, hash, signature) => HotKeys.Sign("0/5", hash, signature));
        Assert.Throws<KeyFault>(() => payouts.Accept(plan.Unsigned, bad.Bytes));
        var fault = await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(bad.Bytes, Ct));
        Assert.Contains("script-verify-flag", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_stranger_who_spent_a_coin_too_deep_to_return_proves_that_ours_are_dead()
    {
        await Fund(400_000);
        var (plan, ours) = await Make([new PayoutOutput(await bcoin.Key(), null, 200_000)]);
        var (_, strangers) = await Make([new PayoutOutput(await bcoin.Key(), null, 300_000)]);
        Assert.Equal(FateKind.Unknown, (await Fate(plan, ours.TxId)).Kind);
        await chain.Broadcast(strangers.Bytes, Ct);
        await bcoin.Mine();
        Assert.Equal(FateKind.Unknown, (await Fate(plan, ours.TxId)).Kind);
        await bcoin.Mine(BitcoinLimits.ForeignDepth - 2);
        Assert.Equal(FateKind.Unknown, (await Fate(plan, ours.TxId)).Kind);
        await bcoin.Mine();
        Assert.Equal(FateKind.Dead, (await Fate(plan, ours.TxId)).Kind);
        Assert.Empty(await payouts.Unspent(plan.Reading.Claim.Coins, Ct));
    }

    [Fact]
    public async Task A_node_without_an_index_that_forgot_what_was_spent_since_does_not_make_ours_dead()
    {
        await Fund(400_000);
        var receiver = await bcoin.Key();
        var (plan, ours) = await Make([new PayoutOutput(receiver, null, 397_180)]);
        Assert.Empty(plan.Reading.Change);
        await chain.Broadcast(ours.Bytes, Ct);
        await bcoin.Mine();
        var height = await bcoin.Height();
        await bcoin.Sweep(receiver, await bcoin.Key());
        await bcoin.Mine(BitcoinLimits.ForeignDepth);
        await using var forgetful = await AnsweringNode.Start(bcoin);
        forgetful.On("getrawtransaction", _ => throw new Refusal(-5, "No such mempool transaction. Use -txindex"));
        using var other = new BitcoinChain("bitcoin", new BitcoinOptions { Network = BitcoinNetwork.Regtest, Nodes = [forgetful.Url] },
            (_, _) => throw new InvalidOperationException(), TimeProvider.System);
        var fate = await new BitcoinPayouts(other, Hot, _ => throw new InvalidOperationException())
            .Fate(plan.Reading.Claim, [ours.TxId], Ct);
        Assert.Equal((FateKind.Mined, ours.TxId, height), (fate.Kind, fate.TxId, fate.Height));
    }

    [Fact]
    public async Task A_reorg_makes_it_wait_again()
    {
        await Fund(400_000);
        var (plan, ours) = await Make([new PayoutOutput(await bcoin.Key(), null, 200_000)]);
        await chain.Broadcast(ours.Bytes, Ct);
        await bcoin.Mine();
        Assert.Equal(FateKind.Mined, (await Fate(plan, ours.TxId)).Kind);
        await bcoin.Reorg(1);
        Assert.Equal(FateKind.Waiting, (await Fate(plan, ours.TxId)).Kind);
        await bcoin.Forget(ours.TxId);
        Assert.Equal(FateKind.Unknown, (await Fate(plan, ours.TxId)).Kind);
        await chain.Broadcast(ours.Bytes, Ct);
        await bcoin.Mine();
        Assert.Equal(FateKind.Mined, (await Fate(plan, ours.TxId)).Kind);
    }

    [Fact]
    public async Task What_the_network_would_never_pass_on_is_refused_for_ever_before_anything_is_planned()
    {
        foreach (var (address, amount) in new[] { (await bcoin.Key(), 293L), (Hot.Change(5).Address, Coin), ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", Coin) })
            Assert.False((await Assert.ThrowsAsync<ChainFault>(() => payouts.Terms([new PayoutOutput(address, null, amount)], Ct))).Retryable);
        Assert.Equal(20_000, ((BitcoinTerms)await payouts.Terms([new PayoutOutput(await bcoin.Key(), null, 294)], Ct)).Rate);
    }

    [Fact]
    public async Task A_rate_comes_from_the_node_within_bounds()
    {
        await using var node = await AnsweringNode.Start(bcoin);
        using var other = new BitcoinChain("bitcoin", new BitcoinOptions { Network = BitcoinNetwork.Regtest, Nodes = [node.Url] },
            (_, _) => throw new InvalidOperationException(), TimeProvider.System);
        var asking = new BitcoinPayouts(other, Hot, _ => throw new InvalidOperationException());
        PayoutOutput[] outputs = [new(await bcoin.Key(), null, 100_000)];
        foreach (var (said, rate) in new[] { ("0.00012345", 12_345L), ("0.00000001", 1_000), ("0.06", 20_000), ("0.05", 5_000_000) })
        {
            node.On("estimatesmartfee", $$"""{"feerate":{{said}},"blocks":3}""");
            Assert.Equal(rate, ((BitcoinTerms)await asking.Terms(outputs, Ct)).Rate);
        }
    }

    private async Task Fund(params long[] values)
    {
        var txId = await bcoin.MinePayment([.. values.Select(value => (Hot.First.Address, value))]);
        coins.Clear();
        coins.AddRange(values.Select((value, i) => new HotCoin(txId, i, Hot.First.Address, Hot.First.Path, value)));
        Assert.Equal(coins, await payouts.Unspent(coins, Ct));
        Assert.Equal(values.Sum(), (long)Assert.Single(await payouts.Holdings([null], Ct)).Amount);
    }

    private PayoutFunds Funds() => new(null, coins, payouts.Change(coins.Count + 11), FeeMax, DateTimeOffset.UnixEpoch);

    private async Task<(PayoutPlan Plan, SignedPayout Signed)> Make(IReadOnlyList<PayoutOutput> outputs)
    {
        var planned = payouts.Plan(outputs, await payouts.Terms(outputs, Ct), Funds());
        Assert.Null(planned.WhyNot);
        Assert.Equal(outputs, planned.Plan!.Reading.Outputs);
        return (planned.Plan, Signed(planned.Plan));
    }

    private SignedPayout Signed(PayoutPlan plan) =>
        payouts.Accept(plan.Unsigned, BitcoinTransfer.Sign(plan.Unsigned, Hot, HotKeys.Sign).Bytes);

    private Task<PayoutFate> Fate(PayoutPlan plan, params string[] txIds) => payouts.Fate(plan.Reading.Claim, txIds, Ct);
}
