using System.Numerics;
using Coffer.Tests.Chains.Evm;

namespace Coffer.Tests.Payouts;

/// <summary>What becomes of payments when the price of a block rises, and of nonces that others use or nobody does.</summary>
public sealed class PayFeeTests(TestCluster cluster, NodeFolder folder) : IAsyncLifetime
{
    private static readonly BigInteger Spike = 200 * (BigInteger)PayingEvm.Gwei;
    private PayWorld _world = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await PayWorld.Start(cluster, folder);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task When_the_fee_rises_a_replacement_is_offered_and_what_is_mined_settles_and_is_charged_alone()
    {
        var paying = await Stuck();
        await paying.Round(Ct);
        await paying.Round(Ct);
        Assert.Equal(2, await _world.Scalar<long>("SELECT count(*) FROM payout_attempt WHERE sent_at IS NOT NULL"));
        var replacement = await _world.Scalar<string>("SELECT tx_id FROM payout_attempt WHERE number = 2");
        await _world.Mine(PayingEvm.Confirmations, paying);
        await Paid(replacement!);
    }

    [Fact]
    public async Task The_original_may_be_mined_after_its_replacement_was_made_and_settles_alone()
    {
        var paying = await Stuck();
        var original = await _world.Scalar<string>("SELECT tx_id FROM payout_attempt WHERE number = 1");
        var raw = await _world.Scalar<string>("SELECT '0x' || encode(signed, 'hex') FROM payout_attempt WHERE number = 1");
        await paying.Round(Ct);
        await paying.Round(Ct);
        var replacement = await _world.Scalar<string>("SELECT tx_id FROM payout_attempt WHERE number = 2");
        Assert.NotEqual(original, replacement);

        // Whoever makes the block has never heard of the replacement.
        await _world.Node.Call("anvil_dropTransaction", replacement);
        await BaseFee(PayingEvm.Gwei / 10);
        await _world.Node.Call("eth_sendRawTransaction", raw);
        await _world.Node.Mine();
        await _world.Mine(PayingEvm.Confirmations - 1, paying);
        await Paid(original!);
    }

    [Fact]
    public async Task Above_the_highest_fee_it_waits_and_is_paid_when_the_fee_has_fallen()
    {
        var time = new FakeTime(TimeProvider.System.GetUtcNow());
        var paying = _world.Paying(time: time);
        paying.Paying = paying.Paying with { FeeMax = 21_000 * PayingEvm.Gwei * 100 };
        await BaseFee((Int128)Spike);
        await _world.Node.Mine();
        await paying.Withdraw("w", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        Assert.Equal("1", await _world.States());
        Assert.Equal("fee", await _world.Scalar<string>("SELECT waits_for FROM withdrawal"));
        Assert.Equal(0, await _world.Scalar<long>("SELECT count(*) FROM payout"));
        await BaseFee(PayingEvm.Gwei / 10);
        await _world.Node.Mine();
        await paying.Round(Ct);
        Assert.Equal("1", await _world.States());
        time.Now += TimeSpan.FromMinutes(2);
        await paying.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations, paying);
        Assert.Equal("6", await _world.States());
        Assert.Equal(1_000, await _world.Held(PayWorld.Receiver(1)));
        await _world.Clean();
    }

    [Fact]
    public async Task A_bump_never_goes_above_the_highest_fee()
    {
        var paying = await Stuck();
        paying.Paying = paying.Paying with { FeeMax = 21_000 * PayingEvm.Gwei * 100 };
        for (var i = 0; i < 5; i++)
            await paying.Round(Ct);
        Assert.Equal("fee", await _world.Scalar<string>("SELECT waits_for FROM withdrawal"));
        Assert.InRange(await _world.Scalar<decimal>("SELECT max(fee_max) FROM payout_attempt"), 1, (decimal)paying.Paying.FeeMax);
    }

    [Fact]
    public async Task Without_enough_of_the_coin_or_the_token_it_waits_and_says_which()
    {
        var paying = _world.Paying();
        await _world.Node.Call("anvil_setBalance", TestHotKey.Address, Anvil.Hex(10));
        await paying.Withdraw("token without gas", 5, PayWorld.Receiver(1), "STD");
        await paying.Withdraw("coin", 50, PayWorld.Receiver(2));
        await paying.Withdraw("token that is not there", 5, PayWorld.Receiver(3), "ODD");
        await paying.Round(Ct);
        Assert.Equal("gas funds funds", await _world.Scalar<string>("SELECT string_agg(waits_for, ' ' ORDER BY id) FROM withdrawal"));
        await _world.Node.Call("anvil_setBalance", TestHotKey.Address, Anvil.Hex(EvmWorld.Coin));
        await paying.Round(Ct);
        Assert.Equal("4 4 1", await _world.States());
    }

    [Fact]
    public async Task A_nonce_that_somebody_else_used_is_proven_by_a_final_block_and_the_withdrawal_given_back()
    {
        var paying = _world.Paying();
        await paying.Withdraw("w", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        await _world.Node.Call("anvil_dropTransaction", await _world.Scalar<string>("SELECT tx_id FROM withdrawal"));
        await _world.Node.Call("anvil_impersonateAccount", TestHotKey.Address);
        await _world.Node.Call("eth_sendTransaction", new { from = TestHotKey.Address, to = PayWorld.Receiver(9), value = "0x5" });
        await _world.Mine(1, paying);

        // In a block, but not a final one: that proves nothing yet.
        Assert.Equal("10", await _world.States());
        await _world.Mine(3, paying);
        Assert.Equal("8", await _world.States());
        Assert.Equal(0, await _world.Held(PayWorld.Receiver(1)));
        await _world.Clean();

        // The next one takes the next nonce; one more that was used in the meantime is skipped and told.
        await _world.Node.Call("eth_sendTransaction", new { from = TestHotKey.Address, to = PayWorld.Receiver(9), value = "0x5" });
        await _world.Node.Mine();
        await paying.Withdraw("next", 2_000, PayWorld.Receiver(2));
        await paying.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations, paying);
        Assert.Equal("8 6", await _world.States());
        Assert.Contains("nonces 1 to 1", await _world.Scalar<string>("SELECT foreign_use FROM hot_wallet"), StringComparison.Ordinal);
        await _world.Clean();
    }

    private async Task BaseFee(Int128 fee) => await _world.Node.Call("anvil_setNextBlockBaseFeePerGas", Anvil.Hex((BigInteger)fee));

    /// <summary>A payment that was sent for the fee of before, and a last block whose fee is far above it.</summary>
    private async Task<PayingEvm> Stuck()
    {
        var paying = _world.Paying();
        await paying.Withdraw("w", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        await BaseFee((Int128)Spike);
        await _world.Node.Mine();
        Assert.Equal(0, await _world.Held(PayWorld.Receiver(1)));
        paying.Paying = paying.Paying with { BumpAfter = TimeSpan.Zero };
        return paying;
    }

    private async Task Paid(string txId)
    {
        Assert.Equal("6", await _world.States());
        Assert.Equal(txId, await _world.Scalar<string>("SELECT tx_id FROM withdrawal"));
        Assert.Equal(1_000, await _world.Held(PayWorld.Receiver(1)));
        Assert.Equal(1, await _world.Nonce());
        var paid = BigInteger.Parse((await _world.Scalar<string>("SELECT network_fee_paid::text FROM withdrawal"))!, null);
        Assert.Equal(PayWorld.Plenty - 1_000 - await _world.Held(TestHotKey.Address), paid);
        await _world.Clean();
    }
}
