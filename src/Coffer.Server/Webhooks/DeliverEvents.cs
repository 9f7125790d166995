using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using Coffer.Server.Host;
using Coffer.Server.Outbound;
using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>
/// Delivers events to endpoints and callback URLs. One loop per process: what is new becomes deliveries, what is due is leased and sent, what
/// came of it is written down, many at a time. Woken by <see cref="Db.Bell"/> and by attempts that end; looks by itself every
/// <see cref="LookEvery"/> for what other processes have written and what has become due. Any number of servers may run it.
///
/// Guarantees: an event that committed reaches each endpoint that wants it, at least once, always with the same id and the same bytes, as
/// long as the endpoint answers within its schedule. Lanes are independent: one that hangs holds its own places, and once it has failed
/// few of them; those that fail have places of their own altogether.
///
/// If the process dies here: before a delivery is made the cursor has not moved; a delivery that was leased is due again when its lease is
/// over, and is sent a second time if it had been sent, with the same id.
/// </summary>
internal sealed partial class DeliverEvents : IAsyncDisposable
{
    /// <summary>Every point at which the work can be stopped.</summary>
    public static readonly IReadOnlyList<string> Points = ["made", "leased", "sending", "sent", "written"];

    /// <summary>How long the loop sleeps when nothing wakes it.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause between turns that fail, as all do while the database is away.</summary>
    public static readonly TimeSpan BackOffMax = TimeSpan.FromSeconds(30);

    /// <summary>How long a lane is left alone whose secret this server cannot read: another server may have the keys.</summary>
    public static readonly TimeSpan NoKeyPause = TimeSpan.FromMinutes(1);

    /// <summary>How long a delivery is this server's own.</summary>
    public static readonly TimeSpan LeaseDefault = TimeSpan.FromSeconds(90);

    /// <summary>Deliveries of one lane that are sent at a time; of one that fails; of all lanes; of all that fail.</summary>
    public const int LanePlaces = 8, FailingPlaces = 2, InFlightMax = 256, FailingMax = 64;

    // What is leased ahead of being sent: enough to keep a lane busy from one look to the next.
    private const int TakenOfLane = 64, TakenOfFailing = 4, TakenMax = 2_048, EndpointsAtOnce = 100, EventsAtOnce = 500, RecordedAtOnce = 1_000;

    private readonly Db _db;
    private readonly PostOut _post;
    private readonly EndpointSecrets _secrets;
    private readonly RecordDeliveries _record;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly TimeSpan _lease;
    private readonly Action<string> _reach;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _places = new(InFlightMax), _failingPlaces = new(FailingMax);
    private readonly Channel<bool> _awake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<AccountId, bool> _rung = [];
    private readonly ConcurrentQueue<(DueDelivery Due, Attempt? Attempt, DateTimeOffset At)> _ended = [];
    private readonly Dictionary<LaneKey, DeliveryLane> _lanes = [];
    private readonly IDisposable _listening;
    private List<(DueDelivery Due, Attempt? Attempt, DateTimeOffset At)> _unrecorded = [];
    private long _lookedAt = long.MinValue;
    private Task _loop = Task.CompletedTask;

    /// <param name="db">The database.</param>
    /// <param name="post">The way out.</param>
    /// <param name="secrets">What is signed with.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">For the jitter.</param>
    /// <param name="log">Told what an operator must know.</param>
    /// <param name="lease">How long a delivery is this server's own; must be longer than an attempt.</param>
    /// <param name="at">Called at each named point, so that a test can stop the work there; null in the product.</param>
    public DeliverEvents(Db db, PostOut post, EndpointSecrets secrets, TimeProvider time, RandomBytes random, ILogger log, TimeSpan? lease = null,
        Action<string>? at = null)
    {
        (_db, _post, _secrets, _time, _log, _lease, _reach) = (db, post, secrets, time, log, lease ?? LeaseDefault, at ?? (_ => { }));
        _record = new RecordDeliveries(db, time, random, log);
        _listening = db.Bell.Listen(account =>
        {
            _rung[account] = true;
            Wake();
        });
    }

    /// <summary>Starts the loop; <see cref="DisposeAsync"/> ends it.</summary>
    public void Start() => _loop = Task.Run(Loop);

    /// <summary>The pause after so many turns in a row that failed; at least one.</summary>
    public static TimeSpan BackOff(int failures) =>
        LookEvery * Math.Pow(2, Math.Min(failures, 10) - 1) is var pause && pause < BackOffMax ? pause : BackOffMax;

    /// <summary>Lets the next turn look for everybody, as it does by itself after <see cref="LookEvery"/>.</summary>
    public void LookNow() => _lookedAt = long.MinValue;

    /// <summary>How many deliveries this server has leased and not written down.</summary>
    public int Taken => _lanes.Values.Sum(lane => lane.Taken) + _ended.Count + _unrecorded.Count;

    /// <summary>
    /// One turn of the loop: writes down what ended, makes deliveries of what is new, leases what is due and starts to send it. True when there
    /// was something to do.
    /// </summary>
    public async Task<bool> Turn(CancellationToken ct)
    {
        var did = await Record(ct);
        did |= await FanOut(ct);
        did |= await Claim(ct);
        return did;
    }

    /// <summary>Ends the loop. What is being sent is given up, not counted, and due again at once.</summary>
    public async ValueTask DisposeAsync()
    {
        _listening.Dispose();
        await _ending.CancelAsync();
        await _loop;
        try
        {
            for (var wait = 0; wait < 100 && _lanes.Values.Any(lane => lane.Taken > 0); wait++)
                await Task.Delay(TimeSpan.FromMilliseconds(10), CancellationToken.None);
            await Record(CancellationToken.None);
        }
        catch (Exception fault)
        {
            // The leases end by themselves.
            Failed(_log, fault);
        }
    }

