using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Payouts;
using Coffer.Tests.Chains.Evm;

namespace Coffer.Tests.Payouts;

/// <summary>Withdrawals from the ledger to a real node and back into the ledger.</summary>
public sealed class PayEvmTests(TestCluster cluster, NodeFolder folder) : IAsyncLifetime
{
    private PayWorld _world = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await PayWorld.Start(cluster, folder);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Coin_and_tokens_arrive_at_addresses_that_ethers_made_and_are_settled_with_what_the_network_took()
    {
        var made = JsonDocument.Parse(await folder.Run("addresses.cjs")).RootElement.GetProperty("evm").GetProperty("addresses");
        string[] receivers = [.. made.EnumerateArray().Skip(10).Take(3).Select(one => one.GetString()!)];
        var paying = _world.Paying();
        await paying.Withdraw("a", PayingEvm.Ether / 2, receivers[0]);
        await paying.Withdraw("b", 7, receivers[1], "STD");
        await paying.Withdraw("c", 9, receivers[2], "USDT");
        var before = await _world.Held(receivers[0]);
        await paying.Round(Ct);
        Assert.Equal("4 4 4", await _world.States());
        await _world.Mine(1, paying);
        Assert.Equal("5 5 5", await _world.States());
        await _world.Mine(PayingEvm.Confirmations - 1, paying);
        Assert.Equal("6 6 6", await _world.States());
        Assert.Equal(EvmWorld.Coin / 2, await _world.Held(receivers[0]) - before);
        Assert.Equal(7, await _world.Held(receivers[1], _world.Chain.Token));
        Assert.Equal(9, await _world.Held(receivers[2], _world.Chain.Tether));

        // Whatever the hot wallet has less of the coin is what was paid, and what the rows say that the network took.
        var paid = BigInteger.Parse((await _world.Scalar<string>("SELECT sum(network_fee_paid)::text FROM withdrawal"))!, null);
        Assert.Equal(PayWorld.Plenty - (EvmWorld.Coin / 2) - await _world.Held(TestHotKey.Address), paid);
        await _world.Clean();
    }

