namespace Coffer;

/// <summary>US dollars for one whole unit of a currency, as an integer of 10^-18 dollar; at least 0.</summary>
public readonly record struct UsdPrice(Int128 Scaled)
{
    /// <summary>Digits after the point that a price keeps.</summary>
    public const int Decimals = 18;
}
