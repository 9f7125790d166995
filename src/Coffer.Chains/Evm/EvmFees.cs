using System.Numerics;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>What gas costs now.</summary>
internal static class EvmFees
{
    private const int MedianPercent = 50;

    /// <summary>The next base fee with a quarter on top, for it may rise by an eighth per block, and the median tip of the last blocks.</summary>
    public static async Task<Int128> GasPrice(RpcNode node, CancellationToken ct)
    {
        System.Text.Json.JsonElement history;
        try
        {
            history = await node.Call("eth_feeHistory", ct, EvmJson.Hex(EvmLimits.FeeBlocks), "latest", new[] { MedianPercent });
        }
        catch (RpcError)
        {
            // Older nodes have only this, which says what it recommends as a whole.
            return (Int128)(await node.Call("eth_gasPrice", ct)).Quantity();
        }
        var fees = history.Items("baseFeePerGas").Select(fee => fee.Quantity()).ToArray();
        if (fees.Length == 0)
            throw new RpcFault("eth_feeHistory answers without a base fee.");
        var tips = history.Member("reward") is { ValueKind: System.Text.Json.JsonValueKind.Array } rewards
            ? rewards.EnumerateArray().Where(block => block.GetArrayLength() > 0).Select(block => block[0].Quantity()).Order().ToArray() : [];
        var tip = tips.Length == 0 ? BigInteger.Zero : tips[tips.Length / 2];
        var price = fees[^1] + ((fees[^1] + 3) / 4) + tip;
        return price <= (BigInteger)long.MaxValue ? (Int128)price : throw new RpcFault("eth_feeHistory answers an impossible price.");
    }
}
