namespace Coffer.Chains.Tron;

/// <summary>A Tron chain: what to follow on it and how.</summary>
/// <param name="Id">The chain's name in cursors and references, e.g. <c>tron</c>.</param>
/// <param name="ChainId">The number that its nodes answer to <c>eth_chainId</c>; null: not asked.</param>
/// <param name="Tokens">The contracts of the TRC-20 tokens that are followed, as <c>T...</c>.</param>
/// <param name="ApiKey">Sent as <c>TRON-PRO-API-KEY</c>; null for none.</param>
public sealed record TronOptions(string Id, long? ChainId, IReadOnlyList<string> Tokens, string? ApiKey = null)
{
    /// <summary>What the operator's file says of a chain, and the contracts of its currencies.</summary>
    public static TronOptions Of(ChainEntry entry, IReadOnlyList<string> tokens) => new(entry.Id, entry.ChainId, tokens, entry.ApiKey);
}

/// <summary>The bounds of what one call reads, and what transfers need.</summary>
public static class TronLimits
{
    /// <summary>Blocks in one call; java-tron's own limit for a range of logs is 5,000.</summary>
    public const int BlocksMax = 100;

    /// <summary>Requests to Tron's own interface at a time.</summary>
    public const int RequestsAtOnce = 4;

    /// <summary>Bytes of a transfer of TRX, for bandwidth.</summary>
    public const int BytesPerTransfer = 270;

    /// <summary>Bytes of a transfer of a token, for bandwidth.</summary>
    public const int BytesPerTokenTransfer = 350;

    /// <summary>Energy of a token transfer, on the safe side: to a holder of Tether it is half as much.</summary>
    public const int EnergyPerTokenTransfer = 131_000;

    /// <summary>The least that a byte or a unit of energy is taken to cost, in sun.</summary>
    public const int PriceMin = 50;
}
