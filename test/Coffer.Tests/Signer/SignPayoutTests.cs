using Coffer.Chains.Evm;
using Coffer.Chains.Payouts;
using static Coffer.Tests.Signer.SignerWorld;

namespace Coffer.Tests.Signer;

/// <summary>What the signer signs on an EVM chain, and what it does not.</summary>
public sealed class SignPayoutTests : IDisposable
{
    private readonly SignerWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task A_payment_of_coin_and_one_of_a_token_are_signed_by_the_hot_wallet_and_logged()
    {
        var coin = await world.Signed(world.Pay(Coin("0.5"), nonce: 0));
        var token = await world.Signed(world.Pay(100_000_000, nonce: 1, asset: Token));
        Assert.Equal(["begun", "signed", "signed"], world.Log().Select(line => line.GetProperty("event").GetString()));
        Assert.Equal([coin.TxId, token.TxId], world.Log()[1..].Select(line => line.GetProperty("tx_id").GetString()));
    }

    [Fact]
    public async Task Another_destination_than_the_withdrawal_says_is_refused()
    {
        await world.Refused(SigningRefusalCode.OtherDestination, world.Pay(1, 0, bytes: transaction => transaction with { To = Other }), "do not pay " + Receiver);
        await world.Refused(SigningRefusalCode.OtherDestination, world.Pay(1, 0, asset: Token, bytes: transaction =>
            transaction with { Data = EvmTransfer.Call(new PayoutOutput(Other, Token, 1)).Data }));
        await world.Refused(SigningRefusalCode.OtherDestination, world.Pay(1, 0, asset: Token, bytes: transaction => transaction with { To = Other }));
        var one = world.Pay(1, 0);
        await world.Refused(SigningRefusalCode.OtherDestination, one with { Withdrawals = [] }, "which no withdrawal names");
        await world.Refused(SigningRefusalCode.OtherDestination, one with { Withdrawals = [.. one.Withdrawals, new("second", one.Withdrawals[0].Output)] });
        Assert.DoesNotContain(world.Log(), line => line.GetProperty("event").GetString() == "signed");
    }

    [Fact]
    public async Task Another_amount_than_the_withdrawal_says_is_refused()
    {
        await world.Refused(SigningRefusalCode.OtherAmount, world.Pay(1_000, 0, bytes: transaction => transaction with { Value = 1_001 }));
        await world.Refused(SigningRefusalCode.OtherAmount, world.Pay(1_000, 0, bytes: transaction => transaction with { Value = 999 }));
        await world.Refused(SigningRefusalCode.OtherAmount, world.Pay(1, 0, asset: Token, bytes: transaction =>
            transaction with { Data = EvmTransfer.Call(new PayoutOutput(Receiver, Token, 2)).Data }));
    }

    [Fact]
    public async Task A_fee_above_the_signers_cap_or_the_requests_is_refused()
    {
        await world.Signed(world.Pay(1, 0, fee: Coin("0.01")));
        await world.Refused(SigningRefusalCode.FeeAboveCap, world.Pay(1, 1, fee: Coin("0.01") + 21_000) with { FeeMax = Coin("1") }, "above the signer's fee_max of 0.01");
        await world.Refused(SigningRefusalCode.FeeAboveCap, world.Pay(1, 1, fee: Coin("0.002")) with { FeeMax = Coin("0.001") }, "the request allows");
    }

    [Fact]
    public async Task More_than_one_transaction_may_pay_is_refused_and_so_is_an_asset_without_limits()
    {
        await world.Refused(SigningRefusalCode.OverTransactionLimit, world.Pay(Coin("1") + 1, 0));
        await world.Refused(SigningRefusalCode.OverTransactionLimit, world.Pay(100_000_001, 0, asset: Token), "100.000001");
        await world.Refused(SigningRefusalCode.OverTransactionLimit, world.Pay(1, 0, asset: Other), "sets no limit");
        await world.Signed(world.Pay(Coin("1"), 0));
    }

    [Fact]
    public async Task More_than_a_day_may_pay_is_refused_also_after_a_restart_until_the_next_day()
    {
        await world.Signed(world.Pay(100_000_000, 0, asset: Token));
        await world.Signed(world.Pay(100_000_000, 1, asset: Token));
        await world.Refused(SigningRefusalCode.OverDayLimit, world.Pay(50_000_001, 2, asset: Token), "250.000001");
        world.Restart();
        await world.Refused(SigningRefusalCode.OverDayLimit, world.Pay(50_000_001, 2, asset: Token));
        await world.Signed(world.Pay(50_000_000, 2, asset: Token));
        await world.Refused(SigningRefusalCode.OverDayLimit, world.Pay(1, 3, asset: Token));

        // A clock that goes back opens no second day.
        world.Time.Now += TimeSpan.FromDays(-1);
        await world.Refused(SigningRefusalCode.OverDayLimit, world.Pay(1, 3, asset: Token));
        world.Time.Now += TimeSpan.FromDays(2);
        await world.Signed(world.Pay(100_000_000, 3, asset: Token));
    }

