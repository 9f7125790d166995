using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>Coin that a contract moved inside a transaction.</summary>
/// <param name="TxHash">Which transaction.</param>
/// <param name="Ordinal">The call's place in the pre-order walk of the transaction's call tree, whose root is 0.</param>
/// <param name="To">The receiver, lower-case hex.</param>
/// <param name="Amount">More than 0.</param>
internal readonly record struct EvmCall(string TxHash, int Ordinal, string To, BigInteger Amount);

/// <summary>
/// Finds coin that contracts moved, in a node's traces. A call that failed took back what all calls below it moved; a call that only
/// borrows code moves nothing, whatever value a tracer prints beside it.
/// </summary>
internal static class EvmCalls
{
    private static readonly object _tracer = new { tracer = "callTracer" };

    /// <summary>All such transfers in a block.</summary>
    public static async Task<IReadOnlyList<EvmCall>> Of(RpcNode node, TraceKind traces, EvmBlock block, CancellationToken ct)
    {
        if (traces == TraceKind.None || block.Transactions.Count == 0)
            return [];
        var traced = new HashSet<string>();
        var found = traces == TraceKind.Debug
            ? Trees(await node.Call("debug_traceBlockByHash", ct, block.Hash, _tracer), block, traced)
            : Lists(await node.Call("trace_block", ct, EvmJson.Hex(block.Height)), block.Hash, traced);

        // Polygon has transactions that some of its nodes leave out here.
        foreach (var one in block.Transactions.Where(one => !traced.Contains(one.Hash)))
            found.AddRange(await Of(node, traces, one.Hash, block.Hash, ct));
        return found;
    }

    /// <summary>All such transfers in one transaction.</summary>
    public static async Task<IReadOnlyList<EvmCall>> Of(
        RpcNode node, TraceKind traces, string txHash, string blockHash, CancellationToken ct)
    {
        if (traces == TraceKind.None)
            return [];
        if (traces == TraceKind.Debug)
            return Tree(txHash, await node.Call("debug_traceTransaction", ct, txHash, _tracer));
        var traced = new HashSet<string>();
        var found = Lists(await node.Call("trace_transaction", ct, txHash), blockHash, traced);
        return traced.Contains(txHash) ? found : throw new RpcFault($"There is no trace of {txHash}.");
    }

    private static List<EvmCall> Trees(JsonElement json, EvmBlock block, HashSet<string> traced)
    {
        if (json.ValueKind != JsonValueKind.Array)
            throw new RpcFault($"There are no traces of block {block.Height}.");
        var inOrder = json.GetArrayLength() == block.Transactions.Count;
        List<EvmCall> found = [];
        foreach (var (one, index) in json.EnumerateArray().Select((one, index) => (one, index)))
        {
            // Older nodes do not say whose trace it is; then their order has to.
            var txHash = one.Member("txHash") is not null ? one.Hash("txHash") : inOrder ? block.Transactions[index].Hash
                : throw new RpcFault($"Block {block.Height} does not have one trace per transaction.");
            if (!traced.Add(txHash))
                throw new RpcFault($"There are two traces of {txHash}.");
            found.AddRange(Tree(txHash, one.Member("result") ?? throw new RpcFault($"There is no trace of {txHash}.")));
        }
        return found;
    }

    /// <summary>Walks one tree as the <c>callTracer</c> gives it.</summary>
    public static List<EvmCall> Tree(string txHash, JsonElement root)
    {
        if (root.Member("type") is null)
            throw new RpcFault($"There is no trace of {txHash}.");
        List<EvmCall> found = [];
        var open = new Stack<(JsonElement Frame, bool Reverted)>([(root, false)]);
        for (var ordinal = 0; open.TryPop(out var next); ordinal++)
        {
            var reverted = next.Reverted || next.Frame.Member("error") is not null;
            if (ordinal > 0 && !reverted && Moves(next.Frame.Text("type")) && next.Frame.Member("value") is not null)
                Add(found, txHash, ordinal, next.Frame.Address("from"), next.Frame.Address("to"), next.Frame.Quantity("value"));
            if (next.Frame.Member("calls") is { ValueKind: JsonValueKind.Array } calls)
                for (var i = calls.GetArrayLength() - 1; i >= 0; i--)
                    open.Push((calls[i], reverted));
        }
        return found;
    }

    private static bool Moves(string type) => type.ToUpperInvariant() is "CALL" or "CREATE" or "CREATE2" or "SELFDESTRUCT";

    /// <summary>Walks the flat list that <c>trace_block</c> gives, which is in pre-order.</summary>
    private static List<EvmCall> Lists(JsonElement json, string blockHash, HashSet<string> traced)
    {
        if (json.ValueKind != JsonValueKind.Array)
            throw new RpcFault($"There are no traces of block {blockHash}.");
        List<EvmCall> found = [];
        var (ordinals, reverted) = (new Dictionary<string, int>(), Array.Empty<int>());
        foreach (var one in json.EnumerateArray())
        {
            if (one.Hash("blockHash") != blockHash)
                throw new RpcFault($"A trace is of another block than {blockHash}.");
            if (one.Member("transactionHash") is null)
                continue; // A block reward.
            var (txHash, place) = (one.Hash("transactionHash"), one.Items("traceAddress").Select(Step).ToArray());
            var ordinal = ordinals[txHash] = ordinals.TryGetValue(txHash, out var last) ? last + 1 : 0;
            if (ordinal == 0 != (place.Length == 0))
                throw new RpcFault($"The traces of {txHash} are not in order.");
            if (ordinal == 0)
                reverted = [-1];
            if (place.AsSpan().StartsWith(reverted))
                continue;
            if (one.Member("error") is not null)
                reverted = place;
            else if (ordinal > 0)
                AddFlat(found, txHash, ordinal, one);
        }
        traced.UnionWith(ordinals.Keys);
        return found;
    }

    private static int Step(JsonElement step) => step.ValueKind == JsonValueKind.Number && step.TryGetInt32(out var index)
        ? index : throw new RpcFault("A trace has no valid traceAddress.");

    private static void AddFlat(List<EvmCall> found, string txHash, int ordinal, JsonElement one)
    {
        if (one.Member("action") is not { } action)
            throw new RpcFault($"A trace of {txHash} has no action.");
        switch (one.Text("type"))
        {
            case "call" when action.Text("callType") == "call":
                Add(found, txHash, ordinal, action.Address("from"), action.Address("to"), action.Quantity("value"));
                break;
            case "create":
                Add(found, txHash, ordinal, action.Address("from"), one.Member("result")?.Address("address"), action.Quantity("value"));
                break;
            case "suicide" or "selfdestruct":
                Add(found, txHash, ordinal, action.Address("address"), action.Address("refundAddress"), action.Quantity("balance"));
                break;
        }
    }

    private static void Add(List<EvmCall> found, string txHash, int ordinal, string? from, string? to, BigInteger amount)
    {
        if (to is not null && to != from && !amount.IsZero)
            found.Add(new EvmCall(txHash, ordinal, to, amount));
    }
}
