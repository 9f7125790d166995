using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>What gas costs now, in smallest units of the coin.</summary>
/// <param name="Base">What the next block burns for each gas; at most an eighth more with every further block.</param>
/// <param name="Tip">What its maker usually gets for each gas.</param>
internal readonly record struct EvmPrice(Int128 Base, Int128 Tip)
{
    /// <summary>What a gas probably costs in one of the next blocks: the base fee with a quarter on top, and the tip; rounded up.</summary>
    public Int128 Expected => Base + ((Base + 3) / 4) + Tip;

    /// <summary>What is offered: twice the base fee lasts for at least six full blocks, and what is not needed is not taken.</summary>
    public Int128 Offered => (2 * Base) + Tip;
}

/// <summary>Asks what gas costs.</summary>
internal static class EvmFees
{
    private const int MedianPercent = 50;

    /// <summary>The next base fee, and the median of the last tips or, after quiet blocks, what the node suggests.</summary>
    public static async Task<EvmPrice> ToBeMined(RpcNode node, CancellationToken ct)
    {
        var price = await Price(node, ct);
        try
        {
            return price with { Tip = Int128.Max(price.Tip, Bounded((await node.Call("eth_maxPriorityFeePerGas", ct)).Quantity())) };
        }
        catch (RpcError)
        {
            // Not every node has it; then what others paid has to do.
            return price;
        }
    }

    /// <summary>The next base fee, and the median of the last tips.</summary>
    public static async Task<EvmPrice> Price(RpcNode node, CancellationToken ct)
    {
        JsonElement history;
        try
        {
            history = await node.Call("eth_feeHistory", ct, EvmJson.Hex(EvmLimits.FeeBlocks), "latest", new[] { MedianPercent });
        }
        catch (RpcError)
        {
            // Older nodes have only this, which says what it recommends as a whole.
            // Without a base fee all of it is the tip.
            return new EvmPrice(0, Bounded((await node.Call("eth_gasPrice", ct)).Quantity()));
        }
        var fees = history.Items("baseFeePerGas").Select(fee => fee.Quantity()).ToArray();
        if (fees.Length == 0)
            throw new RpcFault("eth_feeHistory answers without a base fee.");
        var tips = history.Member("reward") is null ? []
            : history.Items("reward").Where(one => one.ValueKind == JsonValueKind.Array && one.GetArrayLength() > 0)
                .Select(one => one[0].Quantity()).Order().ToArray();
        var tip = tips.Length == 0 ? BigInteger.Zero : tips[tips.Length / 2];
        return new EvmPrice(Bounded(fees[^1]), Bounded(tip));
    }

    private static Int128 Bounded(BigInteger price) =>
        price <= long.MaxValue ? (Int128)price : throw new RpcFault("The node answers an impossible price of gas.");
}
