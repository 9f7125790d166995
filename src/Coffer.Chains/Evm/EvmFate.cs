using System.Text.Json;
using Coffer.Chains.Payouts;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>
/// What became of the transactions with one nonce. That no node knows them proves nothing. That the nonce is used in a settled block proves
/// it only together with the transaction that used it: a node may have forgotten ours.
/// </summary>
internal static class EvmFate
{
    public static async Task<PayoutFate> Of(RpcNode node, string from, long nonce, IReadOnlyList<string> txIds, CancellationToken ct)
    {
        string? waiting = null;
        foreach (var txId in txIds.Reverse())
        {
            var (status, transaction, receipt) = await EvmExplain.Status(node, txId, ct);
            if (status is { Height: { } height, BlockHash: { } hash })
            {
                var moved = receipt!.Succeeded && Moved(transaction!.Value, receipt);
                return new PayoutFate(moved ? FateKind.Mined : FateKind.Reverted, txId, height, hash, await Fee(node, txId, ct));
            }

            if (status.State == TransactionState.Mempool)
                waiting ??= txId;
        }

        if (waiting is not null)
            return new PayoutFate(FateKind.Waiting, waiting);
        return await UsedBy(node, from, nonce, ct) is { } foreign && !txIds.Contains(foreign)
            ? new PayoutFate(FateKind.Dead, foreign) : new PayoutFate(FateKind.Unknown);
    }

    /// <summary>A token may say no without failing; then it tells of no transfer.</summary>
    private static bool Moved(JsonElement transaction, EvmReceipt receipt)
    {
        var meant = EvmExplain.Meant(transaction.Text("input"), transaction.Address("to"), receipt.TxHash, new EvmSpelling(text => text, text => text));
        return meant.All(one => EvmTransfers.Tokens(receipt).Any(told =>
            told.Log.Contract == one.Asset && told.Log.To == one.Address && !told.Log.Amount.IsZero));
    }

    private static async Task<Int128> Fee(RpcNode node, string txId, CancellationToken ct)
    {
        var receipt = await node.Call("eth_getTransactionReceipt", ct, txId);
        var fee = receipt.Quantity("gasUsed") * receipt.Quantity("effectiveGasPrice");
        // Rollups take a part for the chain below.
        if (receipt.Member("l1Fee") is not null)
            fee += receipt.Quantity("l1Fee");
        return fee <= (System.Numerics.BigInteger)Amount.Max ? (Int128)fee : throw new RpcFault("The node answers an impossible fee.");
    }

    /// <summary>
    /// The transaction that used a nonce in a block that is settled; null when none has, or the node cannot show which. Found by the
    /// sender's count: in steps that double backwards, then by halves.
    /// </summary>
    private static async Task<string?> UsedBy(RpcNode node, string from, long nonce, CancellationToken ct)
    {
        try
        {
            var replies = await node.Batch([new("eth_getBlockByNumber", "latest", false), new("eth_getBlockByNumber", "finalized", false)], ct);
            var tip = replies[0].Result.Number("number");
            var settled = replies[1].Error is null && replies[1].Result.Member("number") is not null
                ? replies[1].Result.Number("number") : tip - EvmLimits.DeepBlocks;
            if (settled < 0 || await Count(settled) <= nonce)
                return null;
            var (before, after) = (settled - 1, settled);
            for (var step = 1L; before >= 0 && await Count(before) > nonce; step *= 2)
                (before, after) = (before - step, before);
            before = Math.Max(before, -1);
            while (after - before > 1)
            {
                var middle = before + ((after - before) / 2);
                if (await Count(middle) > nonce)
                    after = middle;
                else
                    before = middle;
            }

            var block = await node.Call("eth_getBlockByNumber", ct, EvmJson.Hex(after), true);
            foreach (var one in block.Items("transactions"))
            {
                if (one.Address("from") == from && one.Number("nonce") == nonce)
                    return one.Hash("hash");
            }

            return null;
        }
        catch (RpcError)
        {
            // A node without the state of old blocks. Then it stays unknown, and a human looks.
            return null;
        }

        async Task<long> Count(long height) => (await node.Call("eth_getTransactionCount", ct, from, EvmJson.Hex(height))).Number();
    }
}
