using Coffer.Chains.Simulated;

namespace Coffer.Tests.Chains;

/// <summary>A log as a database keeps it: every operation passes through its JSON form, and a taken number is refused.</summary>
internal sealed class MemoryLog : ISimulatedLog
{
    private readonly Lock gate = new();
    private readonly List<string> operations = [];

    public IReadOnlyList<string> Operations
    {
        get
        {
            lock (gate)
                return [.. operations];
        }
    }

    public async Task<IReadOnlyList<SimulatedOperation>> After(long sequence, int countMax, CancellationToken ct)
    {
        await Task.Yield();
        lock (gate)
            return [.. operations.Skip((int)sequence).Take(countMax).Select(SimulatedOperation.FromJson)];
    }

    public async Task<bool> Append(long sequence, SimulatedOperation operation, CancellationToken ct)
    {
        await Task.Yield();
        lock (gate)
        {
            if (sequence != operations.Count + 1)
                return false;
            operations.Add(operation.ToJson());
            return true;
        }
    }
}
