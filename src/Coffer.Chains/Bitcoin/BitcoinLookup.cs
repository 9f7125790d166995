using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>Where one transaction is, by its id alone.</summary>
/// <param name="Transaction">What it pays; proven to have the id.</param>
/// <param name="Status">Where it is now.</param>
/// <param name="BlockTime">The time of its block.</param>
internal sealed record BitcoinLookup(RawTransaction Transaction, TransactionStatus Status, DateTimeOffset? BlockTime)
{
    /// <summary>
    /// Asks one node; null when it does not know the transaction. A node without an index knows its mempool, and finds the block of a mined
    /// transaction through any output that is not spent yet.
    /// </summary>
    public static async Task<BitcoinLookup?> Find(RpcNode node, string txId, CancellationToken ct)
    {
        var said = await Get(node, ct, txId, true) ?? await GetWithoutIndex(node, txId, ct);
        if (said is not { } answer)
            return null;
        var transaction = RawTransaction.Parse(answer.Member("hex").Bytes());
        if (transaction.Id.ToString() != txId)
            throw RawReader.Fault($"is the transaction {transaction.Id}, not {txId} that was asked for");
        if (answer.MemberOrNull("blockhash") is not { } blockHash)
            return new BitcoinLookup(transaction, new TransactionStatus(TransactionState.Mempool, null, null), null);

        // An index may name a block that was replaced, and the node a positive number of confirmations for it.
        var hash = blockHash.Hash();
        var (height, time) = await node.Header(hash, ct);
        if (await Get(node, "getblockhash", ct, height) is { } best && best.Hash() == hash)
            return new BitcoinLookup(transaction, new TransactionStatus(TransactionState.Included, height, hash), time);
        return await Get(node, "getmempoolentry", ct, txId) is null
            ? null : new BitcoinLookup(transaction, new TransactionStatus(TransactionState.Mempool, null, null), null);
    }

    private static async Task<JsonElement?> GetWithoutIndex(RpcNode node, string txId, CancellationToken ct)
    {
        RpcCall[] calls =
            [.. Enumerable.Range(0, BitcoinLimits.OutputsTried).Select(output => new RpcCall("gettxout", txId, output, false))];
        foreach (var reply in await node.Batch(calls, ct))
        {
            if (reply.Error is not null || reply.Result.ValueKind == JsonValueKind.Null)
                continue;
            var (tip, _) = await node.Header(reply.Result.Hash("bestblock"), ct);
            var hash = await node.HashAt(tip - reply.Result.Whole("confirmations") + 1, ct);
            return await Get(node, ct, txId, true, hash);
        }

        return null;
    }

    private static Task<JsonElement?> Get(RpcNode node, CancellationToken ct, params object?[] parameters) =>
        Get(node, "getrawtransaction", ct, parameters);

    /// <summary>Null where the node says that there is no such thing.</summary>
    private static async Task<JsonElement?> Get(RpcNode node, string method, CancellationToken ct, params object?[] parameters)
    {
        try
        {
            return await node.Call(method, ct, parameters);
        }
        catch (RpcError error) when (error.Code is BitcoinCalls.NotFound or BitcoinCalls.OutOfRange)
        {
            return null;
        }
    }
}
