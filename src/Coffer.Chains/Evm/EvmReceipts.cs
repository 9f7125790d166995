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

    /// <summary>All receipts of a block, in its order.</summary>
    public static async Task<IReadOnlyList<EvmReceipt>> Of(RpcNode node, EvmBlock block, CancellationToken ct)
    {
        JsonElement all;
        try
        {
            all = await node.Call("eth_getBlockReceipts", ct, block.Hash);
        }
        catch (RpcError)
        {
            // Not every node has it, and not every one that has takes a hash.
            return await OneByOne(node, [.. block.Transactions.Select(one => (block, one.Hash))], ct);
        }
        if (all.ValueKind != JsonValueKind.Array || all.GetArrayLength() != block.Transactions.Count)
            throw new RpcFault($"Block {block.Height} does not have one receipt per transaction.");
        return [.. block.Transactions.Select((one, index) => EvmReceipt.Read(all[index], block.Hash, one.Hash))];
    }

    private static async Task<IReadOnlyList<EvmReceipt>> OneByOne(
        RpcNode node, IReadOnlyList<(EvmBlock Block, string TxHash)> wanted, CancellationToken ct)
    {
        var replies = await node.Batch([.. wanted.Select(one => new RpcCall("eth_getTransactionReceipt", one.TxHash))], ct);
        return [.. wanted.Select((one, index) => EvmReceipt.Read(replies[index].Result, one.Block.Hash, one.TxHash))];
    }
}
