using System.Text.Json.Nodes;
using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Chains.Tron;
using Coffer.Tests.Chains.Evm;

namespace Coffer.Tests.Chains.Tron;

public sealed class TronChainTests(NodeFolder folder) : IAsyncLifetime
{
    private static readonly string _ours = TronAddress.OfHex(EvmWorld.Ours)!, _alsoOurs = TronAddress.OfHex(EvmWorld.AlsoOurs)!;
    private EvmWorld world = null!;
    private TronStub node = null!;
    private TronChain chain = null!;
    private string tether = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        world = await EvmWorld.Start(folder);
        node = await TronStub.Start(world.Node);
        tether = TronAddress.OfHex(world.Tether)!;
        chain = Chain(EvmWorld.ChainId, node.Url);
    }

    public async ValueTask DisposeAsync()
    {
        chain.Dispose();
        await node.DisposeAsync();
        await world.DisposeAsync();
    }

    [Fact]
    public async Task Trx_and_tokens_that_arrive_are_told_with_their_exact_amounts()
    {
        var coin = await world.Node.Pay(EvmWorld.Ours, 1_000_001);
        var token = await world.Transfer(world.Tether, EvmWorld.AlsoOurs, 7);
        await world.Transfer(world.LookAlike, EvmWorld.Ours, 8);
        await world.Transfer(world.Tether, EvmWorld.Ours, 0);
        await world.Node.Mine(2);
        var height = await world.Node.Height();
        var blocks = await chain.Blocks(height - 1, 9, Ct);

        Assert.Equal([
            new ChainTransfer(coin[2..], TransferKind.Native, 0, _ours, null, 1_000_001),
            new ChainTransfer(token[2..], TransferKind.Token, 0, _alsoOurs, tether, 7),
        ], blocks[0].Transfers.OrderBy(one => one.Kind));
        Assert.Equal([height - 1, height], blocks.Select(block => block.Height));
        Assert.Equal(blocks[0].Hash, blocks[1].ParentHash);
        Assert.StartsWith(height.ToString("x16"), blocks[1].Hash, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TransferAssetContract")]
    [InlineData("VoteWitnessContract")]
    [InlineData("FreezeBalanceV2Contract")]
    public async Task What_looks_like_trx_in_the_ethereum_shape_is_no_deposit(string type)
    {
        var paid = await world.Node.Pay(EvmWorld.Ours, 1_000_000);
        node.Types[paid] = type;
        await world.Node.Mine();
        var height = await world.Node.Height();
        var shown = await world.Node.Call("eth_getTransactionByHash", paid);

        Assert.Equal(("0xf4240", "0x"), (shown.GetProperty("value").GetString(), shown.GetProperty("input").GetString()));
        Assert.Empty((await chain.Blocks(height, 1, Ct))[0].Transfers);
    }

    [Fact]
    public async Task What_failed_moved_nothing()
    {
        var coin = await world.Node.Pay(EvmWorld.Ours, 1_000_000);
        node.Results[coin] = "OUT_OF_ENERGY";
        await world.Node.Send(world.Tether, Abi.Call("setPaused(bool)", 1));
        await world.Node.Mine();
        var token = await world.Transfer(world.Tether, EvmWorld.Ours, 5);
        await world.Node.Mine();

        Assert.All(await chain.Blocks(await world.Node.Height() - 1, 2, Ct), block => Assert.Empty(block.Transfers));
        Assert.Equal(TransactionState.Failed, (await chain.Status(token[2..], Ct)).State);
        var failed = (await chain.Transaction(token[2..], Ct))!;
        Assert.Equal([new ChainTransfer(token[2..], TransferKind.Token, 0, _ours, tether, 5)], failed.Transfers);
    }

    [Fact]
    public async Task Only_final_blocks_are_told()
    {
        node.Waiting = 3;
        var paid = (await world.Node.Pay(EvmWorld.Ours, 5))[2..];
        await world.Node.Mine();
        var height = await world.Node.Height();
        var tip = await chain.Tip(Ct);
        Assert.Equal((height - 3, height - 3), (tip.Height, tip.Finalized));
        Assert.Empty(await chain.Blocks(height - 2, 5, Ct));
        Assert.Equal(TransactionState.Mempool, (await chain.Status(paid, Ct)).State);
        Assert.Equal(TransactionState.Unknown, (await chain.Status(new string('1', 64), Ct)).State);

        await world.Node.Mine(3);
        var block = Assert.Single(await chain.Blocks(height, 1, Ct));
        Assert.Equal(paid, Assert.Single(block.Transfers).TxId);
        Assert.Equal((TransactionState.Included, block.Height, block.Hash), await Now());

        async Task<(TransactionState, long?, string?)> Now() => await chain.Status(paid, Ct) is var now ? (now.State, now.Height, now.BlockHash) : default;
    }

    [Fact]
    public async Task A_token_of_another_kind_is_explained_as_such()
    {
        var paid = await world.Node.Pay(EvmWorld.Ours, 1_000_000);
        node.Types[paid] = "TransferAssetContract";
        var other = await world.Transfer(world.LookAlike, EvmWorld.Ours, 8);
        await world.Node.Mine();

        Assert.Equal([new ChainTransfer(paid[2..], TransferKind.Token, 0, _ours, "trc10:1000001", 1_000_000)],
            (await chain.Transaction(paid[2..], Ct))!.Transfers);
        Assert.Equal([new ChainTransfer(other[2..], TransferKind.Token, 0, _ours, TronAddress.OfHex(world.LookAlike), 8)],
            (await chain.Transaction(other[2..], Ct))!.Transfers);
    }

    [Fact]
    public async Task Holdings_are_told_only_while_the_named_block_is_the_last_final_one()
    {
        await world.Node.Pay(EvmWorld.Ours, 5);
        await world.Transfer(world.Tether, EvmWorld.AlsoOurs, 6);
        await world.Node.Mine();
        var tip = await chain.Tip(Ct);
        Assert.Equal([5, 0], await chain.Holdings(tip.Height, tip.Hash, null, [_ours, _alsoOurs], Ct));
        Assert.Equal([0, 6], await chain.Holdings(tip.Height, tip.Hash, tether, [_ours, _alsoOurs], Ct));

        // A block that comes in the middle of the reading.
        node.Instead = (path, _) =>
        {
            if (path == "/walletsolidity/getaccount")
                node.Waiting = 1;
            return null;
        };
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(tip.Height, tip.Hash, null, [_ours], Ct))).Retryable);
    }

    [Fact]
    public async Task No_logs_are_not_believed_where_a_contract_was_called()
    {
        await world.Transfer(world.Tether, EvmWorld.Ours, 6);
        await world.Node.Mine();
        await using var faulty = await FaultyRpc.Start(new Uri(node.Url, "jsonrpc"));
        faulty.Alter = (method, _, reply) => method == "eth_getLogs" ? FaultyRpc.Result(reply, new JsonArray()) : reply;
        await using var front = await TronStub.Start(world.Node);
        using var lying = Chain(EvmWorld.ChainId, front.Url);
        front.Ethereal = faulty.Url;

        var height = await world.Node.Height();
        await Assert.ThrowsAsync<ChainFault>(() => lying.Blocks(height, 1, Ct));
        faulty.Alter = (_, _, reply) => reply;
        Assert.Single((await lying.Blocks(height, 1, Ct))[0].Transfers);
    }

    [Fact]
    public async Task A_node_that_is_busy_refuses_or_is_on_another_chain_is_a_fault()
    {
        var height = await world.Node.Height();
        await chain.Tip(Ct);
        node.Instead = (path, _) => new JsonObject { ["Error"] = "class java.lang.IllegalArgumentException" };
        await Assert.ThrowsAsync<ChainFault>(() => chain.Blocks(height, 1, Ct));
        node.Instead = (path, _) => path.EndsWith("getblockbynum", StringComparison.Ordinal) ? new JsonObject() : null;
        await Assert.ThrowsAsync<ChainFault>(() => chain.Blocks(height, 1, Ct));
        node.Instead = (_, _) => null;

        using var other = Chain(0x2b6653dc, node.Url);
        Assert.Contains($"is on the chain {EvmWorld.ChainId}, not 728126428",
            (await Assert.ThrowsAsync<ChainFault>(() => other.Tip(Ct))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sending_counts_as_done_when_the_node_has_it()
    {
        // Field 1, two bytes of raw data; then a signature.
        byte[] bytes = [0x0a, 0x02, 0x11, 0x22, 0x12, 0x01, 0x33];
        var txId = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes.AsSpan(2, 2)));
        var known = false;
        node.Instead = (path, body) => path switch
        {
            "/wallet/broadcasthex" when body["transaction"]!.GetValue<string>() == "0a0211221201" + "33" && !known
                => new JsonObject { ["result"] = known = true, ["txid"] = txId },
            "/wallet/broadcasthex" => new JsonObject { ["code"] = "DUP_TRANSACTION_ERROR", ["txid"] = txId },
            "/wallet/gettransactionfrompending" when known && body["value"]!.GetValue<string>() == txId => new JsonObject { ["txID"] = txId },
            _ => null,
        };

        Assert.Equal(txId, await chain.Broadcast(bytes, Ct));
        Assert.Equal(txId, await chain.Broadcast(bytes, Ct));
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(new byte[] { 0x0a, 1, 1 }, Ct))).Retryable);
        Assert.False((await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(bytes.AsMemory(1), Ct))).Retryable);
    }

    [Fact]
    public async Task Fees_follow_the_chain_and_the_key_is_sent()
    {
        Assert.Equal(270 * 1_000, await chain.FeeEstimate(null, Ct));
        Assert.Equal((350 * 1_000) + (131_000 * 210), await chain.FeeEstimate(tether, Ct));
        Assert.Equal("key-1", node.ApiKey);
        Assert.DoesNotContain(node.Asked, method => method.StartsWith("eth_getBlock", StringComparison.Ordinal));
    }

    private TronChain Chain(long chainId, Uri url) => new(new TronOptions("tron", chainId, [tether], "key-1"), [url],
        (addresses, _) => Task.FromResult<IReadOnlySet<string>>(addresses.Where(one => one == _ours || one == _alsoOurs).ToHashSet()),
        TimeProvider.System);
}
