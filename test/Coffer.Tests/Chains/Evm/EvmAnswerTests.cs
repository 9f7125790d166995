using Coffer.Chains;
using Coffer.Chains.Evm;

namespace Coffer.Tests.Chains.Evm;

/// <summary>What the chain answers beside its blocks: its tip, one transaction, what addresses hold, sending, and fees.</summary>
public sealed class EvmAnswerTests(NodeFolder folder)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_tip_says_what_is_final_where_the_chain_does()
    {
        await using var world = await EvmWorld.Start(folder);
        await using var node = await FaultyRpc.Start(world.Node.Url);
        await world.Node.Mine(10);
        var height = await world.Node.Height();
        var chain = world.Chain(nodes: node.Url);
        var tip = await chain.Tip(Ct);
        Assert.Equal((height, height - 2), (tip.Height, tip.Finalized));
        Assert.Equal(tip.Hash, (await chain.Blocks(height, 1, Ct))[0].Hash);

        node.Alter = (method, parameters, reply) => method == "eth_getBlockByNumber" && parameters[0]!.GetValue<string>() == "finalized"
            ? FaultyRpc.Error(reply, -39001, "finalized block not found") : reply;
        Assert.Equal((height, null), ((await chain.Tip(Ct)).Height, (await chain.Tip(Ct)).Finalized));
    }

    [Fact]
    public async Task A_replaced_block_is_another_block_and_its_transactions_are_unknown()
    {
        await using var world = await EvmWorld.Start(folder);
        var paid = await world.Node.Pay(EvmWorld.Ours, 5);
        var before = await world.Mined();
        var chain = world.Chain();
        Assert.Equal((TransactionState.Included, before.Height, before.Hash), Tuple(await chain.Status(paid, Ct)));

        await world.Node.Reorg(1);
        var after = (await chain.Blocks(before.Height, 1, Ct))[0];
        Assert.NotEqual(before.Hash, after.Hash);
        Assert.Equal(before.ParentHash, after.ParentHash);
        Assert.Empty(after.Transfers);
        Assert.Equal((TransactionState.Unknown, null, null), Tuple(await chain.Status(paid, Ct)));
        Assert.Null(await chain.Transaction(paid, Ct));
        await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(before.Height, before.Hash, null, [EvmWorld.Ours], Ct));
    }

    [Fact]
    public async Task A_transaction_is_explained_whoever_it_pays_and_whatever_came_of_it()
    {
        await using var world = await EvmWorld.Start(folder);
        var chain = world.Chain(TraceKind.Debug);
        var waiting = await world.Transfer(world.LookAlike, EvmWorld.Stranger, 3);
        var seen = (await chain.Transaction(waiting, Ct))!;
        Assert.Equal(TransactionState.Mempool, seen.Status.State);
        Assert.Equal([new ChainTransfer(waiting, TransferKind.Token, 0, EvmWorld.Stranger, world.LookAlike, 3)], seen.Transfers);

        var failing = await world.Transfer(world.Token, EvmWorld.Ours, EvmWorld.Supply * 2);
        var inside = await world.Pay("coin(address,uint256)", EvmWorld.Stranger, 9);
        var nothing = await world.Transfer(world.Token, EvmWorld.Ours, 0);
        var block = await world.Mined();
        var mined = (await chain.Transaction(waiting, Ct))!;
        Assert.Equal((TransactionState.Included, block.Height, block.Hash), Tuple(mined.Status));
        Assert.Equal(seen.Transfers, mined.Transfers);
        Assert.Equal((block.Time, $"127.0.0.1:{world.Node.Url.Port}"), (mined.BlockTime, mined.Node));

        var failed = (await chain.Transaction(failing, Ct))!;
        Assert.Equal(TransactionState.Failed, failed.Status.State);
        Assert.Equal([new ChainTransfer(failing, TransferKind.Token, 0, EvmWorld.Ours, world.Token, EvmWorld.Supply * 2)], failed.Transfers);
        Assert.Equal([new ChainTransfer(inside, TransferKind.Internal, 1, EvmWorld.Stranger, null, 9)],
            (await chain.Transaction(inside, Ct))!.Transfers);
        Assert.Equal([new ChainTransfer(nothing, TransferKind.Token, 0, EvmWorld.Ours, world.Token, 0)],
            (await chain.Transaction(nothing, Ct))!.Transfers);
    }

    [Fact]
    public async Task A_transaction_id_is_read_in_any_case_and_without_its_prefix()
    {
        await using var world = await EvmWorld.Start(folder);
        var chain = world.Chain();
        var id = "0x" + new string('a', 62) + "09";
        Assert.All([id, id[2..], "0x" + id[2..].ToUpperInvariant()], text => Assert.Equal(id, chain.ReadTxId(text)));
        Assert.All(["", "0x", id + "0", id[..^1], id[..^1] + "g"], text => Assert.Null(chain.ReadTxId(text)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Holdings_are_those_after_the_named_block(bool byHash)
    {
        await using var world = await EvmWorld.Start(folder);
        await using var node = await FaultyRpc.Start(world.Node.Url);
        await world.Node.Pay(EvmWorld.Ours, 5);
        await world.Transfer(world.Tether, EvmWorld.AlsoOurs, 6);
        var block = await world.Mined();
        await world.Node.Pay(EvmWorld.Ours, 50);
        await world.Transfer(world.Tether, EvmWorld.AlsoOurs, 60);
        await world.Node.Mine();
        var asked = 0;
        node.Alter = (method, parameters, reply) =>
        {
            if (method is not ("eth_getBalance" or "eth_call"))
                return reply;
            asked++;
            return byHash || parameters[1] is System.Text.Json.Nodes.JsonValue
                ? reply : FaultyRpc.Error(reply, -32602, "invalid argument 1: json: cannot unmarshal object");
        };
        var chain = world.Chain(nodes: node.Url);

        Assert.Equal([5, 0], await chain.Holdings(block.Height, block.Hash, null, [EvmWorld.Ours, EvmWorld.AlsoOurs], Ct));
        Assert.Equal([0, 6], await chain.Holdings(block.Height, block.Hash, world.Tether, [EvmWorld.Ours, EvmWorld.AlsoOurs], Ct));
        Assert.Equal(byHash ? 4 : 8, asked);
        await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(block.Height + 1, block.Hash, null, [EvmWorld.Ours], Ct));
        var none = await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(block.Height, block.Hash, EvmWorld.Stranger, [EvmWorld.Ours], Ct));
        Assert.False(none.Retryable);
    }

    [Fact]
    public async Task Sending_the_same_bytes_again_is_harmless_and_what_the_chain_refuses_is_a_fault()
    {
        await using var world = await EvmWorld.Start(folder);
        var paid = await world.Node.Pay(EvmWorld.Ours, 5);
        var bytes = Convert.FromHexString((await world.Node.Raw(paid))[2..]);
        await world.Node.Call("anvil_dropAllTransactions");
        var chain = world.Chain();

        Assert.Equal(paid, await chain.Broadcast(bytes, Ct));
        Assert.Equal(paid, await chain.Broadcast(bytes, Ct));
        await world.Node.Mine();
        Assert.Equal(paid, await chain.Broadcast(bytes, Ct));
        Assert.Equal(TransactionState.Included, (await chain.Status(paid, Ct)).State);
        await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(bytes.AsMemory(1), Ct));
    }

    [Fact]
    public async Task A_fee_is_the_price_of_gas_times_what_a_transfer_needs()
    {
        await using var world = await EvmWorld.Start(folder);
        await using var node = await FaultyRpc.Start(world.Node.Url);
        await world.Node.Call("anvil_setNextBlockBaseFeePerGas", Anvil.Hex(40_000_000_000));
        await world.Node.Mine();
        var chain = world.Chain(nodes: node.Url);
        var coin = await chain.FeeEstimate(null, Ct);
        Assert.InRange(coin, 21_000 * (Int128)40_000_000_000, 21_000 * (Int128)60_000_000_000);
        Assert.Equal(coin / 21_000 * 65_000, await chain.FeeEstimate(world.Token, Ct));

        node.Alter = (method, _, reply) => method == "eth_feeHistory" ? FaultyRpc.Error(reply, -32601, "no such method")
            : method == "eth_gasPrice" ? FaultyRpc.Result(reply, "0x1") : reply;
        Assert.Equal(21_000 * new EvmOptions("x", 1, []).GasPriceMin, await chain.FeeEstimate(null, Ct));
    }

    private static (TransactionState, long?, string?) Tuple(TransactionStatus status) => (status.State, status.Height, status.BlockHash);
}
