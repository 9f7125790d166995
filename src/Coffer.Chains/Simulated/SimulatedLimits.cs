namespace Coffer.Chains.Simulated;

/// <summary>The bounds of one simulated chain. It lives in memory, so everything about it has a limit.</summary>
public static class SimulatedLimits
{
    /// <summary>Blocks mined, or lost to a reorg, in one call.</summary>
    public const int BlocksPerCallMax = 1_000;

    /// <summary>The height of a chain.</summary>
    public const int HeightMax = 20_000;

    /// <summary>Operations in a chain's log.</summary>
    public const int OperationsMax = 20_000;

    /// <summary>Transactions that wait for a block.</summary>
    public const int MempoolMax = 10_000;

    /// <summary>Outputs of one deposit transaction.</summary>
    public const int OutputsMax = 100;

    /// <summary>Characters of a deposit's seed.</summary>
    public const int SeedLengthMax = 100;

    /// <summary>Times that an append is tried again because another writer was faster.</summary>
    public const int AppendAttemptsMax = 100;

    /// <summary>The longest wait between two of those tries.</summary>
    public const int AppendWaitMillisecondsMax = 20;

    /// <summary>Operations read from the log at once.</summary>
    public const int ReplayBatch = 1_000;

    /// <summary>Payments of ours that are still to go wrong.</summary>
    public const int FaultsMax = 100;
}
