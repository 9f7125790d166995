using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>All that a node says of one transaction.</summary>
internal static class EvmExplain
{
    private const string Transfer = "0xa9059cbb", TransferFrom = "0x23b872dd";
    private const int SelectorLength = 10, WordDigits = 64;

    /// <summary>Where it is, with its receipt if it is in a block, and the transaction itself if the node knows it.</summary>
    public static async Task<(TransactionStatus Status, JsonElement? Transaction, EvmReceipt? Receipt)> Status(
        RpcNode node, string txHash, CancellationToken ct)
    {
        var replies = await node.Batch([new("eth_getTransactionByHash", txHash), new("eth_getTransactionReceipt", txHash)], ct);
        var transaction = replies[0].Result;
        if (transaction.ValueKind == JsonValueKind.Null)
            return (new TransactionStatus(TransactionState.Unknown, null, null), null, null);
        if (transaction.Hash("hash") != txHash)
            throw new RpcFault($"Asked for {txHash}, another transaction came.");
        if (transaction.Member("blockHash") is null)
            return (new TransactionStatus(TransactionState.Mempool, null, null), transaction, null);
        var block = transaction.Hash("blockHash");
        var receipt = EvmReceipt.Read(replies[1].Result, block, txHash);
        var state = receipt.Succeeded ? TransactionState.Included : TransactionState.Failed;
        return (new TransactionStatus(state, transaction.Number("blockNumber"), block), transaction, receipt);
    }

    /// <summary>Everything about it; null when the node does not know it.</summary>
    public static async Task<ChainTransaction?> Transaction(
        RpcNode node, TraceKind traces, EvmSpelling spelling, string txHash, CancellationToken ct)
    {
        var (status, json, receipt) = await Status(node, txHash, ct);
        if (json is not { } transaction)
            return null;
        List<ChainTransfer> transfers = [];
        if (transaction.Address("to") is { } to && transaction.Quantity("value") is { IsZero: false } value)
            transfers.Add(new ChainTransfer(txHash, TransferKind.Native, 0, spelling.Address(to), null, value));
        if (receipt is not { Succeeded: true })
            transfers.AddRange(Meant(transaction.Text("input"), transaction.Address("to"), txHash, spelling));
        else
        {
            foreach (var call in await EvmCalls.Of(node, traces, txHash, status.BlockHash!, ct))
                transfers.Add(new ChainTransfer(txHash, TransferKind.Internal, call.Ordinal, spelling.Address(call.To), null, call.Amount));
            transfers.AddRange(EvmTransfers.Tokens(receipt).Select(one => one.Spell(txHash, spelling)));
        }
        return new ChainTransaction(txHash, status, await Time(node, status, ct), transfers, node.Name);
    }

    /// <summary>What a token transfer that failed, or waits, was meant to move, by its call: it left no log.</summary>
    public static IEnumerable<ChainTransfer> Meant(string call, string? token, string txId, EvmSpelling spelling)
    {
        var words = call.StartsWith(Transfer, StringComparison.OrdinalIgnoreCase) ? 2
            : call.StartsWith(TransferFrom, StringComparison.OrdinalIgnoreCase) ? 3 : 0;
        if (words == 0 || call.Length < SelectorLength + (words * WordDigits) || token is null)
            yield break;
        var receiver = string.Concat("0x", Word(words - 2).AsSpan(WordDigits + 2 - EvmJson.AddressLength)).ToLowerInvariant();
        if (EvmJson.IsHex(receiver, EvmJson.AddressLength) && EvmJson.Quantity("0x" + Word(words - 1)) is { } amount)
            yield return new ChainTransfer(txId, TransferKind.Token, 0, spelling.Address(receiver), spelling.Address(token), amount);

        string Word(int index) => call.Substring(SelectorLength + (index * WordDigits), WordDigits);
    }

    private static async Task<DateTimeOffset?> Time(RpcNode node, TransactionStatus status, CancellationToken ct)
    {
        if (status.BlockHash is null)
            return null;
        var block = await node.Call("eth_getBlockByHash", ct, status.BlockHash, false);
        return block.Time("timestamp");
    }
}
