using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>What gas costs now.</summary>
internal static class EvmFees
{
    private const int MedianPercent = 50;

    /// <summary>The next base fee with a quarter on top, for it may rise by an eighth per block, and the median of the last tips.</summary>
    public static async Task<Int128> GasPrice(RpcNode node, CancellationToken ct)
    {
        JsonElement history;
        try
        {
            history = await node.Call("eth_feeHistory", ct, EvmJson.Hex(EvmLimits.FeeBlocks), "latest", new[] { MedianPercent });
        }
        catch (RpcError)
        {
            // Older nodes have only this, which says what it recommends as a whole.
            return Price((await node.Call("eth_gasPrice", ct)).Quantity());
        }
        var fees = history.Items("baseFeePerGas").Select(fee => fee.Quantity()).ToArray();
        if (fees.Length == 0)
            throw new RpcFault("eth_feeHistory answers without a base fee.");
        var tips = history.Member("reward") is null ? []
            : history.Items("reward").Where(one => one.ValueKind == JsonValueKind.Array && one.GetArrayLength() > 0)
                .Select(one => one[0].Quantity()).Order().ToArray();
        var tip = tips.Length == 0 ? BigInteger.Zero : tips[tips.Length / 2];

        // Rounded up.
        return Price(fees[^1] + ((fees[^1] + 3) / 4) + tip);
    }

    private static Int128 Price(BigInteger price) =>
        price <= long.MaxValue ? (Int128)price : throw new RpcFault("The node answers an impossible price of gas.");
}
