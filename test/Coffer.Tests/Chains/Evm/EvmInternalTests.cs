using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Evm;

namespace Coffer.Tests.Chains.Evm;

/// <summary>Coin that contracts move: seen in traces only, and only where every caller above succeeded.</summary>
public sealed class EvmInternalTests(NodeFolder folder)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TraceKind.Debug)]
    [InlineData(TraceKind.Trace)]
    public async Task Coin_from_a_contract_is_told_by_its_place_in_the_calls(TraceKind traces)
    {
        await using var world = await EvmWorld.Start(folder);
        var plain = await world.Pay("coin(address,uint256)", EvmWorld.Ours, 1_000);
        var second = await world.Pay("coinSecondTime(address,uint256)", EvmWorld.AlsoOurs, 2_000);
        await world.Pay("coinNever(address,uint256)", EvmWorld.Ours, 3_000);
        await world.Pay("coin(address,uint256)", EvmWorld.Stranger, 4_000);
        var direct = await world.Node.Pay(EvmWorld.Ours, 5_000);
        var block = await world.Mined(traces);

        // Of the second, the calls in order: coinSecondTime, coinThenRevert, coin, the payment taken back, the payment that stays.
        Assert.Equal([
            new ChainTransfer(plain, TransferKind.Internal, 1, EvmWorld.Ours, null, 1_000),
            new ChainTransfer(second, TransferKind.Internal, 4, EvmWorld.AlsoOurs, null, 2_000),
            new ChainTransfer(direct, TransferKind.Native, 0, EvmWorld.Ours, null, 5_000),
        ], block.Transfers.OrderBy(one => one.Amount));
    }

    [Theory]
    [InlineData(TraceKind.Debug)]
    [InlineData(TraceKind.Trace)]
    public async Task A_payment_by_borrowed_code_counts_once(TraceKind traces)
    {
        await using var world = await EvmWorld.Start(folder);
        var paid = await world.Node.Send(world.Payer, Abi.Call("borrowed(address,uint256)", EvmWorld.Ours, 7_000), 7_000);
        var block = await world.Mined(traces);

        Assert.Equal([new ChainTransfer(paid, TransferKind.Internal, 2, EvmWorld.Ours, null, 7_000)], block.Transfers);
    }

    [Fact]
    public async Task A_contract_that_ends_leaves_us_what_it_held()
    {
        await using var world = await EvmWorld.Start(folder);
        var ended = await world.Pay("end(address)", EvmWorld.Ours);
        var block = await world.Mined(TraceKind.Debug);

        var held = (await world.Chain().Holdings(block.Height, block.Hash, null, [EvmWorld.Ours], Ct))[0];
        Assert.Equal([new ChainTransfer(ended, TransferKind.Internal, 1, EvmWorld.Ours, null, held)], block.Transfers);
        Assert.Equal(100 * EvmWorld.Coin, held);
    }

    [Fact]
    public async Task Without_traces_such_coin_is_not_seen()
    {
        await using var world = await EvmWorld.Start(folder);
        await world.Pay("coin(address,uint256)", EvmWorld.Ours, 1_000);

        Assert.Empty((await world.Mined()).Transfers);
    }

    [Fact]
    public void A_call_borrowed_or_failed_moves_nothing_whatever_the_tracer_prints()
    {
        var tree = JsonElement.Parse("""
            {"type":"CALL","from":"0x0000000000000000000000000000000000000001","to":"0x0000000000000000000000000000000000000002","value":"0x9","calls":[
             {"type":"DELEGATECALL","from":"0x0000000000000000000000000000000000000002","to":"0x00000000000000000000000000000000000000aa","value":"0x9"},
             {"type":"CALLCODE","from":"0x0000000000000000000000000000000000000002","to":"0x00000000000000000000000000000000000000aa","value":"0x9"},
             {"type":"STATICCALL","from":"0x0000000000000000000000000000000000000002","to":"0x00000000000000000000000000000000000000aa"},
             {"type":"CALL","from":"0x0000000000000000000000000000000000000002","to":"0x0000000000000000000000000000000000000003","value":"0x0","error":"execution reverted","calls":[
              {"type":"CALL","from":"0x0000000000000000000000000000000000000003","to":"0x0000000000000000000000000000000000000004","value":"0x0","calls":[
               {"type":"CALL","from":"0x0000000000000000000000000000000000000004","to":"0x00000000000000000000000000000000000000aa","value":"0x5"}]}]},
             {"type":"CREATE","from":"0x0000000000000000000000000000000000000002","to":"0x00000000000000000000000000000000000000bb","value":"0x6"},
             {"type":"SELFDESTRUCT","from":"0x0000000000000000000000000000000000000002","to":"0x0000000000000000000000000000000000000002","value":"0x7"},
             {"type":"CALL","from":"0x0000000000000000000000000000000000000002","to":"0x00000000000000000000000000000000000000aa","value":"0x8"}]}
            """);

        Assert.Equal([(7, 6), (9, 8)], EvmCalls.Tree("0x", tree).Select(call => (call.Ordinal, (int)call.Amount)));
    }
}
