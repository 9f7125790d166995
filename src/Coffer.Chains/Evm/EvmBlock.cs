using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>A transaction as its block tells it. All hex is lower case with <c>0x</c>.</summary>
/// <param name="Hash">Its hash.</param>
/// <param name="To">Who is called; null for a creation.</param>
/// <param name="Value">The coin that goes along, if the transaction succeeds.</param>
/// <param name="Succeeded">True when the block itself says so (Tron); otherwise its receipt does.</param>
internal sealed record EvmTransaction(string Hash, string? To, BigInteger Value, bool Succeeded = false);

/// <summary>A block as the node tells it.</summary>
/// <param name="Height">Its height.</param>
/// <param name="Hash">Its hash, lower-case hex.</param>
/// <param name="ParentHash">The hash of the one below.</param>
/// <param name="Time">The time it claims.</param>
/// <param name="Bloom">Its logs bloom, lower-case hex; null when it has none.</param>
/// <param name="Transactions">In block order.</param>
internal sealed record EvmBlock(
    long Height, string Hash, string ParentHash, DateTimeOffset Time, string? Bloom, IReadOnlyList<EvmTransaction> Transactions)
{
    /// <summary>Reads a block that was asked for by height, with whole transactions or only their hashes.</summary>
    public static EvmBlock Read(JsonElement json, long height)
    {
        var hash = json.Hash("hash");
        if (json.Number("number") != height)
            throw new RpcFault($"Asked for block {height}, block {json.Number("number")} came.");
        var transactions = new List<EvmTransaction>();
        foreach (var one in json.Items("transactions"))
            transactions.Add(one.Text() is { } only ? new EvmTransaction(only, null, 0) : ReadTransaction(one, hash));
        return new EvmBlock(height, hash, json.Hash("parentHash"), json.Time("timestamp"), json.Member("logsBloom")?.Text(), transactions);
    }

    private static EvmTransaction ReadTransaction(JsonElement json, string block)
    {
        if (json.Hash("blockHash") != block)
            throw new RpcFault($"A transaction in block {block} says that it is in another.");
        return new EvmTransaction(json.Hash("hash"), json.Address("to"), json.Quantity("value"));
    }
}
