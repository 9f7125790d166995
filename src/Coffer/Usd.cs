using System.Numerics;

namespace Coffer;

/// <summary>What an amount is worth: US cents, the unit of every USD figure on the wire (contract 1).</summary>
public static class Usd
{
    /// <summary>Digits after the point of a USD figure.</summary>
    public const int Decimals = 2;

    /// <summary>
    /// Figures of more digits than these count as unknown: no real holding comes near (the world's wealth has 17), and sums of a hundred
    /// lines still fit an <see cref="Int128"/>.
    /// </summary>
    public const int DigitsMax = 36;

    private static readonly Int128 CentsMax = Amount.One(DigitsMax) - 1;

    /// <summary>
    /// The worth of an amount in cents, exact and then rounded once: to the nearest, a half away from zero (so a negative amount is worth
    /// the negative of its opposite). A sum of lines is the sum of these rounded figures.
    /// </summary>
    /// <param name="amount">Smallest units; may be negative.</param>
    /// <param name="decimals">The currency's decimals, 0 to 30.</param>
    /// <param name="price">Null when it is not known.</param>
    /// <returns>Null when the price is, or when the figure has more than <see cref="DigitsMax"/> digits.</returns>
    public static Int128? Cents(Int128 amount, int decimals, UsdPrice? price)
    {
        if (price is not { Scaled: var scaled })
            return null;
        // amount / 10^decimals * scaled / 10^18 dollars * 100 cents
        var power = decimals + UsdPrice.Decimals - Decimals;
        var bits = BitLength(amount) + BitLength(scaled);
        if (bits <= 126 && power <= Amount.DigitsMax)
            return Known(Rounding.HalfUp(amount * scaled, Amount.One(power)));
        var exact = Rounding.HalfUp((BigInteger)amount * scaled, BigInteger.Pow(10, power));
        return BigInteger.Abs(exact) <= CentsMax ? (Int128)exact : null;
    }

    /// <summary>Cents as a figure with two decimals: <c>4999.50</c>; null stays null.</summary>
    public static string? Text(Int128? cents) => cents is { } known ? Amount.Fixed(known, Decimals) : null;

    private static Int128? Known(Int128 cents) => Int128.Abs(cents) <= CentsMax ? cents : null;

    private static int BitLength(Int128 value) => 128 - (int)UInt128.LeadingZeroCount(Rounding.Magnitude(value));
}
