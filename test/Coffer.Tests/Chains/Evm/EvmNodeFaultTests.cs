using System.Text.Json.Nodes;
using Coffer.Chains;
using Coffer.Chains.Evm;
using Coffer.Chains.Rpc;

namespace Coffer.Tests.Chains.Evm;

/// <summary>A node that refuses, lies, lags or goes away: the answer is a fault or the truth, never less than the truth.</summary>
public sealed class EvmNodeFaultTests(NodeFolder folder) : IAsyncLifetime
{
    private EvmWorld world = null!;
    private FaultyRpc node = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        world = await EvmWorld.Start(folder);
        node = await FaultyRpc.Start(world.Node.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await world.DisposeAsync();
    }

    [Fact]
    public async Task A_range_that_is_refused_is_halved_and_nothing_is_skipped()
    {
        var (first, last, paid) = await Old(20);
        node.Alter = (method, parameters, reply) => method == "eth_getLogs" && Width(parameters) > 3
            ? FaultyRpc.Error(reply, -32005, "query returned more than 10000 results") : reply;

        Assert.Equal(paid, await Paid(first, last));
        Assert.InRange(node.Calls["eth_getLogs"], 7, 20);
    }

    [Fact]
    public async Task A_single_block_that_is_refused_is_a_fault()
    {
        var (first, last, _) = await Old(6);
        node.Alter = (method, parameters, reply) =>
            method == "eth_getLogs" && From(parameters) <= first + 3 && From(parameters) + Width(parameters) > first + 3
                ? FaultyRpc.Error(reply, -32000, "not now") : reply;

        await Faulty(() => Paid(first, last));
        Assert.Equal(3, (await Paid(first, first + 2)).Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(EvmLimits.NearTip)]
    public async Task No_logs_are_not_believed_when_the_block_says_otherwise(int buried)
    {
        await world.Transfer(world.Token, EvmWorld.Ours, 5);
        await world.Node.Mine();
        var height = await world.Node.Height();
        await world.Node.Mine(buried + 1);
        node.Alter = (method, _, reply) => method == "eth_getLogs" ? FaultyRpc.Result(reply, new JsonArray()) : reply;

        Assert.Contains("knows nothing of the logs", (await Faulty(() => Paid(height, height))).Message, StringComparison.Ordinal);
        node.Alter = (method, _, reply) => reply;
        Assert.Single(await Paid(height, height));
    }

    [Fact]
    public async Task No_logs_are_believed_when_the_receipts_have_none_either()
    {
        await world.Node.Send(world.Odd, Abi.Call("fourTopics(address,uint256)", EvmWorld.Ours, 3));
        await world.Node.Mine();
        node.Alter = (method, _, reply) => method == "eth_getLogs" ? FaultyRpc.Result(reply, new JsonArray())
            : method == "eth_getBlockReceipts" ? FaultyRpc.Error(reply, RpcError.NoSuchMethod, "no such method") : reply;

        Assert.Empty(await Paid(await world.Node.Height(), await world.Node.Height()));
        Assert.Equal(1, node.Calls["eth_getBlockReceipts"]);
        Assert.Equal(1, node.Calls["eth_getTransactionReceipt"]);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("extra")]
    [InlineData("twice")]
    [InlineData("wrong number")]
    [InlineData("no list")]
    public async Task A_batch_that_is_not_one_reply_per_call_is_a_fault(string how)
    {
        await world.Node.Pay(EvmWorld.Ours, 5);
        await world.Node.Mine(4);
        var height = await world.Node.Height();
        IChain chain = world.Chain(nodes: node.Url);
        await chain.Tip(Ct);
        node.Batch = replies =>
        {
            switch (how)
            {
                case "missing": replies.RemoveAt(1); break;
                case "extra": replies.Add(replies[0]!.DeepClone()); break;
                case "twice": replies[1] = replies[0]!.DeepClone(); break;
                case "wrong number": replies[0]!["id"] = 999_999; break;
                default: return new JsonObject { ["ok"] = true };
            }
            return replies;
        };

        await Faulty(() => chain.Blocks(height - 3, 4, Ct));
    }

    [Fact]
    public async Task A_batch_may_come_in_any_order()
    {
        await world.Node.Mine(4);
        var height = await world.Node.Height();
        node.Batch = replies => new JsonArray([.. replies.Reverse().Select(reply => reply!.DeepClone())]);

        var blocks = await ((IChain)world.Chain(nodes: node.Url)).Blocks(height - 3, 4, Ct);
        Assert.Equal([height - 3, height - 2, height - 1, height], blocks.Select(block => block.Height));
        Assert.Equal(blocks.Take(3).Select(block => block.Hash), blocks.Skip(1).Select(block => block.ParentHash));
    }

    [Fact]
    public async Task A_block_missing_below_the_tip_is_a_fault_and_one_above_is_not_there_yet()
    {
        await world.Node.Mine(4);
        var height = await world.Node.Height();
        node.Alter = (method, parameters, reply) => method == "eth_getBlockByNumber" && parameters[0]!.GetValue<string>() == Anvil.Hex(height - 1)
            ? FaultyRpc.Result(reply, null) : reply;
        IChain chain = world.Chain(nodes: node.Url);

        await Faulty(() => chain.Blocks(height - 3, 4, Ct));
        Assert.Equal(2, (await chain.Blocks(height - 3, 2, Ct)).Count);
        Assert.Empty(await chain.Blocks(height + 1, 4, Ct));
        node.Alter = (method, parameters, reply) => method == "eth_blockNumber" ? FaultyRpc.Result(reply, Anvil.Hex(height - 2)) : reply;
        Assert.Equal(2, (await chain.Blocks(height - 3, 9, Ct)).Count);
    }

    [Theory]
    [InlineData("block")]
    [InlineData("transaction")]
    [InlineData("receipt")]
    [InlineData("log")]
    public async Task An_answer_about_another_block_is_a_fault(string what)
    {
        await world.Transfer(world.Token, EvmWorld.Ours, 5);
        await world.Node.Mine();
        var (height, other) = (await world.Node.Height(), "0x" + new string('7', 64));
        node.Alter = (method, _, reply) =>
        {
            var result = reply["result"];
            switch (method, what)
            {
                case ("eth_getBlockByNumber", "block"): result!["number"] = Anvil.Hex(height + 1); break;
                case ("eth_getBlockByNumber", "transaction"): result!["transactions"]![0]!["blockHash"] = other; break;
                case ("eth_getTransactionReceipt", "receipt"): result!["blockHash"] = other; break;
                case ("eth_getLogs", "log"): result![0]!["blockHash"] = other; break;
            }
            return reply;
        };

        await Faulty(() => Paid(height, height));
        node.Alter = (_, _, reply) => reply;
        Assert.Single(await Paid(height, height));
    }

    [Fact]
    public async Task Other_peoples_transfers_and_spam_of_nothing_cost_no_receipts()
    {
        for (var i = 0; i < 5; i++)
        {
            await world.Transfer(world.Token, EvmWorld.Ours, 0);
            await world.Transfer(world.Token, EvmWorld.Stranger, 1);
            await world.Node.Pay(EvmWorld.Stranger, 1);
            await world.Node.Pay(EvmWorld.Ours, 0);
        }
        await world.Node.Mine(3);
        var height = await world.Node.Height();

        Assert.Empty(await Paid(height - 2, height));
        Assert.Equal(1, world.Asked);
        Assert.DoesNotContain(node.Calls, call => call.Key.Contains("Receipt", StringComparison.Ordinal));

        // A real payment among the spam costs its own receipt.
        await world.Transfer(world.Token, EvmWorld.Ours, 0);
        await world.Transfer(world.Token, EvmWorld.Ours, 1);
        await world.Node.Mine();
        Assert.Single(await Paid(height + 1, height + 1));
        Assert.Equal(1, node.Calls["eth_getTransactionReceipt"]);
    }

    [Fact]
    public async Task A_block_with_many_deposits_is_proven_by_one_call()
    {
        for (var i = 0; i < EvmLimits.BlockReceiptsFrom; i++)
            await world.Transfer(world.Token, EvmWorld.Ours, i + 1);
        await world.Node.Mine();
        var height = await world.Node.Height();

        Assert.Equal(EvmLimits.BlockReceiptsFrom, (await Paid(height, height)).Count);
        Assert.Equal(1, node.Calls["eth_getBlockReceipts"]);
        Assert.False(node.Calls.ContainsKey("eth_getTransactionReceipt"));
    }

    [Theory]
    [InlineData(TraceKind.Debug)]
    [InlineData(TraceKind.Trace)]
    public async Task Traces_that_a_block_leaves_out_are_asked_for_or_the_node_is_at_fault(TraceKind traces)
    {
        await world.Pay("coin(address,uint256)", EvmWorld.Ours, 5);
        await world.Node.Mine();
        var height = await world.Node.Height();
        IChain chain = world.Chain(traces, nodes: node.Url);
        node.Alter = (method, _, reply) => method is "debug_traceBlockByHash" or "trace_block" ? FaultyRpc.Result(reply, new JsonArray()) : reply;
        Assert.Single((await chain.BlockAt(height, Ct))!.Transfers);

        node.Alter = (method, _, reply) => method.Contains("trace", StringComparison.Ordinal) ? FaultyRpc.Result(reply, new JsonArray()) : reply;
        await Faulty(() => chain.BlockAt(height, Ct));
    }

    [Fact]
    public async Task A_transaction_that_the_block_does_not_list_is_found_by_its_log()
    {
        await world.Transfer(world.Token, EvmWorld.Ours, 5);
        await world.Node.Mine();
        node.Alter = (method, _, reply) =>
        {
            if (method == "eth_getBlockByNumber")
                reply["result"]!["transactions"] = new JsonArray();
            return reply;
        };

        Assert.Single(await Paid(await world.Node.Height(), await world.Node.Height()));
    }

    [Fact]
    public async Task Receipts_that_the_list_of_a_block_leaves_out_are_asked_for()
    {
        for (var i = 0; i < EvmLimits.BlockReceiptsFrom; i++)
            await world.Transfer(world.Token, EvmWorld.Ours, i + 1);
        await world.Node.Mine();
        node.Alter = (method, _, reply) =>
        {
            if (method == "eth_getBlockReceipts")
                reply["result"]!.AsArray().RemoveAt(3);
            return reply;
        };

        Assert.Equal(EvmLimits.BlockReceiptsFrom, (await Paid(await world.Node.Height(), await world.Node.Height())).Count);
        Assert.Equal(1, node.Calls["eth_getTransactionReceipt"]);
    }

    // Blocks with a deposit each, all too deep to be asked for one by one.
    private async Task<(long First, long Last, List<string> Paid)> Old(int count)
    {
        var first = await world.Node.Height() + 1;
        List<string> paid = [];
        for (var i = 0; i < count; i++)
        {
            paid.Add(await world.Transfer(world.Token, EvmWorld.Ours, i + 1));
            await world.Node.Mine();
        }
        await world.Node.Mine(EvmLimits.NearTip);
        return (first, first + count - 1, paid);
    }

    private async Task<List<string>> Paid(long first, long last)
    {
        var blocks = await world.Chain(nodes: node.Url).Blocks(first, (int)(last - first) + 1, Ct);
        Assert.Equal(last - first + 1, blocks.Count);
        return [.. blocks.SelectMany(block => block.Transfers).Select(one => one.TxId)];
    }

    private static long From(JsonArray parameters) => Number(parameters[0]!["fromBlock"]!);

    private static long Width(JsonArray parameters) => Number(parameters[0]!["toBlock"]!) - From(parameters) + 1;

    private static long Number(JsonNode hex) => Convert.ToInt64(hex.GetValue<string>(), 16);

    private static async Task<ChainFault> Faulty(Func<Task> act)
    {
        var fault = await Assert.ThrowsAsync<ChainFault>(act);
        Assert.True(fault.Retryable);
        return fault;
    }
}
