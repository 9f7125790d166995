namespace Coffer.Chains.Simulated;

/// <summary>Where the operations of one simulated chain are kept. Sequence numbers run from 1 without a gap.</summary>
public interface ISimulatedLog
{
    /// <summary>The operations after a sequence number, in order, at most <paramref name="countMax"/>.</summary>
    Task<IReadOnlyList<SimulatedOperation>> After(long sequence, int countMax, CancellationToken ct);

    /// <summary>
    /// Stores an operation durably under exactly this number; false, and nothing stored, when the number is taken. Of two writers, in this
    /// process or another, one gets true.
    /// </summary>
    Task<bool> Append(long sequence, SimulatedOperation operation, CancellationToken ct);
}