    [Fact]
    public async Task Fifty_requests_at_once_do_not_pass_the_limit_of_the_day()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(nonce =>
            Task.Run(() => world.Sign.Run(world.Pay(Coin("0.1"), nonce, id: $"w{nonce}"), TestContext.Current.CancellationToken))));
        Assert.Equal(30, answers.Count(answer => answer.Signed is not null));
        Assert.All(answers, answer => Assert.True(answer.Signed is not null || answer.Refusal!.Code == SigningRefusalCode.OverDayLimit));
    }

    [Fact]
    public async Task An_unknown_chain_and_bytes_for_another_chain_are_refused()
    {
        await world.Refused(SigningRefusalCode.UnknownChain, world.Pay(1, 0) with { Chain = "ethereum" });
        await world.Refused(SigningRefusalCode.UnknownChain, world.Pay(1, 0, bytes: transaction => transaction with { ChainId = 1 }));
    }

    [Fact]
    public async Task A_plan_with_any_bit_changed_is_refused()
    {
        var plan = world.Pay(Coin("0.001"), nonce: 7);
        for (var i = 0; i < plan.Unsigned.Length; i++)
        {
            byte[] changed = [.. plan.Unsigned];
            changed[i] ^= 0x10;
            var one = plan with { Unsigned = changed, Withdrawals = [plan.Withdrawals[0] with { Id = $"w{i}" }] };
            var (signed, refusal) = await world.Sign.Run(one, TestContext.Current.CancellationToken);
            // What is left to the caller: the nonce, and fees below the cap. Neither gives coins to anybody else.
            var same = signed is not null && EvmTransfer.Read(changed, world.Key("anvil").Address) is var reading
                && reading.Outputs.SequenceEqual([plan.Withdrawals[0].Output]) && reading.FeeMax <= Coin("0.01") && reading.ChainId == ChainId;
            Assert.True(refusal is not null || same, $"byte {i}");
        }
    }

    [Fact]
    public async Task What_is_not_a_payment_is_refused()
    {
        var plan = world.Pay(1, 0);
        await world.Refused(SigningRefusalCode.NotAPayment, plan with { Unsigned = [2, 0xC0] });
        await world.Refused(SigningRefusalCode.NotAPayment, plan with { Unsigned = [.. plan.Unsigned, 0] });
        // approve(address,uint256) of ERC-20.
        await world.Refused(SigningRefusalCode.NotAPayment, world.Pay(1, 0, asset: Token, bytes: transaction =>
            transaction with { Data = (byte[])[0x09, 0x5E, 0xA7, 0xB3, .. transaction.Data.Span[4..]] }));
    }

    [Fact]
    public async Task The_same_request_gets_the_same_bytes_and_counts_once_also_after_a_restart()
    {
        var request = world.Pay(Coin("1"), 0, id: "w");
        var first = await world.Signed(request);
        for (var i = 0; i < 5; i++)
            Assert.Equal(first.Bytes, (await world.Signed(request with { Payout = $"again-{i}" })).Bytes);
        world.Restart();
        Assert.Equal(first.Bytes, (await world.Signed(request)).Bytes);
        Assert.Equal(2, world.Log().Length);
        await world.Signed(world.Pay(Coin("1"), 1));
        await world.Signed(world.Pay(Coin("1"), 2));
        await world.Refused(SigningRefusalCode.OverDayLimit, world.Pay(1, 3));
    }

    [Fact]
    public async Task A_withdrawal_is_never_signed_under_a_second_nonce_also_after_a_restart()
    {
        await world.Signed(world.Pay(1_000, 5, id: "w"));
        await world.Refused(SigningRefusalCode.AlreadyPaid, world.Pay(1_000, 6, id: "w"));
        world.Restart();
        world.Time.Now += TimeSpan.FromDays(400);
        await world.Refused(SigningRefusalCode.AlreadyPaid, world.Pay(1_000, 4, id: "w"));
    }

    [Fact]
    public async Task A_withdrawal_stays_what_it_was_when_it_was_first_signed()
    {
        await world.Signed(world.Pay(1_000, 5, id: "w"));
        await world.Refused(SigningRefusalCode.NotThisPlan, world.Pay(1_000, 5, id: "w", to: Other));
        await world.Refused(SigningRefusalCode.NotThisPlan, world.Pay(2_000, 5, id: "w"));
    }

    [Fact]
    public async Task A_higher_fee_under_the_same_nonce_is_signed_and_the_amount_counted_once()
    {
        await world.Signed(world.Pay(Coin("1"), 0, id: "w", fee: 21_000_000));
        for (var i = 2; i < 6; i++)
            await world.Signed(world.Pay(Coin("1"), 0, id: "w", fee: i * 21_000_000));
        world.Restart();
        await world.Signed(world.Pay(Coin("1"), 1));
        await world.Signed(world.Pay(Coin("1"), 2));
        await world.Refused(SigningRefusalCode.OverDayLimit, world.Pay(1, 3));
    }

    [Fact]
    public async Task A_nonce_is_freed_by_sending_nothing_to_the_hot_wallet_and_to_nobody_else()
    {
        await world.Signed(Free(world.Key("anvil").Address));
        await world.Refused(SigningRefusalCode.NotAPayment, Free(Other));

        SigningRequest Free(string to) =>
            world.Pay(1, 9, bytes: transaction => transaction with { To = to, Value = 0 }) with { Withdrawals = [] };
    }

    [Fact]
    public async Task A_refusal_is_logged_once_and_a_signer_that_is_asked_for_ever_fills_no_disk()
    {
        var request = world.Pay(Coin("2"), 0);
        for (var i = 0; i < 10; i++)
            await world.Refused(SigningRefusalCode.OverTransactionLimit, request);
        Assert.Equal(["begun", "refused"], world.Log().Select(line => line.GetProperty("event").GetString()));
        Assert.Equal("over_transaction_limit", world.Log()[1].GetProperty("code").GetString());
    }
}
