using System.Globalization;
using System.Text.Json.Nodes;
using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;
using Coffer.Tests.Chains.Evm;

namespace Coffer.Tests.Chains.Tron;

/// <summary>What may be said of a transaction on Tron, and when: dead is only what no block can take any more.</summary>
public sealed class TronFateTests(NodeFolder folder) : IAsyncLifetime
{
    private static readonly string _nobodys = new('7', 64);
    private static readonly TimeSpan _life = TimeSpan.FromMinutes(10);
    private EvmWorld world = null!;
    private TronStub node = null!;
    private TronChain chain = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        world = await EvmWorld.Start(folder);
        node = await TronStub.Start(world.Node);
        chain = new TronChain(new TronOptions("tron", EvmWorld.ChainId, []), [node.Url], (_, _) => throw new InvalidOperationException(),
            TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        chain.Dispose();
        await node.DisposeAsync();
        await world.DisposeAsync();
    }

    [Fact]
    public async Task What_nobody_knows_is_dead_when_the_final_head_is_past_its_expiration_and_not_before()
    {
        await world.Node.Mine(3);
        var expires = await Time() + TimeSpan.FromSeconds(30);
        Assert.Equal(FateKind.Unknown, (await Fate(expires, _nobodys)).Kind);
        await MineAt(expires);
        Assert.Equal(FateKind.Unknown, (await Fate(expires, _nobodys)).Kind);

        // The newest block is past it, but it is not final.
        node.Waiting = 1;
        await MineAt(expires.AddSeconds(3));
        Assert.Equal(FateKind.Unknown, (await Fate(expires, _nobodys)).Kind);
        await world.Node.Mine();
        Assert.Equal(FateKind.Dead, (await Fate(expires, _nobodys)).Kind);
    }

    [Fact]
    public async Task What_is_in_a_final_block_is_not_dead_although_an_index_does_not_know_it()
    {
        var paid = await world.Node.Pay(EvmWorld.Ours, 5);
        await world.Node.Mine();
        var expires = await Time() + TimeSpan.FromSeconds(3);
        await MineAt(expires.AddSeconds(60));
        node.Instead = (path, _) => path.EndsWith("/gettransactionbyid", StringComparison.Ordinal) ? new JsonObject() : null;
        Assert.Equal(FateKind.Unknown, (await Fate(expires, paid[2..])).Kind);

        // On top of a block that was in time, a later one may hold it too.
        var late = await world.Node.Pay(EvmWorld.Ours, 6);
        expires = await Time() + TimeSpan.FromSeconds(1);
        await MineAt(expires.AddSeconds(60));
        Assert.Equal(FateKind.Unknown, (await Fate(expires, late[2..])).Kind);
        Assert.Equal(FateKind.Dead, (await Fate(expires, _nobodys)).Kind);
    }

    [Fact]
    public async Task What_was_mined_moved_something_or_did_not()
    {
        var (coin, token) = (await world.Node.Pay(EvmWorld.Ours, 5), await world.Transfer(world.Tether, EvmWorld.Ours, 5));
        var odd = await world.Transfer(world.Odd, EvmWorld.Ours, 5);
        await world.Node.Mine();
        var height = await world.Node.Height();
        await world.Node.Send(world.Tether, Abi.Call("setPaused(bool)", 1));
        await world.Node.Mine();
        var paused = await world.Transfer(world.Tether, EvmWorld.Ours, 5);
        await world.Node.Mine();
        var waiting = await world.Node.Pay(EvmWorld.Ours, 7);
        node.Fees[coin[2..]] = 270_000;

        var expires = await Time() + TimeSpan.FromMinutes(1);
        Assert.Equal((FateKind.Mined, coin[2..], height, 270_000), await Fate(expires, _nobodys, coin[2..]) is var mined
            ? (mined.Kind, mined.TxId, mined.Height, (int)mined.Fee!) : default);
        Assert.Equal(FateKind.Mined, (await Fate(expires, token[2..])).Kind);
        Assert.Equal(FateKind.Reverted, (await Fate(expires, paused[2..])).Kind);
        Assert.Equal(FateKind.Reverted, (await Fate(expires, odd[2..])).Kind);
        Assert.Equal(FateKind.Waiting, (await Fate(expires, waiting[2..])).Kind);
    }

