using System.Threading.Channels;
using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Ledger;

/// <summary>
/// The lane of one shard: everything that changes a balance of the shard goes through <see cref="Write"/>.
///
/// Called by the API (requests) and the chain follower. One loop takes whatever is queued, without a timer: while one batch
/// commits the next one gathers, so a lone caller waits for one commit and a crowd shares it.
///
/// Guarantees: a command is answered only after its transaction committed; it happens once, by its reference, however often it
/// is tried. Correctness does not depend on there being one writer: row locks, the posting key, the rule that no balance is
/// written over a newer version, and the CHECKs hold for any number of processes. The single lane is only speed, and so is what it remembers
/// of the balances that it wrote (<see cref="LedgerCache"/>).
///
/// If the process dies here: a batch is committed whole or not at all; callers that got no answer ask again with the same
/// reference. If the reply to COMMIT is lost, the batch is run again and finds its own movements by their references.
/// </summary>
internal sealed class LedgerWriter : IAsyncDisposable
{
    /// <summary>Commands that may wait; beyond it the caller is told to come again.</summary>
    public const int QueueMax = 16_384;

    /// <summary>Commands in one transaction: more would lengthen every caller's wait for little throughput.</summary>
    public const int BatchMax = 1_024;

    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(
        new BoundedChannelOptions(QueueMax) { SingleReader = true, AllowSynchronousContinuations = false });

    private readonly short _shard;
    private readonly Db _db;
    private readonly Ids _ids;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<ILedgerGuest> _guests;
    private readonly LedgerCache _cache;
    private readonly Task _loop;

    /// <param name="shard">Whose lane this is.</param>
    /// <param name="db">The database.</param>
    /// <param name="ids">Ids for movements.</param>
    /// <param name="time">The clock.</param>
    /// <param name="remembered">Balances and open movements to remember: <see cref="LedgerCache"/>.</param>
    /// <param name="guests">Who takes part in the transactions.</param>
    public LedgerWriter(short shard, Db db, Ids ids, TimeProvider time, int remembered, IReadOnlyList<ILedgerGuest> guests)
    {
        _cache = new LedgerCache(remembered);
        (_shard, _db, _ids, _time, _guests) = (shard, db, ids, time, guests);
        _loop = Task.Run(Loop);
    }

    /// <summary>Queues the command and waits until its transaction has committed, or it is refused.</summary>
    /// <exception cref="Refused">With <see cref="RefusalCode.ServiceUnavailable"/> when the queue is full or the database away.</exception>
    public Task<Outcome> Write(Command command)
    {
        var pending = new Pending(command, _ids.Movement());
        if (!_queue.Writer.TryWrite(pending))
            throw new Refused(new(RefusalCode.ServiceUnavailable, "The ledger's queue is full; nothing was changed. Send the request again in a moment."));
        return pending.Answer.Task;
    }

    /// <summary>Takes no more commands, finishes those that wait.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
    }

    private async Task Loop()
    {
        var batch = new List<Pending>(BatchMax);
        while (await _queue.Reader.WaitToReadAsync())
        {
            while (batch.Count < BatchMax && _queue.Reader.TryRead(out var pending))
                batch.Add(pending);
            await Run(batch);
            batch.Clear();
            // Those who were just answered run first: what they ask next joins the batch instead of waiting for two.
            await Task.Yield();
        }
    }

    /// <summary>Runs a batch; an unexpected error is narrowed down by halving, so that one poisonous command harms only itself.</summary>
    private async Task Run(IReadOnlyList<Pending> batch)
    {
        var tries = 0;
        LedgerBatch decided;
        Outcome[] outcomes;
        try
        {
            (decided, outcomes) = await _db.LedgerTransaction((tx, ct) =>
            {
                if (++tries == 2)
                    _cache.Failed();
                return Apply(tx, batch, ct);
            });
        }
        catch (Exception fault) when (SqlFaults.IsConnectionLoss(fault) || SqlFaults.IsOutOfResources(fault))
        {
            Failed(tries);
            var refusal = new Refused(new(RefusalCode.ServiceUnavailable,
                "The database does not answer. Send the request again with the same Idempotency-Key; it happens once."));
            foreach (var pending in batch)
                pending.Answer.SetException(refusal);
            return;
        }
        catch (Exception fault)
        {
            Failed(tries);
            if (batch.Count == 1)
            {
                batch[0].Answer.SetException(fault);
                return;
            }

            await Run([.. batch.Take(batch.Count / 2)]);
            await Run([.. batch.Skip(batch.Count / 2)]);
            return;
        }

        // It has committed: whatever goes wrong from here on must not run it again.
        for (var i = 0; i < outcomes.Length; i++)
            batch[i].Answer.SetResult(outcomes[i]);
        decided.Remember();
        if (tries == 1)
            _cache.Committed();
    }

    /// <summary>What ends at its first try was not counted yet.</summary>
    private void Failed(int tries)
    {
        if (tries <= 1)
            _cache.Failed();
    }

    /// <summary>
    /// Read what is not remembered, decide, write: one round trip to read, if there is anything to read, and one to write and commit. What is
    /// not proven by what it writes is decided once more on what is read.
    /// </summary>
    private async Task<(LedgerBatch, Outcome[])> Apply(Tx tx, IReadOnlyList<Pending> pending, CancellationToken ct)
    {
        var commands = new Command[pending.Count];
        for (var i = 0; i < commands.Length; i++)
            commands[i] = pending[i].Command;
        var outcomes = new Outcome[commands.Length];
        var cache = _cache.MayUse(_db.Opened) ? _cache : null;
        for (List<int>? doubts = null; ;)
        {
            var batch = new LedgerBatch(commands, cache, doubts);
            var visits = Enter(commands);
            await tx.Load(_shard, batch, visits, ct);
            var ticks = _time.GetUtcNow().UtcTicks;
            var now = new DateTimeOffset(ticks - (ticks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
            for (var i = 0; i < commands.Length; i++)
                outcomes[i] = batch.Decide(i, pending[i].Id, now, visits);
            if (batch.Doubts is null)
            {
                tx.Store(_shard, batch, visits);
                return (batch, outcomes);
            }

            // What was read can make others doubtful; then everything is read.
            if (doubts is not null)
                cache = null;
            doubts = batch.Doubts;
        }
    }

    private LedgerVisit[] Enter(Command[] commands)
    {
        if (_guests.Count == 0)
            return [];
        var visits = new List<LedgerVisit>(_guests.Count);
        foreach (var guest in _guests)
        {
            if (guest.Enter(_shard, commands) is { } visit)
                visits.Add(visit);
        }

        return [.. visits];
    }

    private sealed class Pending(Command command, MovementId id)
    {
        public Command Command { get; } = command;

        public MovementId Id { get; } = id;

        public TaskCompletionSource<Outcome> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
