using Coffer.Chains.Evm;

namespace Coffer.Chains.Tron;

/// <summary>
/// Proves that transactions can never be mined: the final head is past their expiration, and every final block that might hold them was
/// read and does not. Not by asking a node for their ids: behind one address several machines may answer, and one that lags knows less than
/// the one that told the head.
/// </summary>
internal static class TronExpiry
{
    /// <summary>The most blocks that are read for one proof: half a day of them, and some.</summary>
    public const int BlocksMax = 15_000;

    /// <summary>Blocks come every 3 seconds; nearer to each other is what test nodes do.</summary>
    private static readonly TimeSpan _apartMin = TimeSpan.FromSeconds(1);

    /// <summary>False as long as it is not proven.</summary>
    /// <param name="node">A node whose final blocks are read.</param>
    /// <param name="txIds">The transactions, in their one spelling.</param>
    /// <param name="expiresAt">None of them expires later.</param>
    /// <param name="bornAt">None of them was in a block with an earlier time.</param>
    /// <param name="ct">Stops the reading.</param>
    public static async Task<bool> IsProven(
        TronNode node, IReadOnlyList<string> txIds, DateTimeOffset expiresAt, DateTimeOffset bornAt, CancellationToken ct)
    {
        var tip = await node.Tip(ct);
        if (tip.Time <= expiresAt)
            return false;
        var mine = txIds.Select(txId => "0x" + txId).ToHashSet();
        var height = await FirstFrom(node, tip, bornAt, ct);
        var below = await node.Block(Math.Max(0, height - 1), ct);
        for (var read = 0; read < BlocksMax && below.Height < tip.Height;)
        {
            // The chain takes a transaction on top of any block that is not past its expiration, whatever the time of the new block.
            if (below.Time > expiresAt)
                return true;
            var count = (int)Math.Min(TronLimits.RequestsAtOnce, tip.Height - below.Height);
            var first = below.Height + 1;
            var blocks = await Task.WhenAll(Enumerable.Range(0, count).Select(i => node.Block(first + i, ct)));
            foreach (var block in blocks)
            {
                if (block.ParentHash != below.Hash)
                    throw new ChainFault($"The final block {block.Height} of {node.Rpc.Name} does not follow the one below it.", retryable: true);
                if (below.Time <= expiresAt && block.Transactions.Any(one => mine.Contains(one.Hash)))
                    return false;
                (below, read) = (block, read + 1);
            }
        }

        return below.Time > expiresAt && below.Height <= tip.Height;
    }

    /// <summary>The lowest block whose time is not before the given one; blocks' times only grow.</summary>
    private static async Task<long> FirstFrom(TronNode node, EvmBlock tip, DateTimeOffset time, CancellationToken ct)
    {
        var back = (long)Math.Ceiling((tip.Time - time) / _apartMin);
        var (low, high) = (Math.Max(0, tip.Height - back), tip.Height);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if ((await node.Block(middle, ct)).Time < time)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
