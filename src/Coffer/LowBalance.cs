using System.Numerics;

namespace Coffer;

/// <summary>How a low-balance alert stands (contract 6). Stored as its number.</summary>
public enum AlertState : short
{
    /// <summary>Enough is available, or was when this was last decided.</summary>
    Ok = 1,

    /// <summary>It fell below the threshold and has not come back to the recovery threshold since.</summary>
    Low = 2,
}

/// <summary>
/// When a balance is low, and when it is not any more. Two thresholds, so that a balance which moves around one of them tells once. Integers
/// only: a threshold in floating point would be another number than the one that was asked for.
/// </summary>
public static class LowBalance
{
    /// <summary>The recovery threshold when nobody names one: 110 % of the threshold, rounded up, at most <see cref="Amount.Max"/>.</summary>
    /// <param name="threshold">Smallest units, 1 to <see cref="Amount.Max"/>.</param>
    public static Int128 RecoveryUsual(Int128 threshold) => Int128.Min(threshold + ((threshold + 9) / 10), Amount.Max);

    /// <summary>How an alert stands on a balance that nothing is known of from before.</summary>
    /// <param name="available">Smallest units, at least 0.</param>
    /// <param name="threshold">Smallest units, above 0.</param>
    public static AlertState First(BigInteger available, Int128 threshold) => available < threshold ? AlertState.Low : AlertState.Ok;

    /// <summary>How it stands once so much is available: low below the threshold, ok from the recovery threshold on, as before between.</summary>
    /// <param name="before">How it stood.</param>
    /// <param name="available">Smallest units, at least 0.</param>
    /// <param name="threshold">Smallest units, above 0.</param>
    /// <param name="recovery">Smallest units, at least the threshold.</param>
    public static AlertState Next(AlertState before, BigInteger available, Int128 threshold, Int128 recovery) =>
        available < threshold ? AlertState.Low : available >= recovery ? AlertState.Ok : before;
}
