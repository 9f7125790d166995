using Coffer.Chains.Keys;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// What waits for a block and pays one of our addresses. Each look asks for the ids alone and reads only transactions that no look before
/// has read; one that is gone from the list, replaced, expired or mined, is gone here too. A node that fails says nothing about any of
/// them: what was known stays for the next look. Memory only; after a restart everything is read again.
/// </summary>
internal sealed class BitcoinMempool(BitcoinNetwork network, BitcoinBlocks blocks) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly Dictionary<RawHash, ChainTransfer[]> known = [];

    public void Dispose() => gate.Dispose();

    /// <summary>One look. An address counts from the first look after it is watched, for transactions that came later.</summary>
    public async Task<IReadOnlyList<ChainTransfer>> Read(RpcNode node, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            var now = (await node.Call("getrawmempool", ct)).List().Select(id => RawHash.Parse(id.Hash())!.Value).ToHashSet();
            foreach (var gone in known.Keys.Where(id => !now.Contains(id)).ToArray())
                known.Remove(gone);
            var room = Math.Min(BitcoinLimits.UnseenMax, BitcoinLimits.MempoolMax - known.Count);
            foreach (var unseen in now.Where(id => !known.ContainsKey(id)).Take(room).Chunk(RpcLimits.BatchMax))
                await Add(node, unseen, ct);
            return [.. known.Values.SelectMany(transfers => transfers)];
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task Add(RpcNode node, RawHash[] unseen, CancellationToken ct)
    {
        RpcCall[] calls = [.. unseen.Select(id => new RpcCall("getrawtransaction", id.ToString()))];
        var replies = await node.Batch(calls, ct);
        var read = new List<(RawHash Id, List<ChainTransfer> Transfers)>(unseen.Length);
        for (var i = 0; i < unseen.Length; i++)
        {
            // Mined or replaced since the list was made, and not to be found without an index.
            if (replies[i].Error is { Code: BitcoinCalls.NotFound })
                continue;
            var transaction = RawTransaction.Parse(replies[i].Result.Bytes());
            if (transaction.Id != unseen[i])
                throw RawReader.Fault($"is the transaction {transaction.Id}, not {unseen[i]} that was asked for");
            read.Add((unseen[i], [.. BitcoinBlocks.Transfers(transaction, network)]));
        }

        var ours = await blocks.Ours(read.SelectMany(one => one.Transfers), ct);
        foreach (var (id, transfers) in read)
            known[id] = [.. transfers.Where(transfer => ours.Contains(transfer.Address))];
    }
}
