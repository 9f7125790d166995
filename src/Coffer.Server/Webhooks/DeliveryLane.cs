using System.Collections.Concurrent;

namespace Coffer.Server.Webhooks;

/// <summary>What this server has leased of one lane: a queue, and runners that empty it. Only the delivery loop adds.</summary>
internal sealed class DeliveryLane
{
    private readonly ConcurrentQueue<DueDelivery> _waiting = [];
    private int _runners, _taken;
    private long _pausedUntil, _noKeyUntil;

    /// <summary>How many are waiting or being sent.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Whether the last attempt failed: then few are sent at a time, and what was leased before goes back.</summary>
    public bool Failing { get; set; }

    /// <summary>The end of the pause that the receiver has asked for: what was leased before goes back.</summary>
    public DateTimeOffset PausedUntil
    {
        get => new(Volatile.Read(ref _pausedUntil), TimeSpan.Zero);
        set => Volatile.Write(ref _pausedUntil, value.UtcTicks);
    }

    /// <summary>Until then nothing is leased, because this server cannot read the secret.</summary>
    public DateTimeOffset NoKeyUntil
    {
        get => new(Volatile.Read(ref _noKeyUntil), TimeSpan.Zero);
        set => Volatile.Write(ref _noKeyUntil, value.UtcTicks);
    }

    public void Add(DueDelivery due)
    {
        Interlocked.Increment(ref _taken);
        _waiting.Enqueue(due);
    }

    public bool TryTake(out DueDelivery due) => _waiting.TryDequeue(out due!);

    /// <summary>One of those that were added is done with.</summary>
    public void Done() => Interlocked.Decrement(ref _taken);

    /// <summary>Starts runners until there are as many as may be, or enough; each ends when it finds nothing.</summary>
    public void Start(Func<DeliveryLane, Task> run, int most)
    {
        for (var wanted = Math.Min(most, _waiting.Count); Volatile.Read(ref _runners) < wanted;)
        {
            Interlocked.Increment(ref _runners);
            _ = Run(run);
        }
    }

    private async Task Run(Func<DeliveryLane, Task> run)
    {
        // Not on the loop's own thread.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await run(this);
        }
        finally
        {
            Interlocked.Decrement(ref _runners);
        }
    }
}
