using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Chains.Evm;

namespace Coffer.Chains.Tron;

/// <summary>One transaction of Tron: its bytes, and what a node says of it.</summary>
internal static class TronTransaction
{
    private const byte RawData = 0x0a;

    /// <summary>The id of a signed transaction: SHA-256 of its first field, the raw data; null for bytes without one.</summary>
    public static string? Id(ReadOnlySpan<byte> transaction)
    {
        if (transaction.Length < 2 || transaction[0] != RawData)
            return null;
        var (length, position) = (0L, 1);
        for (var shift = 0; ; shift += 7)
        {
            if (position >= transaction.Length || shift > 28)
                return null;
            var part = transaction[position++];
            length |= (long)(part & 0x7f) << shift;
            if (part < 0x80)
                break;
        }
        return length > 0 && length <= transaction.Length - position
            ? Convert.ToHexStringLower(SHA256.HashData(transaction.Slice(position, (int)length))) : null;
    }

    /// <summary>Where it is: in a final block, or known and not yet final.</summary>
    public static async Task<(TransactionStatus Status, JsonElement? Transaction, EvmBlock? Block)> Status(
        TronNode node, string txId, CancellationToken ct)
    {
        var found = await node.Ask("walletsolidity/gettransactionbyid", new { value = txId }, ct);
        if (found.Member("txID") is null)
        {
            foreach (var place in new[] { "wallet/gettransactionbyid", "wallet/gettransactionfrompending" })
                if (await node.Ask(place, new { value = txId }, ct) is var waiting && waiting.Member("txID") is not null)
                    return (new TransactionStatus(TransactionState.Mempool, null, null), waiting, null);
            return (new TransactionStatus(TransactionState.Unknown, null, null), null, null);
        }
        var info = await node.Ask("walletsolidity/gettransactioninfobyid", new { value = txId }, ct);
        var block = await node.Block((long)TronNode.Amount(info, "blockNumber"), ct);
        if (block.Transactions.All(one => one.Hash[2..] != txId))
            throw new Rpc.RpcFault($"Block {block.Height} does not have the transaction {txId} that is said to be in it.");
        var state = TronNode.Succeeded(found) ? TransactionState.Included : TransactionState.Failed;
        return (new TransactionStatus(state, block.Height, block.Hash[2..]), found, block);
    }

    /// <summary>Everything about it; null when the node does not know it.</summary>
    public static async Task<ChainTransaction?> Read(TronNode node, EvmSpelling spelling, string txId, CancellationToken ct)
    {
        var (status, json, block) = await Status(node, txId, ct);
        if (json is not { } transaction)
            return null;
        var transfers = Moved(TronNode.Contract(transaction), spelling, txId, meant: status.State != TransactionState.Included).ToList();
        if (status.State == TransactionState.Included)
        {
            var hash = "0x" + txId;
            var receipt = EvmReceipt.Read(await node.Rpc.Call("eth_getTransactionReceipt", ct, hash), block!.Hash, hash);
            transfers.AddRange(EvmTransfers.Tokens(receipt).Select(one => one.Spell(txId, spelling)));
        }
        return new ChainTransaction(txId, status, block?.Time, transfers, node.Rpc.Name);
    }

    // A TRC-10 token has a number for a name and no contract; it is told so that somebody can see what he sent.
    private static IEnumerable<ChainTransfer> Moved(
        (string Type, JsonElement Value) contract, EvmSpelling spelling, string txId, bool meant)
    {
        var (type, value) = contract;
        var (kind, asset) = type == "TransferAssetContract" ? (TransferKind.Token, Asset(value)) : (TransferKind.Native, null);
        if (type is "TransferContract" or "TransferAssetContract")
            yield return new ChainTransfer(txId, kind, 0, spelling.Address(TronNode.Address(value, "to_address")), asset,
                TronNode.Amount(value, "amount"));
        if (!meant || type != "TriggerSmartContract" || value.Member("data")?.Text() is not { } data)
            yield break;
        foreach (var one in EvmExplain.Meant("0x" + data, TronNode.Address(value, "contract_address"), txId, spelling))
            yield return one;
    }

    private static string Asset(JsonElement value)
    {
        var name = value.Text("asset_name");
        return "trc10:" + (EvmJson.IsHex("0x" + name, name.Length + 2) && name.Length % 2 == 0
            && Encoding.ASCII.GetString(Convert.FromHexString(name)) is var text
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? $"{number}" : name);
    }
}
