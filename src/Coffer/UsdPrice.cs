using System.Globalization;
using System.Numerics;

namespace Coffer;

/// <summary>US dollars for one whole unit of a currency, as an integer of 10^-18 dollar; at least 0.</summary>
public readonly record struct UsdPrice(Int128 Scaled)
{
    /// <summary>Digits after the point that a price keeps.</summary>
    public const int Decimals = 18;

    // Longer than any price that is meant, and a bound on the work that a text can ask for.
    private const int TextMax = 100;

    /// <summary>Reads a price exactly, by the rules of <see cref="Amount"/>: up to 20 digits before the point, 18 after it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UsdPrice price, out AmountFault fault)
    {
        var read = Amount.TryParse(text, Decimals, out var scaled, out fault);
        price = new UsdPrice(scaled);
        return read;
    }

    /// <summary>As <see cref="TryParse(ReadOnlySpan{char}, out UsdPrice, out AmountFault)"/>, for callers that need no reason.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UsdPrice price) => TryParse(text, out price, out _);

    /// <summary>
    /// Reads what a source of prices says, as text or as a JSON number: digits, a fraction and an exponent if there are any
    /// (<c>0.9993</c>, <c>5.41e-06</c>). Digits beyond <see cref="Decimals"/> are rounded half up. Negative and too large ones are refused.
    /// </summary>
    public static bool TryRound(ReadOnlySpan<char> text, out UsdPrice price)
    {
        price = default;
        var power = 0;
        if (text.IndexOfAny('e', 'E') is >= 0 and var mark)
        {
            if (!int.TryParse(text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out power)
                || power is < -TextMax or > TextMax)
                return false;
            text = text[..mark];
        }

        var point = text.IndexOf('.');
        var fraction = point < 0 ? 0 : text.Length - point - 1;
        Span<char> digits = stackalloc char[TextMax];
        if (text.Length is 0 or > TextMax || point == 0 || (point > 0 && fraction == 0))
            return false;
        var count = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (i == point)
                continue;
            if (!char.IsAsciiDigit(text[i]))
                return false;
            digits[count++] = text[i];
        }

        var number = BigInteger.Parse(digits[..count], NumberStyles.None, CultureInfo.InvariantCulture);
        power += Decimals - fraction;
        var scaled = power >= 0 ? number * BigInteger.Pow(10, power) : Rounding.HalfUp(number, BigInteger.Pow(10, -power));
        if (scaled > Amount.Max)
            return false;
        price = new UsdPrice((Int128)scaled);
        return true;
    }

    /// <summary>Dollars with at least two decimals and no further trailing zeros: <c>0.9999</c>, <c>2345.00</c>.</summary>
    public override string ToString() => Amount.Short(Scaled, Decimals);
}
