using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>
/// A token's <c>Transfer(address indexed, address indexed, uint256)</c>. Other events with the same first topic are told apart by shape:
/// ERC-721 has a fourth topic, and a token that indexes nothing has fewer.
/// </summary>
/// <param name="Contract">Which token says so, lower-case hex.</param>
/// <param name="To">The receiver, lower-case hex.</param>
/// <param name="Amount">What the receiver got: with a token that takes a fee, less than what was sent.</param>
internal readonly record struct EvmLog(string Contract, string To, BigInteger Amount)
{
    /// <summary>Keccak-256 of the event's signature.</summary>
    public const string Topic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

    private const int Topics = 3;
    private const int PaddingLength = EvmJson.WordLength - EvmJson.AddressLength;

    /// <summary>Reads a log; null for one that is no transfer.</summary>
    public static EvmLog? Read(JsonElement log)
    {
        if (log.Member("topics") is not { ValueKind: JsonValueKind.Array } topics)
            throw new RpcFault("A log has no topics.");
        var data = log.Text("data");
        if (topics.GetArrayLength() != Topics || !IsTopic(topics[0]) || !EvmJson.IsHex(data, EvmJson.WordLength))
            return null;
        return topics[2].Text() is { } receiver && EvmJson.IsHex(receiver, EvmJson.WordLength)
            && receiver.AsSpan(2, PaddingLength).Trim('0').IsEmpty
            ? new EvmLog(log.Address("address") ?? throw new RpcFault("A log has no address."),
                string.Concat("0x", receiver.AsSpan(2 + PaddingLength)).ToLowerInvariant(), EvmJson.Quantity(data)!.Value)
            : null;
    }

    private static bool IsTopic(JsonElement topic) =>
        string.Equals(topic.Text(), Topic, StringComparison.OrdinalIgnoreCase);
}
