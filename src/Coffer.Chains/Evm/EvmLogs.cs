using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>
/// The token transfers in blocks, by their logs. Nodes are known to answer "no logs" for blocks that have some (still syncing, pruned,
/// behind), so an empty answer counts only if the block's own bloom agrees or its receipts say the same; and a range that a node refuses,
/// for whatever reason, is halved down to one block and then a fault, never skipped. Keeps only how wide a range went well last.
/// </summary>
/// <param name="contracts">The tokens, lower-case hex.</param>
internal sealed class EvmLogs(IReadOnlyList<string> contracts)
{
    private static readonly byte[] _topic = EvmJson.Bytes(EvmLog.Topic);
    private readonly HashSet<string> followed = [.. contracts];
    private readonly byte[][] values = [.. contracts.Select(EvmJson.Bytes)];
    private int width = EvmLimits.BlocksMax;
    private int well;

    /// <summary>True for a token that is followed.</summary>
    public bool Follows(string contract) => followed.Contains(contract);

    /// <summary>Per block hash, which transactions told of which transfers of followed tokens. Consecutive blocks, lowest first.</summary>
    public async Task<ILookup<string, (string TxHash, EvmLog Log)>> Of(
        RpcNode node, IReadOnlyList<EvmBlock> blocks, long tip, CancellationToken ct)
    {
        List<(string Block, string TxHash, EvmLog Log)> found = [];
        if (contracts.Count > 0)
        {
            var far = blocks.TakeWhile(block => block.Height + EvmLimits.NearTip <= tip).ToArray();
            foreach (var log in await Ranges(node, far, ct))
                Add(log, found, far);
            found.AddRange(await Near(node, [.. blocks.Skip(far.Length)], ct));
            var told = found.Select(one => one.Block).ToHashSet();
            foreach (var block in blocks)
                if (!told.Contains(block.Hash) && MayHold(block))
                    await LookAgain(node, block, ct);
        }
        return found.ToLookup(one => one.Block, one => (one.TxHash, one.Log));
    }

    private IEnumerable<string[]> Filters() => contracts.Chunk(EvmLimits.ContractsPerFilterMax);

    private async Task<List<(string, string, EvmLog)>> Near(RpcNode node, EvmBlock[] blocks, CancellationToken ct)
    {
        List<(string, string, EvmLog)> found = [];
        foreach (var filter in Filters())
        {
            var replies = await node.Batch([.. blocks.Select(block => new RpcCall("eth_getLogs", new
            {
                blockHash = block.Hash,
                address = filter,
                topics = new[] { EvmLog.Topic },
            }))], ct);
            for (var i = 0; i < blocks.Length; i++)
                foreach (var log in Logs(replies[i].Result))
                    Add(log, found, [blocks[i]]);
        }
        return found;
    }

    private async Task<List<JsonElement>> Ranges(RpcNode node, EvmBlock[] blocks, CancellationToken ct)
    {
        List<JsonElement> found = [];
        foreach (var filter in Filters())
            for (var start = 0; start < blocks.Length;)
            {
                var count = Math.Min(width, blocks.Length - start);
                try
                {
                    var answer = await node.Call("eth_getLogs", ct, new
                    {
                        fromBlock = EvmJson.Hex(blocks[start].Height),
                        toBlock = EvmJson.Hex(blocks[start + count - 1].Height),
                        address = filter,
                        topics = new[] { EvmLog.Topic },
                    });
                    found.AddRange(Logs(answer));
                }
                catch (RpcError) when (count > 1)
                {
                    Narrow(count);
                    continue;
                }
                catch (RpcFault late) when (late.BusyFor is null)
                {
                    // Perhaps too much to answer in time; whoever asks next asks for less.
                    Narrow(count);
                    throw;
                }
                start += count;
                Widen(count);
            }
        return found;
    }

    private void Narrow(int count) => (width, well) = (Math.Max(1, count / 2), 0);

    private void Widen(int count)
    {
        if (count < width || width == EvmLimits.BlocksMax || ++well < EvmLimits.WidenAfter)
            return;
        (width, well) = (Math.Min(2 * width, EvmLimits.BlocksMax), 0);
    }

    private static JsonElement.ArrayEnumerator Logs(JsonElement answer) => answer.ValueKind == JsonValueKind.Array
        ? answer.EnumerateArray() : throw new RpcFault("eth_getLogs answers with no list.");

    private void Add(JsonElement json, List<(string, string, EvmLog)> found, EvmBlock[] blocks)
    {
        var (height, hash) = (json.Number("blockNumber"), json.Hash("blockHash"));
        var index = height - blocks[0].Height;
        var removed = json.Member("removed") is { ValueKind: JsonValueKind.True };
        if (index < 0 || index >= blocks.Length || blocks[index].Hash != hash || removed)
            throw new RpcFault($"A log is of block {height} {hash}, which was not asked for.");
        if (!followed.Contains(json.Address("address") ?? ""))
            throw new RpcFault("A log is of a contract that was not asked for.");
        if (EvmLog.Read(json) is { } log)
            found.Add((hash, json.Hash("transactionHash"), log));
    }

    private bool MayHold(EvmBlock block)
    {
        var bloom = EvmBloom.Read(block.Bloom);
        return block.Transactions.Count > 0 && bloom.Length > 0 && EvmBloom.MayHold(bloom, _topic)
            && values.Any(value => EvmBloom.MayHold(bloom, value));
    }

    // The bloom may be wrong about a value that is not there, the receipts are not.
    private async Task LookAgain(RpcNode node, EvmBlock block, CancellationToken ct)
    {
        foreach (var receipt in await EvmReceipts.Of(node, block, ct))
            foreach (var log in receipt.Logs)
                if (EvmLog.Read(log) is { } transfer && followed.Contains(transfer.Contract))
                    throw new RpcFault($"eth_getLogs knows nothing of the logs in block {block.Height} that its receipts have.");
    }
}