    private async Task Loop()
    {
        for (var failures = 0; !_ending.IsCancellationRequested;)
        {
            try
            {
                var did = await Turn(_ending.Token);
                failures = 0;
                if (did)
                    continue;
                using var pause = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
                await Task.WhenAny(_awake.Reader.WaitToReadAsync(pause.Token).AsTask(), Task.Delay(LookEvery, _time, pause.Token));
                await pause.CancelAsync();
                _awake.Reader.TryRead(out _);
            }
            catch (OperationCanceledException) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                Failed(_log, fault);
                await Task.Delay(BackOff(++failures), _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Wake() => _awake.Writer.TryWrite(true);

    private async Task<bool> Record(CancellationToken ct)
    {
        // What could not be written down is kept until it can.
        while (_unrecorded.Count < RecordedAtOnce && _ended.TryDequeue(out var ended))
            _unrecorded.Add(ended);
        if (_unrecorded.Count == 0)
            return false;
        await _record.Run(_unrecorded, ct);
        _reach("written");
        _unrecorded = [];
        return true;
    }

    private async Task<bool> FanOut(CancellationToken ct)
    {
        var now = _time.GetUtcNow();
        var look = _lookedAt == long.MinValue || _time.GetElapsedTime(_lookedAt) >= LookEvery;
        Guid[]? accounts = look ? null : [.. _rung.Keys.Select(account => account.Value)];
        if (accounts is { Length: 0 })
            return false;
        // Before the look: what rings during it is looked at again.
        _rung.Clear();
        var passed = await _db.Transaction(async (tx, token) =>
        {
            if (look)
                await tx.StartProgress(token);
            await tx.FanOutPings(now, token);
            return await tx.FanOut(accounts, EndpointsAtOnce, EventsAtOnce, now, token);
        }, ct);
        _reach("made");
        if (look)
            _lookedAt = passed == 0 ? _time.GetTimestamp() : long.MinValue;
        return passed > 0;
    }

    private async Task<bool> Claim(CancellationToken ct)
    {
        var now = _time.GetUtcNow();
        var busy = new List<(LaneKey, int)>();
        var taken = 0;
        foreach (var (key, lane) in _lanes.ToList())
        {
            var noKey = now < lane.NoKeyUntil;
            if (lane.Taken == 0 && !noKey)
                _lanes.Remove(key);
            else if (noKey)
                busy.Add((key, 0));
            else
                busy.Add((key, (lane.Failing ? TakenOfFailing : TakenOfLane) - lane.Taken));
            taken += lane.Taken;
        }

        if (taken >= TakenMax)
            return false;
        var due = await _db.Transaction((tx, token) =>
            tx.Claim(busy, (TakenOfLane, TakenOfFailing, TakenMax - taken), now, now + _lease, token), ct);
        _reach("leased");
        foreach (var one in due)
        {
            if (!_lanes.TryGetValue(one.Lane, out var lane))
                _lanes[one.Lane] = lane = new DeliveryLane { Failing = one.Failing };
            lane.Add(one);
        }

        foreach (var lane in _lanes.Values)
            lane.Start(Run, lane.Failing ? FailingPlaces : LanePlaces);
        return due.Count > 0;
    }

    /// <summary>A runner of a lane: one after the other, until there is nothing left, or the lane fails and others are enough.</summary>
    private async Task Run(DeliveryLane lane)
    {
        while (lane.TryTake(out var due))
        {
            var at = _time.GetUtcNow();
            var wasFailing = due.Failing;
            // A lane that has begun to fail or asks for a pause is looked at anew; what has too little of its lease left might be sent twice.
            var goesBack = (lane.Failing && !wasFailing) || at < lane.PausedUntil || at < lane.NoKeyUntil
                || _ending.IsCancellationRequested || at + PostOut.TimeMax >= due.LeasedUntil;
            var attempt = goesBack ? null : await Send(lane, due, at);
            if (attempt is not null)
            {
                lane.Failing = !attempt.Succeeded;
                if (RecordDeliveries.Pause(attempt) is { } pause)
                    lane.PausedUntil = _time.GetUtcNow() + pause;
            }

            _ended.Enqueue((due, attempt, at));
            lane.Done();
            Wake();
        }
    }

    private async Task<Attempt?> Send(DeliveryLane lane, DueDelivery due, DateTimeOffset at)
    {
        var places = lane.Failing ? _failingPlaces : _places;
        try
        {
            await places.WaitAsync(_ending.Token);
            try
            {
                var signing = _secrets.Signing(due.Endpoint, at);
                _reach("sending");
                var attempt = await _post.Send(new Post(due.Url, due.Mode, due.EventId, at, due.Body, signing), _ending.Token);
                _reach("sent");
                return attempt;
            }
            finally
            {
                places.Release();
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (CryptographicException fault)
        {
            // Our fault, not the receiver's: it stays due, for a server that has the keys, and for this one after a pause.
            if (at >= lane.NoKeyUntil)
                NoKey(_log, due.Endpoint.Key.Id, fault.Message);
            lane.NoKeyUntil = at + NoKeyPause;
            return null;
        }
    }

    [LoggerMessage(60, LogLevel.Warning, "Delivering events failed; it is tried again")]
    private static partial void Failed(ILogger log, Exception fault);

    [LoggerMessage(61, LogLevel.Error, "The secret of endpoint {Endpoint} cannot be read with this server's keys, so nothing is delivered there: {Why}")]
    private static partial void NoKey(ILogger log, Guid endpoint, string why);
}
