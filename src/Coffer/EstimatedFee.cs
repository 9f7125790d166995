using System.Numerics;

namespace Coffer;

/// <summary>A network fee that follows the chain.</summary>
/// <param name="Max">No withdrawal is charged more than this; smallest units of the currency, above 0.</param>
/// <param name="Fallback">Charged while no estimate is known; at most <paramref name="Max"/>; null: then nothing is paid out.</param>
public sealed record EstimatedFee(Int128 Max, Int128? Fallback)
{
    /// <summary>What is charged when the chain is expected to take this much.</summary>
    /// <param name="expected">Smallest units of the currency, at least 0.</param>
    public Int128 Charged(Int128 expected) => Int128.Min(expected, Max);

    /// <summary>What an amount of the chain's coin is in a token, by the worth of both in US dollars, rounded up.</summary>
    /// <param name="amount">Smallest units of the coin, at least 0.</param>
    /// <param name="coinDecimals">The coin's decimals.</param>
    /// <param name="coinPrice">One coin.</param>
    /// <param name="tokenDecimals">The token's decimals.</param>
    /// <param name="tokenPrice">One token.</param>
    /// <returns>Smallest units of the token, at most <see cref="Amount.Max"/>; null when the token's price is zero.</returns>
    public static Int128? InToken(Int128 amount, int coinDecimals, UsdPrice coinPrice, int tokenDecimals, UsdPrice tokenPrice)
    {
        if (tokenPrice.Scaled == 0)
            return null;
        var worth = (BigInteger)amount * coinPrice.Scaled * BigInteger.Pow(10, tokenDecimals);
        var unit = (BigInteger)tokenPrice.Scaled * BigInteger.Pow(10, coinDecimals);
        return (Int128)BigInteger.Min((worth + unit - 1) / unit, Amount.Max);
    }
}
