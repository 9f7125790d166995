using System.Collections.Concurrent;

namespace Coffer.Server.Auth;

/// <summary>
/// Counts the requests of callers who are told apart by a text: an address, a client, a name. In this process's memory; whoever has
/// not called for a window is forgotten, so nobody fills the memory by inventing texts.
/// </summary>
internal sealed class RequestCounters(RequestRate rate)
{
    /// <summary>Above this many counters, those that count nothing any more are forgotten.</summary>
    private const int CountersMax = 20_000;

    private readonly ConcurrentDictionary<string, Counter> _counters = new(StringComparer.Ordinal);

    public RequestRate Rate { get; } = rate;

    /// <summary>Counts one request.</summary>
    /// <param name="who">Whose.</param>
    /// <param name="remaining">How many more he may make now.</param>
    /// <returns>Seconds until he may make one again; 0 when this one was counted.</returns>
    public int Take(string who, out int remaining)
    {
        if (_counters.Count > CountersMax)
            Forget();
        return Rate.Take(ref _counters.GetOrAdd(who, static _ => new Counter()).Full, out remaining);
    }

    private void Forget()
    {
        foreach (var (who, counter) in _counters)
        {
            if (Rate.IsFull(ref counter.Full))
                _counters.TryRemove(who, out _);
        }
    }

    private sealed class Counter
    {
        public long Full;
    }
}
