using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>
/// The streams of events that are open in this process. A stream sleeps until <see cref="Db.Bell"/> rings for its account; what other
/// processes write is found by one look per second over all accounts that have streams. Only waking goes through here: what a stream sends
/// it reads from the database, after the number that it sent last.
///
/// If the process dies here: the callers come again with the number of the last event that they have.
/// </summary>
internal sealed class EventStreams
{
    /// <summary>Streams of one account that this process holds open at once.</summary>
    public const int PerAccountMax = 20;

    /// <summary>Streams of all accounts together.</summary>
    public const int Max = 2_000;

    /// <summary>The pause between two looks for what other processes have written.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Db _db;
    private readonly Lock _lock = new();
    private readonly Dictionary<AccountId, List<EventStream>> _open = [];
    private int _count;

    public EventStreams(Db db)
    {
        _db = db;
        db.Bell.Listen(Ring);
    }

    /// <summary>A new stream, to be disposed at its end; null while there are too many.</summary>
    public EventStream? Open(short shard, AccountId account)
    {
        lock (_lock)
        {
            if (_count >= Max)
                return null;
            if (!_open.TryGetValue(account, out var streams))
                _open[account] = streams = [];
            if (streams.Count >= PerAccountMax)
                return null;
            var stream = new EventStream(shard, account, Close);
            streams.Add(stream);
            _count++;
            return stream;
        }
    }

    /// <summary>Wakes the streams of accounts that have events which a stream has not seen.</summary>
    public async Task Look(CancellationToken ct)
    {
        List<(short Shard, AccountId Account)> accounts;
        lock (_lock)
            accounts = [.. _open.Values.Select(streams => (streams[0].Shard, streams[0].Account))];
        if (accounts.Count == 0)
            return;
        foreach (var (account, newest) in await _db.NewestEvents(accounts, ct))
            Ring(account, newest);
    }

    private void Ring(AccountId account) => Ring(account, long.MaxValue);

    private void Ring(AccountId account, long newest)
    {
        lock (_lock)
        {
            foreach (var stream in _open.GetValueOrDefault(account) ?? [])
            {
                if (stream.Seen < newest)
                    stream.Wake();
            }
        }
    }

    private void Close(EventStream stream)
    {
        lock (_lock)
        {
            if (!_open[stream.Account].Remove(stream))
                return;
            _count--;
            if (_open[stream.Account].Count == 0)
                _open.Remove(stream.Account);
        }
    }
}

/// <summary>One open stream.</summary>
internal sealed class EventStream(short shard, AccountId account, Action<EventStream> close) : IDisposable
{
    private readonly SemaphoreSlim _awake = new(0);
    private int _woken;
    private long _seen;

    public short Shard => shard;

    public AccountId Account => account;

    /// <summary>The number up to which everything was sent.</summary>
    public long Seen
    {
        get => Volatile.Read(ref _seen);
        set => Volatile.Write(ref _seen, value);
    }

    public void Wake()
    {
        if (Interlocked.Exchange(ref _woken, 1) == 0)
            _awake.Release();
    }

    /// <summary>False when nothing woke it for so long. What wakes it after this has returned true wakes it again.</summary>
    public async Task<bool> Wait(TimeSpan most, CancellationToken ct)
    {
        if (!await _awake.WaitAsync(most, ct))
            return false;
        Interlocked.Exchange(ref _woken, 0);
        return true;
    }

    public void Dispose() => close(this);
}
