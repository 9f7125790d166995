using System.Numerics;
using Coffer.Chains;

namespace Coffer.Tests.Chains;

/// <summary>
/// A node that fails in every way that nodes fail, chosen by chance for each call: away, too busy, silent, behind, on a fork that was left,
/// on another chain, with holes, with blocks that do not follow each other, with a transfer twice.
/// </summary>
internal sealed class FaultyNode(IChain behind, IReadOnlyList<ChainBlock> left, IChain foreign, Random random, int faultOneIn) : IChain
{
    private readonly Lock gate = new();

    public string Id => behind.Id;

    public async Task<ChainTip> Tip(CancellationToken ct)
    {
        var tip = await behind.Tip(ct);
        return Fault(out var which) ? which switch
        {
            0 or 1 => throw new ChainFault("away", retryable: true),
            2 => tip with { Height = tip.Height + 1_000, Hash = "advertised" },
            3 => tip with { Height = Math.Max(0, tip.Height - 4), Hash = "lagging", Finalized = null },
            4 when left.Count > 0 => new ChainTip(left[^1].Height, left[^1].Hash, null),
            _ => await foreign.Tip(ct),
        } : tip;
    }

    public async Task<IReadOnlyList<ChainBlock>> Blocks(long height, int countMax, CancellationToken ct)
    {
        var blocks = await behind.Blocks(height, countMax, ct);
        if (!Fault(out var which))
            return blocks;
        return which switch
        {
            0 => throw new ChainFault("away", retryable: true),
            1 => throw new ChainFault("too busy", retryable: true),
            2 => [],
            3 => [.. blocks.Take(blocks.Count / 2)],
            4 => [.. left.Where(block => block.Height >= height).Take(countMax)],
            5 => [.. blocks.Where((_, i) => i != 1)],
            6 => [.. blocks.Select((block, i) => i == 1 ? block with { ParentHash = "nonsense" } : block)],
            7 => [.. blocks.Select(block => block with { Transfers = [.. block.Transfers, .. block.Transfers] })],
            _ => await foreign.Blocks(height, countMax, ct),
        };
    }

    public Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct) => behind.Mempool(ct);

    public Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct) => behind.Broadcast(transaction, ct);

    public Task<TransactionStatus> Status(string txId, CancellationToken ct) => behind.Status(txId, ct);

    public string? ReadTxId(string text) => behind.ReadTxId(text);

    public Task<ChainTransaction?> Transaction(string txId, CancellationToken ct) => behind.Transaction(txId, ct);

    public Task<IReadOnlyList<BigInteger>> Holdings(
        long height, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct) =>
        behind.Holdings(height, hash, asset, addresses, ct);

    public Task<Int128> FeeEstimate(string? asset, CancellationToken ct) => behind.FeeEstimate(asset, ct);

    private bool Fault(out int which)
    {
        lock (gate)
        {
            which = random.Next(9);
            return random.Next(faultOneIn) == 0;
        }
    }
}
