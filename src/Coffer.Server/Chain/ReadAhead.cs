using Coffer.Chains;

namespace Coffer.Server.Chain;

/// <summary>
/// Reads the next blocks while the last ones are written, two ranges at once: while one waits for its node the other is read. One per run of
/// the follower, one reader. What was read ahead is only a faster answer to the same question: whoever takes it checks every parent hash,
/// and an answer that fits no more is dropped.
/// </summary>
internal sealed class ReadAhead(IChain chain, int countMax) : IAsyncDisposable
{
    /// <summary>Ranges that are read at once.</summary>
    public const int RangesMax = 2;

    private readonly CancellationTokenSource _ending = new();
    private readonly Queue<(long Height, Task<IReadOnlyList<ChainBlock>> Blocks)> _begun = [];
    private long _next;

    /// <summary>Begins to read the blocks upwards from a height to the tip, in ranges of a size that the chain was seen to answer whole.</summary>
    public void Begin(long height, long tip, int size)
    {
        if (_begun.Count == 0)
            _next = height;
        for (; _begun.Count < RangesMax && _next <= tip; _next += size)
            _begun.Enqueue((_next, chain.Blocks(_next, size, _ending.Token)));
    }

    /// <summary>The blocks upwards from a height, from what was begun if it is that. Throws <see cref="ChainFault"/>.</summary>
    public async Task<IReadOnlyList<ChainBlock>> Take(long height, CancellationToken ct)
    {
        if (_begun.TryPeek(out var begun) && begun.Height == height)
        {
            _begun.Dequeue();
            return await begun.Blocks.WaitAsync(ct);
        }

        await Drop();
        return await chain.Blocks(height, countMax, ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Drop();
        _ending.Dispose();
    }

    /// <summary>Waits for it, so that nothing goes on behind the caller's back; what it says is of no use any more.</summary>
    private async Task Drop()
    {
        while (_begun.TryDequeue(out var begun))
            await ((Task)begun.Blocks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
