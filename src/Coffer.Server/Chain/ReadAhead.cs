using Coffer.Chains;

namespace Coffer.Server.Chain;

/// <summary>
/// Reads the next blocks while the last ones are written. One per run of the follower, one reader. What was read ahead is only a
/// faster answer to the same question: whoever takes it checks every parent hash, and an answer that fits no more is dropped.
/// </summary>
internal sealed class ReadAhead(IChain chain, int countMax) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private Task<IReadOnlyList<ChainBlock>>? _next;
    private long _height;

    /// <summary>Begins to read the blocks upwards from a height.</summary>
    public void Begin(long height) => (_next, _height) = (chain.Blocks(height, countMax, _ending.Token), height);

    /// <summary>The blocks upwards from a height, from what was begun if it is that. Throws <see cref="ChainFault"/>.</summary>
    public async Task<IReadOnlyList<ChainBlock>> Take(long height, CancellationToken ct)
    {
        if (_next is null)
            return await chain.Blocks(height, countMax, ct);
        var (next, begun) = (_next, _height);
        if (begun == height)
        {
            _next = null;
            return await next.WaitAsync(ct);
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
        if (_next is { } next)
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _next = null;
    }
}
