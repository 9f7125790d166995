namespace Coffer.Chains.Evm;

/// <summary>One EVM chain: what to follow on it and how.</summary>
/// <param name="Id">The chain's name in cursors and references, e.g. <c>ethereum</c>.</param>
/// <param name="ChainId">The number that its nodes answer to <c>eth_chainId</c>.</param>
/// <param name="Tokens">The contracts of the tokens that are followed, in any valid spelling.</param>
/// <param name="Traces">How transfers inside transactions are seen. Their ordinals come from the call tree, so it stays as it is.</param>
/// <param name="Coin">False where only tokens are followed: blocks are then read without their transactions.</param>
public sealed record EvmOptions(string Id, long ChainId, IReadOnlyList<string> Tokens, TraceKind Traces = TraceKind.None, bool Coin = true)
{
    /// <summary>What the operator's file says of a chain, and the contracts of its currencies.</summary>
    public static EvmOptions Of(ChainEntry entry, IReadOnlyList<string> tokens) => new(entry.Id, entry.ChainId
        ?? throw new ArgumentException("An EVM chain needs a chain id.", nameof(entry)), tokens, entry.Traces);

    /// <summary>Gas of a plain transfer of the coin; chains that add the cost of another layer need more.</summary>
    public long GasPerTransfer { get; init; } = 21_000;

    /// <summary>Gas of a token transfer, on the safe side.</summary>
    public long GasPerTokenTransfer { get; init; } = 65_000;

    /// <summary>The least that a gas price is taken for, in smallest units of the coin.</summary>
    public Int128 GasPriceMin { get; init; } = 10_000_000;
}

/// <summary>The bounds of what one call reads.</summary>
public static class EvmLimits
{
    /// <summary>Blocks in one call.</summary>
    public const int BlocksMax = 200;

    /// <summary>Blocks with whole transactions in one request.</summary>
    public const int BlocksPerRequestMax = 20;

    /// <summary>This close to the tip, logs are asked for by block hash, so that a reorg in between shows.</summary>
    public const int NearTip = 64;

    /// <summary>Contracts in one filter (java-tron takes no more).</summary>
    public const int ContractsPerFilterMax = 1_000;

    /// <summary>From this many transactions to look at in one block, all its receipts are asked for at once.</summary>
    public const int BlockReceiptsFrom = 20;

    /// <summary>Requests with whole ranges of logs that must go well before wider ranges are tried again.</summary>
    public const int WidenAfter = 20;

    /// <summary>
    /// This deep below the tip a block counts as settled when a chain does not say what is final; only then is a nonce that somebody else
    /// used a proof of anything.
    /// </summary>
    public const int DeepBlocks = 64;

    /// <summary>Blocks whose fees are looked at for an estimate.</summary>
    public const int FeeBlocks = 20;
}
