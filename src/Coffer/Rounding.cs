using System.Numerics;

namespace Coffer;

/// <summary>
/// The one rounding that Coffer knows: to the nearest, and a half away from zero (<c>2.5</c> to <c>3</c>, <c>-2.5</c> to <c>-3</c>), so
/// that a figure and its negative always show the same digits.
/// </summary>
public static class Rounding
{
    /// <summary><paramref name="numerator"/> / <paramref name="divisor"/>, rounded half up in magnitude.</summary>
    /// <param name="numerator">Any value.</param>
    /// <param name="divisor">Greater than 0.</param>
    public static Int128 HalfUp(Int128 numerator, Int128 divisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(divisor);
        var by = (UInt128)divisor;
        var (quotient, rest) = UInt128.DivRem(Magnitude(numerator), by);
        // rest >= by - rest is 2 * rest >= by without the overflow.
        if (rest >= by - rest)
            quotient++;
        return Signed(quotient, numerator < 0);
    }

    /// <summary>The same for numbers of any width; negative ones as above.</summary>
    public static BigInteger HalfUp(BigInteger numerator, BigInteger divisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(divisor);
        var quotient = BigInteger.DivRem(BigInteger.Abs(numerator), divisor, out var rest);
        if (rest * 2 >= divisor)
            quotient++;
        return numerator.Sign < 0 ? -quotient : quotient;
    }

    /// <summary>The value without its sign; defined for the most negative one too.</summary>
    internal static UInt128 Magnitude(Int128 value) => value < 0 ? (UInt128)(-(value + 1)) + 1 : (UInt128)value;

    private static Int128 Signed(UInt128 magnitude, bool negative)
    {
        if (!negative || magnitude == 0)
            return (Int128)magnitude;
        return -(Int128)(magnitude - 1) - 1;
    }
}
