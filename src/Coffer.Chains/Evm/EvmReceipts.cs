using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>What a transaction did.</summary>
/// <param name="TxHash">Which transaction.</param>
/// <param name="Succeeded">False: it moved nothing.</param>
/// <param name="Logs">All its logs, whatever they are; the position of one here is its ordinal.</param>
internal sealed record EvmReceipt(string TxHash, bool Succeeded, IReadOnlyList<JsonElement> Logs)
{
    /// <summary>Reads a receipt that was asked for; any sign that it is of another block or transaction is a fault.</summary>
    public static EvmReceipt Read(JsonElement json, string blockHash, string txHash)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new RpcFault($"The transaction {txHash} is in a block and has no receipt.");
        if (json.Hash("blockHash") != blockHash || json.Hash("transactionHash") != txHash)
            throw new RpcFault($"The receipt of {txHash} is of another block or transaction.");
        return new EvmReceipt(txHash, json.Number("status") == 1, [.. json.Items("logs")]);
    }
}

/// <summary>Fetches receipts.</summary>
internal static class EvmReceipts
{
    /// <summary>The receipts of some transactions, by transaction hash; of a block with many of them, all at once.</summary>
    public static async Task<Dictionary<string, EvmReceipt>> Of(
        RpcNode node, IReadOnlyList<(EvmBlock Block, string TxHash)> wanted, CancellationToken ct)
    {
        var receipts = new Dictionary<string, EvmReceipt>();
        List<(EvmBlock Block, string TxHash)> single = [];
        foreach (var block in wanted.GroupBy(one => one.Block))
            if (block.Count() < EvmLimits.BlockReceiptsFrom)
                single.AddRange(block);
            else
                foreach (var receipt in await Of(node, block.Key, ct))
                    receipts[receipt.TxHash] = receipt;
        foreach (var receipt in await OneByOne(node, single, ct))
            receipts[receipt.TxHash] = receipt;
        return receipts;
    }

    /// <summary>
    /// All receipts of a block. Those that the node leaves out of its list are asked for: Polygon has transactions that some of its nodes
    /// list in one place only.
    /// </summary>
    public static async Task<IReadOnlyList<EvmReceipt>> Of(RpcNode node, EvmBlock block, CancellationToken ct)
    {
        List<EvmReceipt> receipts = [];
        try
        {
            var all = await node.Call("eth_getBlockReceipts", ct, block.Hash);
            if (all.ValueKind != JsonValueKind.Array)
                throw new RpcFault($"Block {block.Height} has no receipts.");
            receipts.AddRange(all.EnumerateArray().Select(one => EvmReceipt.Read(one, block.Hash, one.Hash("transactionHash"))));
        }
        catch (RpcError)
        {
            // Not every node has it, and not every one that has takes a hash.
        }
        var found = receipts.Select(receipt => receipt.TxHash).ToHashSet();
        var missing = block.Transactions.Where(one => !found.Contains(one.Hash)).Select(one => (block, one.Hash));
        return [.. receipts, .. await OneByOne(node, [.. missing], ct)];
    }

    private static async Task<IReadOnlyList<EvmReceipt>> OneByOne(
        RpcNode node, IReadOnlyList<(EvmBlock Block, string TxHash)> wanted, CancellationToken ct)
    {
        var replies = await node.Batch([.. wanted.Select(one => new RpcCall("eth_getTransactionReceipt", one.TxHash))], ct);
        return [.. wanted.Select((one, index) => EvmReceipt.Read(replies[index].Result, one.Block.Hash, one.TxHash))];
    }
}
