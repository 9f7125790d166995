using System.Threading.Channels;

namespace Coffer.Server.Sql;

/// <summary>
/// Lets reads that come at the same time share a statement: what is queued while one is under way goes into the next one, as in the ledger
/// writer, without a timer. A lone read runs at once; a crowd pays PostgreSQL's and the driver's price per statement once for many.
///
/// Guarantees: the statement that answers a read begins after the read was asked for, so answers are as current as statements of their own.
/// A fault of the statement is the fault of every read in it. If the process dies here, nothing is lost: nothing is written.
/// </summary>
internal sealed class ReadLanes<TKey, TAnswer> : IAsyncDisposable
{
    /// <summary>Reads in one statement.</summary>
    public const int BatchMax = 128;

    /// <summary>Statements under way at once: while PostgreSQL works for one, this process writes the answers of the other.</summary>
    public const int LanesDefault = 2;

    private readonly Channel<Pending> _queue = Channel.CreateUnbounded<Pending>();
    private readonly Func<IReadOnlyList<TKey>, Task<TAnswer[]>> _read;
    private readonly Task[] _lanes;

    /// <param name="read">Reads all keys in one statement and answers in their order.</param>
    public ReadLanes(Func<IReadOnlyList<TKey>, Task<TAnswer[]>> read)
    {
        _read = read;
        _lanes = [.. Enumerable.Range(0, LanesDefault).Select(_ => Task.Run(Lane))];
    }

    public Task<TAnswer> Read(TKey key)
    {
        var pending = new Pending(key);
        if (!_queue.Writer.TryWrite(pending))
            throw new Refused(new(RefusalCode.ServiceUnavailable, "The server is stopping. Send the request again in a moment."));
        return pending.Answer.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await Task.WhenAll(_lanes);
    }

    private async Task Lane()
    {
        var batch = new List<Pending>(BatchMax);
        var keys = new List<TKey>(BatchMax);
        while (await _queue.Reader.WaitToReadAsync())
        {
            while (batch.Count < BatchMax && _queue.Reader.TryRead(out var pending))
            {
                batch.Add(pending);
                keys.Add(pending.Key);
            }

            if (batch.Count > 0)
                await Run(batch, keys);
            batch.Clear();
            keys.Clear();
        }
    }

    private async Task Run(List<Pending> batch, List<TKey> keys)
    {
        try
        {
            var answers = await _read(keys);
            // One after the other and not each on a thread of its own: waking threads would cost more than the answers. The lane goes on.
            ThreadPool.UnsafeQueueUserWorkItem(static all =>
            {
                for (var i = 0; i < all.Reads.Length; i++)
                    all.Reads[i].Answer.SetResult(all.Answers[i]);
            }, (Reads: batch.ToArray(), Answers: answers), preferLocal: false);
        }
        catch (Exception fault)
        {
            foreach (var pending in batch)
                pending.Answer.TrySetException(fault);
        }
    }

    private sealed class Pending(TKey key)
    {
        public TKey Key { get; } = key;

        public TaskCompletionSource<TAnswer> Answer { get; } = new();
    }
}
