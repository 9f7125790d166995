using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>
/// What addresses hold after one block. Asked by the block's hash (EIP-1898); a node that does not know that form is asked by height, with
/// a look before and after whether the block at that height is still the one that was meant.
/// </summary>
internal static class EvmHoldings
{
    private const string BalanceOf = "0x70a08231";

    /// <param name="node">Whom to ask.</param>
    /// <param name="height">The block's height.</param>
    /// <param name="hash">The block's hash.</param>
    /// <param name="token">The token's contract, lower-case hex; null for the coin.</param>
    /// <param name="addresses">Whose holdings, lower-case hex.</param>
    /// <param name="ct">Stops asking.</param>
    public static async Task<IReadOnlyList<BigInteger>> At(
        RpcNode node, long height, string hash, string? token, IReadOnlyList<string> addresses, CancellationToken ct)
    {
        await BeAt(node, height, hash, ct);
        RpcReply[] replies;
        try
        {
            replies = await Ask(node, token, addresses, new { blockHash = hash, requireCanonical = true }, ct);
        }
        catch (RpcError)
        {
            replies = await Ask(node, token, addresses, EvmJson.Hex(height), ct);
            await BeAt(node, height, hash, ct);
        }
        return [.. replies.Select(reply => Read(reply.Result, token))];
    }

    /// <summary>What one address holds in the node's latest state.</summary>
    public static async Task<BigInteger> Now(RpcNode node, string? token, string address, CancellationToken ct) =>
        Read((await Ask(node, token, [address], "latest", ct))[0].Result, token);

    /// <summary>The calls for each address, at a block as the node wants it named. Throws the first error among the replies.</summary>
    private static async Task<RpcReply[]> Ask(
        RpcNode node, string? token, IReadOnlyList<string> addresses, object block, CancellationToken ct)
    {
        var replies = await node.Batch([.. addresses.Select(address => token is null
            ? new RpcCall("eth_getBalance", address, block)
            : new RpcCall("eth_call", new { to = token, data = BalanceOf + Word(address) }, block))], ct);
        return Array.Find(replies, reply => reply.Error is not null).Error is { } error ? throw error : replies;
    }

    /// <summary>A balance; where there is no contract the node answers nothing, which is no zero.</summary>
    private static BigInteger Read(JsonElement result, string? token)
    {
        if (token is null)
            return result.Quantity();
        return result.Text() is { } word && EvmJson.IsHex(word, EvmJson.WordLength) ? EvmJson.Quantity(word)!.Value
            : throw new ChainFault($"The contract {token} does not answer with a balance at that block.", retryable: false);
    }

    private static string Word(string address) => address[2..].PadLeft(EvmJson.WordLength - 2, '0');

    private static async Task BeAt(RpcNode node, long height, string hash, CancellationToken ct)
    {
        var block = await node.Call("eth_getBlockByNumber", ct, EvmJson.Hex(height), false);
        if (block.Member("hash") is null || block.Hash("hash") != hash)
            throw new ChainFault($"{node.Name} does not have block {height} with the hash {hash}.", retryable: true);
    }
}
