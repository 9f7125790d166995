using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>Handing over transactions, and what it costs.</summary>
internal static class BitcoinSend
{
    // The codes of Bitcoin Core's sendrawtransaction.
    private const int Undecodable = -22, Rejected = -26, AlreadyMined = -27;

    // The reasons that no block of the chain may ever hold these bytes; the code alone does not tell. Everything else may pass one day,
    // here or with a miner who is less strict: a fee when the mempool is emptier, an input when a reorg is over, a lock time when it comes.
    // What counts as "never" gives a customer his money back, so it must be true.
    private static readonly string[] _forEver =
    [
        "mandatory-script-verify-flag", "block-script-verify-flag", "bad-txns-vin-empty", "bad-txns-vout-empty", "bad-txns-oversize",
        "bad-txns-vout-negative", "bad-txns-vout-toolarge", "bad-txns-txouttotal-toolarge", "bad-txns-inputs-duplicate",
        "bad-txns-in-belowout", "coinbase",
    ];

    /// <summary>Hands over the bytes and answers their id; bytes that the chain has already are no fault.</summary>
    public static async Task<string> Send(RpcNode node, ReadOnlyMemory<byte> bytes, string txId, CancellationToken ct)
    {
        try
        {
            var said = (await node.Call("sendrawtransaction", ct, Convert.ToHexStringLower(bytes.Span))).Hash();
            return said == txId ? txId : throw new RpcFault($"{node.Name} says that {txId} is {said}.");
        }
        catch (RpcError error) when (error.Code == AlreadyMined)
        {
            return txId;
        }
        catch (RpcError error)
        {
            // Bytes that were mined and spent since look like bytes without inputs: first see whether they are known.
            if (await BitcoinLookup.Find(node, txId, ct) is not null)
                return txId;
            if (error.Code == Undecodable || (error.Code == Rejected && IsForEver(error.Words)))
                throw new ChainFault($"The chain will never take the transaction {txId}: {error.Message}", retryable: false, error);
            throw;
        }
    }

    /// <summary>What a withdrawal costs, in satoshi: the node's estimate within sane bounds, else the fallback.</summary>
    public static async Task<Int128> Estimate(RpcNode node, long fallback, CancellationToken ct) =>
        BitcoinSize.Fee(BitcoinLimits.PaymentVirtualBytes, await Rate(node, fallback, ct));

    /// <summary>What to pay for 1,000 virtual bytes, in satoshi: the node's estimate within sane bounds, else the fallback.</summary>
    public static async Task<long> Rate(RpcNode node, long fallback, CancellationToken ct)
    {
        var rate = fallback;
        try
        {
            var said = await node.Call("estimatesmartfee", ct, BitcoinLimits.FeeBlocks);
            if (said.MemberOrNull("feerate") is { ValueKind: JsonValueKind.Number })
                rate = said.Satoshi("feerate");
        }
        catch (RpcError)
        {
            // Not every node estimates.
        }

        if (rate > BitcoinLimits.FeeCeiling)
            rate = fallback;
        return Math.Max(rate, BitcoinLimits.FeeFloor);
    }

    private static bool IsForEver(string words) => Array.Exists(_forEver, reason => words.StartsWith(reason, StringComparison.Ordinal));
}
