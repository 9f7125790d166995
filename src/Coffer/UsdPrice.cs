namespace Coffer;

/// <summary>US dollars for one whole unit of a currency, as an integer of 10^-18 dollar; at least 0.</summary>
public readonly record struct UsdPrice(Int128 Scaled)
{
    /// <summary>Digits after the point that a price keeps.</summary>
    public const int Decimals = 18;

    /// <summary>Reads a price exactly, by the rules of <see cref="Amount"/>: up to 20 digits before the point, 18 after it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UsdPrice price, out AmountFault fault)
    {
        var read = Amount.TryParse(text, Decimals, out var scaled, out fault);
        price = new UsdPrice(scaled);
        return read;
    }

    /// <summary>As <see cref="TryParse(ReadOnlySpan{char}, out UsdPrice, out AmountFault)"/>, for callers that need no reason.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UsdPrice price) => TryParse(text, out price, out _);

    /// <summary>Dollars with at least two decimals and no further trailing zeros: <c>0.9999</c>, <c>2345.00</c>.</summary>
    public override string ToString() => Amount.Short(Scaled, Decimals);
}
