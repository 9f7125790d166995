using System.Runtime.CompilerServices;
using Coffer.Chains.Keys;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>Reads runs of raw blocks: several in one request while they are small, few when they are large.</summary>
internal sealed class BitcoinBlocks(BitcoinNetwork network, Watch watch)
{
    private long bytesEach = BitcoinLimits.RequestBytes / 4;

    /// <summary>Consecutive blocks of the node's best chain, as many as an answer should hold, with what they pay us.</summary>
    public async Task<IReadOnlyList<ChainBlock>> Read(RpcNode node, long height, int countMax, CancellationToken ct)
    {
        var (top, _) = await node.Tip(ct);
        var count = (int)Math.Min(Math.Min(countMax, BitcoinLimits.BlocksMax), top - height + 1);
        if (count <= 0)
            return [];
        var blocks = new List<ChainBlock>(count);
        await foreach (var run in Runs(node, height, height + count - 1, ct, BitcoinLimits.AnswerBytes))
        {
            var paid = run.Select(block => (Block: block, Transfers: block.Transactions.SelectMany(tx => Transfers(tx, network)).ToList()))
                .ToList();
            var ours = await Ours(paid.SelectMany(block => block.Transfers), ct);
            foreach (var (block, transfers) in paid)
                blocks.Add(new ChainBlock(height + blocks.Count, block.Hash.ToString(), block.Parent.ToString(), block.Time,
                    [.. transfers.Where(transfer => ours.Contains(transfer.Address))]));
        }

        return blocks;
    }

    /// <summary>Raw blocks of the node's best chain from one height to another, or to the first run that makes the bytes full.</summary>
    public async IAsyncEnumerable<List<RawBlock>> Runs(RpcNode node, long from, long to,
        [EnumeratorCancellation] CancellationToken ct, long bytesMax = long.MaxValue)
    {
        for (var bytes = 0L; from <= to && bytes < bytesMax;)
        {
            var fitting = Math.Clamp(BitcoinLimits.RequestBytes / Math.Max(1, Volatile.Read(ref bytesEach)), 1, RpcLimits.BatchMax);
            var hashes = await node.Hashes(from, (int)Math.Min(fitting, to - from + 1), ct);
            var run = await node.RawBlocks(hashes, ct);
            var read = run.Sum(block => (long)block.Bytes);
            Volatile.Write(ref bytesEach, read / run.Count);
            (bytes, from) = (bytes + read, from + run.Count);
            yield return [.. run.Select(block => block.Block)];
        }
    }

    /// <summary>Which of these transfers go to watched addresses, by address.</summary>
    public async Task<IReadOnlySet<string>> Ours(IEnumerable<ChainTransfer> transfers, CancellationToken ct)
    {
        string[] addresses = [.. transfers.Select(transfer => transfer.Address).Distinct()];
        return addresses.Length == 0 ? new HashSet<string>() : await watch(addresses, ct);
    }

    /// <summary>
    /// Each output with an address is a transfer, its number the ordinal. Not those that make new coins: no customer is paid by them, and
    /// they may not be spent for 100 blocks, which a currency's confirmations do not know.
    /// </summary>
    public static IEnumerable<ChainTransfer> Transfers(RawTransaction transaction, BitcoinNetwork network)
    {
        if (transaction.IsCoinbase)
            yield break;
        string? id = null;
        for (var i = 0; i < transaction.Outputs.Count; i++)
        {
            var (value, script) = transaction.Outputs[i];
            if (BitcoinAddress.OfScript(script.Span, network) is { } address)
                yield return new ChainTransfer(id ??= transaction.Id.ToString(), TransferKind.Native, i, address, Asset: null, value);
        }
    }
}