    [Fact]
    public async Task A_payment_costs_energy_bandwidth_and_what_a_new_account_costs()
    {
        var (hot, tether) = (TronAddress.OfHex(world.Node.Accounts[0])!, TronAddress.OfHex(world.Tether)!);
        var resources = new JsonObject();
        node.Instead = (path, body) => path switch
        {
            "/wallet/getnowblock" => JsonNode.Parse("""{"block_header":{"raw_data":{"timestamp":1700000000000}}}"""),
            "/wallet/getaccount" => body["address"]!.GetValue<string>() == "41" + hot41() ? JsonNode.Parse($$"""{"address":"41{{hot41()}}","balance":5000000}""")
                : new JsonObject(),
            "/wallet/getaccountresource" => resources.DeepClone(),
            "/wallet/getchainparameters" => JsonNode.Parse("""
                {"chainParameter":[{"key":"getTransactionFee","value":1000},{"key":"getEnergyFee","value":210},
                {"key":"getCreateAccountFee","value":100000},{"key":"getCreateNewAccountFeeInSystemContract","value":1000000}]}
                """),
            "/wallet/triggerconstantcontract" => JsonNode.Parse(body["function_selector"]!.GetValue<string>() == "balanceOf(address)"
                ? $$"""{"result":{"result":true},"constant_result":["{{1_000.ToString("x64", CultureInfo.InvariantCulture)}}"]}"""
                : """{"result":{"result":true},"energy_used":64000,"constant_result":[""]}"""),
            _ => null,
        };

        var coin = await Terms(new PayoutOutput(TronAddress.OfHex(EvmWorld.Ours)!, null, 5));
        Assert.Equal((1_100_000, 5_000_000, 0L), ((int)coin.FeeExpected, (int)coin.Held, coin.FeeLimit));
        var token = await Terms(new PayoutOutput(TronAddress.OfHex(EvmWorld.Ours)!, tether, 5));
        Assert.Equal((64_000 * 210) + 350_000, (int)token.FeeExpected);
        Assert.Equal((64_000 * 130 / 100 * 210, 1_000, 5_000_000), ((int)token.FeeLimit, (int)token.Held, (int)token.HeldForFee));
        resources = JsonNode.Parse("""{"freeNetLimit":600,"freeNetUsed":100,"EnergyLimit":60000,"EnergyUsed":10000}""")!.AsObject();
        Assert.Equal(14_000 * 210, (int)(await Terms(new PayoutOutput(TronAddress.OfHex(EvmWorld.Ours)!, tether, 5))).FeeExpected);

        Task<TronTerms> Terms(PayoutOutput output) => chain.Use((one, ct) => TronAsk.Terms(one, hot, output, ct), Ct);
        string hot41() => TronAddress.ToHex(hot)[2..];
    }

    [Fact]
    public async Task A_token_that_refuses_is_final_only_where_the_wallet_has_enough()
    {
        var (hot, held) = (TronAddress.OfHex(world.Node.Accounts[0])!, 4);
        node.Instead = (path, body) => path switch
        {
            "/wallet/getnowblock" => JsonNode.Parse("""{"block_header":{"raw_data":{"timestamp":1700000000000}}}"""),
            "/wallet/getaccount" or "/wallet/getaccountresource" => new JsonObject(),
            "/wallet/triggerconstantcontract" => JsonNode.Parse(body["function_selector"]!.GetValue<string>() == "balanceOf(address)"
                ? $$"""{"result":{"result":true},"constant_result":["{{held.ToString("x64", CultureInfo.InvariantCulture)}}"]}"""
                : """{"result":{"result":true,"message":"REVERT opcode executed"},"energy_used":600,"transaction":{"ret":[{"ret":"FAILED"}]}}"""),
            _ => null,
        };
        var output = new PayoutOutput(TronAddress.OfHex(EvmWorld.Ours)!, TronAddress.OfHex(world.Tether)!, 5);
        Assert.Equal(4, (int)(await chain.Use((one, ct) => TronAsk.Terms(one, hot, output, ct), Ct)).Held);
        held = 5;
        var fault = await Assert.ThrowsAsync<ChainFault>(() => chain.Use((one, ct) => TronAsk.Terms(one, hot, output, ct), Ct));
        Assert.False(fault.Retryable);
    }

    private Task<PayoutFate> Fate(DateTimeOffset expires, params string[] txIds) =>
        chain.Use((one, ct) => TronFate.Of(one, TronChain.Spelling, new PayoutClaim(null, [], expires, expires - _life), txIds, ct), Ct);

    private async Task<DateTimeOffset> Time() => DateTimeOffset.FromUnixTimeSeconds(long.Parse(
        (await world.Node.Call("eth_getBlockByNumber", "latest", false)).GetProperty("timestamp").GetString()![2..],
        NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private async Task MineAt(DateTimeOffset time)
    {
        await world.Node.Call("evm_setNextBlockTimestamp", time.ToUnixTimeSeconds());
        await world.Node.Mine();
    }
}
