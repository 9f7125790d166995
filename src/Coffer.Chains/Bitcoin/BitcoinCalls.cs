using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>The calls of Bitcoin Core's JSON-RPC that are used, each with its answer checked. <c>confirmations</c> of blocks is never used:
/// what is on the best chain is what stands at its height.</summary>
internal static class BitcoinCalls
{
    /// <summary>Core: no such block, transaction or address.</summary>
    public const int NotFound = -5;

    /// <summary>Core: no such height.</summary>
    public const int OutOfRange = -8;

    /// <summary>The node's best block.</summary>
    public static async Task<(long Height, string Hash)> Tip(this RpcNode node, CancellationToken ct)
    {
        var said = await node.Call("getblockchaininfo", ct);
        return (said.Whole("blocks"), said.Hash("bestblockhash"));
    }

    /// <summary>The hash at a height of the best chain; an <see cref="RpcError"/> where there is none.</summary>
    public static async Task<string> HashAt(this RpcNode node, long height, CancellationToken ct) =>
        (await node.Call("getblockhash", ct, height)).Hash();

    /// <summary>The height and time of a block that may no longer count.</summary>
    public static async Task<(long Height, DateTimeOffset Time)> Header(this RpcNode node, string hash, CancellationToken ct)
    {
        var said = await node.Call("getblockheader", ct, hash, true);
        return (said.Whole("height"), DateTimeOffset.FromUnixTimeSeconds(said.Whole("time")));
    }

    /// <summary>The hashes at consecutive heights of the best chain.</summary>
    public static async Task<List<string>> Hashes(this RpcNode node, long height, int count, CancellationToken ct)
    {
        RpcCall[] calls = [.. Enumerable.Range(0, count).Select(i => new RpcCall("getblockhash", height + i))];
        return [.. (await node.Batch(calls, ct)).Select(reply => reply.Result.Hash())];
    }

    /// <summary>Blocks by their hashes, proven to be those.</summary>
    public static async Task<List<(RawBlock Block, int Bytes)>> RawBlocks(
        this RpcNode node, IReadOnlyList<string> hashes, CancellationToken ct)
    {
        RpcCall[] calls = [.. hashes.Select(hash => new RpcCall("getblock", hash, 0))];
        var replies = await node.Batch(calls, ct);
        var blocks = new List<(RawBlock, int)>(hashes.Count);
        for (var i = 0; i < replies.Length; i++)
        {
            var bytes = replies[i].Result.Bytes();
            blocks.Add((RawBlock.Parse(bytes, RawHash.Parse(hashes[i])!.Value), bytes.Length));
        }

        return blocks;
    }

    /// <summary>The bytes that a text in hex spells. Without a string in between: a block is megabytes.</summary>
    public static byte[] Bytes(this JsonElement said)
    {
        if (said.ValueKind != JsonValueKind.String)
            throw Unlike("hex");
        try
        {
            return Convert.FromHexString(JsonMarshal.GetRawUtf8Value(said)[1..^1]);
        }
        catch (FormatException)
        {
            throw Unlike("hex");
        }
    }

    /// <summary>A hash or transaction id in its canonical spelling.</summary>
    public static string Hash(this JsonElement said)
    {
        // Not as a string first: a text that is no text at all throws there.
        if (said.ValueKind != JsonValueKind.String || JsonMarshal.GetRawUtf8Value(said) is not { Length: (2 * RawHash.Bytes) + 2 } quoted)
            throw Unlike("a hash");
        var text = Encoding.ASCII.GetString(quoted[1..^1]);
        return RawHash.Parse(text) is not null ? text : throw Unlike("a hash");
    }

    public static string Hash(this JsonElement said, string member) => said.Member(member).Hash();

    /// <summary>A height, a count of blocks or a time: 32 bits without a sign.</summary>
    public static long Whole(this JsonElement said, string member) =>
        said.Member(member) is { ValueKind: JsonValueKind.Number } number && number.TryGetUInt32(out var value)
            ? value : throw Unlike($"a number {member}");

    /// <summary>An amount in whole coins, read exactly, in satoshi.</summary>
    public static long Satoshi(this JsonElement said, string member) =>
        said.Member(member) is { ValueKind: JsonValueKind.Number } number
        && Amount.TryParse(JsonMarshal.GetRawUtf8Value(number), 8, out var value, out _) && value <= RawTransaction.ValueMax
            ? (long)value : throw Unlike($"an amount {member}");

    public static JsonElement.ArrayEnumerator List(this JsonElement said) =>
        said.ValueKind == JsonValueKind.Array ? said.EnumerateArray() : throw Unlike("a list");

    public static JsonElement Member(this JsonElement said, string member) =>
        said.MemberOrNull(member) ?? throw Unlike($"an object with {member}");

    public static JsonElement? MemberOrNull(this JsonElement said, string member) =>
        said.ValueKind == JsonValueKind.Object && said.TryGetProperty(member, out var value) && value.ValueKind != JsonValueKind.Null
            ? value : null;

    private static RpcFault Unlike(string what) => new($"A node's answer is not {what}, as Bitcoin Core's would be.");
}