    [Fact]
    public async Task A_broadcast_that_was_taken_and_never_answered_is_unknown_until_it_is_found_and_pays_once()
    {
        await using var node = await FaultyRpc.Start(_world.Node.Url);
        node.Alter = (method, _, reply) => method == "eth_sendRawTransaction" ? null : reply;
        var paying = _world.Paying(node.Url);
        await paying.Withdraw("w", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        Assert.Equal("10", await _world.States());

        // The node that did not answer is left alone for a while; another process need not.
        var next = _world.Paying();
        await next.Round(Ct);
        Assert.Equal("4", await _world.States());
        await _world.Mine(PayingEvm.Confirmations, next);
        await Paid(1, 1_000);
    }

    [Fact]
    public async Task What_the_node_forgot_is_sent_again_as_the_same_bytes()
    {
        var paying = _world.Paying();
        await paying.Withdraw("w", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        var sent = await _world.Scalar<string>("SELECT tx_id FROM withdrawal");
        await _world.Node.Call("anvil_dropTransaction", sent);
        Assert.Equal(JsonValueKind.Null, (await _world.Node.Call("eth_getTransactionByHash", sent)).ValueKind);
        await paying.Round(Ct);
        Assert.Equal(JsonValueKind.Object, (await _world.Node.Call("eth_getTransactionByHash", sent)).ValueKind);
        Assert.Equal(2, await _world.Scalar<int>("SELECT tries FROM payout_attempt"));
        await _world.Mine(PayingEvm.Confirmations, paying);
        await Paid(1, 1_000);
    }

    [Fact]
    public async Task A_reorg_after_completion_takes_the_settlement_back_until_the_same_transaction_is_mined_again()
    {
        var paying = _world.Paying();
        await paying.Withdraw("w", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations, paying);
        Assert.Equal("6", await _world.States());
        var sent = await _world.Scalar<string>("SELECT tx_id FROM withdrawal");

        await _world.Node.Reorg(PayingEvm.Confirmations);
        Assert.Equal(0, await _world.Held(PayWorld.Receiver(1)));
        await _world.Mine(1, paying);
        Assert.Equal("4", await _world.States());
        Assert.Equal(1_001, await _world.Scalar<decimal>("SELECT held FROM balance WHERE currency = 'ETH'"));
        await _world.Mine(PayingEvm.Confirmations + 1, paying);
        Assert.Equal(sent, await _world.Scalar<string>("SELECT tx_id FROM withdrawal"));
        await Paid(1, 1_000);

        // Settled, taken back, settled: what the customer is shown adds up to one.
        Assert.Equal(1_001, await _world.Scalar<decimal>("SELECT withdrawn FROM balance WHERE currency = 'ETH'"));
    }

    [Fact]
    public async Task What_is_signed_otherwise_than_planned_is_never_sent()
    {
        var paying = _world.Paying();
        var honest = paying.Paying;
        paying.Paying = honest with
        {
            Signer = (request, _) =>
            {
                var other = Coffer.Chains.Evm.FeeMarketTransaction.Parse(request.Unsigned) with { To = PayWorld.Receiver(2) };
                return Task.FromResult(new SigningAnswer(TestHotKey.Sign(other.Unsigned()), null));
            },
        };
        await paying.Withdraw("w", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        Assert.Equal("3", await _world.States());
        Assert.Equal(0, await _world.Scalar<long>("SELECT count(*) FROM payout_attempt WHERE signed IS NOT NULL"));
        paying.Paying = honest;
        await paying.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations, paying);
        Assert.Equal(0, await _world.Held(PayWorld.Receiver(2)));
        await Paid(1, 1_000);
    }

    [Fact]
    public async Task While_the_node_is_away_nothing_is_lost_and_afterwards_everything_is_paid()
    {
        await using var node = await FaultyRpc.Start(_world.Node.Url);
        var paying = _world.Paying(node.Url);
        await paying.Withdraw("a", 1_000, PayWorld.Receiver(1));
        await paying.Round(Ct);
        node.Instead = context =>
        {
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };
        await paying.Withdraw("b", 2_000, PayWorld.Receiver(2));
        await Assert.ThrowsAsync<Coffer.Chains.ChainFault>(() => paying.Round(Ct));
        Assert.Equal("4 1", await _world.States());
        node.Instead = _ => Task.FromResult(false);
        await using var next = new PayingEvm(_world.Database, node.Url, _world.Tokens);
        await next.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations, next);
        Assert.Equal(2_000, await _world.Held(PayWorld.Receiver(2)));
        Assert.Equal("6 6", await _world.States());
        Assert.Equal(1_000, await _world.Held(PayWorld.Receiver(1)));
        await _world.Clean();
    }

    [Fact]
    public async Task A_token_that_says_no_or_fails_is_found_out_before_anything_is_signed()
    {
        var paying = _world.Paying();
        await _world.Node.Send(_world.Chain.Tether, Abi.Call("setPaused(bool)", 1));
        await _world.Node.Mine();
        await paying.Withdraw("is no token", 4, PayWorld.Receiver(1), "ODD");
        await paying.Withdraw("says no", 5, PayWorld.Receiver(1), "NO");
        await paying.Withdraw("fails", 6, PayWorld.Receiver(2), "USDT");
        await paying.Withdraw("the hot wallet itself", 7, TestHotKey.Address);
        await paying.Round(Ct);
        Assert.Equal("1 8 8 8", await _world.States());
        Assert.Equal("funds", await _world.Scalar<string>("SELECT waits_for FROM withdrawal WHERE state = 1"));
        Assert.Equal(0, await _world.Scalar<long>("SELECT count(*) FROM payout"));
        Assert.Contains("refuses", await _world.Scalar<string>("SELECT min(reason) FROM withdrawal"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_mined_and_moved_nothing_is_given_back()
    {
        var paying = _world.Paying();
        await paying.Withdraw("w", 6, PayWorld.Receiver(2), "USDT");
        await paying.Round(Ct);

        // Paid for more, so that it is the first in the block.
        await _world.Node.Call("eth_sendTransaction", new
        {
            from = _world.Node.Accounts[0],
            to = _world.Chain.Tether,
            input = Abi.Call("setPaused(bool)", 1),
            maxFeePerGas = Anvil.Hex(1_000_000_000_000),
            maxPriorityFeePerGas = Anvil.Hex(900_000_000_000),
        });
        await _world.Mine(PayingEvm.Confirmations, paying);
        Assert.Equal("8", await _world.States());
        Assert.Equal(1, await _world.Nonce());
        Assert.Equal(0, await _world.Scalar<decimal>("SELECT withdrawn FROM balance WHERE currency = 'USDT'"));
        await _world.Clean();
    }

    private async Task Paid(int receiver, int amount)
    {
        Assert.Equal("6", await _world.States());
        Assert.Equal(amount, await _world.Held(PayWorld.Receiver(receiver)));
        Assert.Equal(1, await _world.Nonce());
        Assert.Equal(1, await _world.Scalar<long>("SELECT count(*) FROM payout_attempt"));
        await _world.Clean();
    }
}
