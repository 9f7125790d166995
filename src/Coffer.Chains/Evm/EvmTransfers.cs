using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>How a chain writes what an EVM node writes as lower-case hex.</summary>
/// <param name="Address">The canonical spelling of a 20-byte address.</param>
/// <param name="Hash">The canonical spelling of a block hash or transaction id.</param>
internal sealed record EvmSpelling(Func<string, string> Address, Func<string, string> Hash);

/// <summary>
/// From blocks to the transfers in them. Whoever receives anything is asked about once for all blocks; only transactions that pay somebody
/// who is watched are verified by their receipts, so that other people's (and spam of nothing) costs nothing.
/// </summary>
internal sealed class EvmTransfers(EvmLogs logs, TraceKind traces, EvmSpelling spelling, Watch watch)
{
    /// <summary>The blocks with every transfer to a watched address. Consecutive blocks, lowest first, all from the one node.</summary>
    public async Task<IReadOnlyList<ChainBlock>> Of(RpcNode node, IReadOnlyList<EvmBlock> blocks, long tip, CancellationToken ct)
    {
        if (blocks.Count == 0)
            return [];
        var told = await logs.Of(node, blocks, tip, ct);
        var calls = new Dictionary<string, IReadOnlyList<EvmCall>>();
        foreach (var block in blocks)
            calls[block.Hash] = await EvmCalls.Of(node, traces, block, ct);
        var watched = await Watched(blocks, told, calls, ct);
        var wanted = blocks.SelectMany(
            block => Wanted(block, told[block.Hash], calls[block.Hash], watched), (block, txHash) => (block, txHash));
        var receipts = await EvmReceipts.Of(node, [.. wanted], ct);
        return [.. blocks.Select(block => new ChainBlock(block.Height, spelling.Hash(block.Hash), spelling.Hash(block.ParentHash),
            block.Time, [.. Transfers(block, told[block.Hash], calls[block.Hash], watched, receipts)]))];
    }

    // Every receiver of more than nothing, by its hex; the answer is the watched ones with their spelling.
    private async Task<Dictionary<string, string>> Watched(IReadOnlyList<EvmBlock> blocks, ILookup<string, (string, EvmLog Log)> told,
        Dictionary<string, IReadOnlyList<EvmCall>> calls, CancellationToken ct)
    {
        var receivers = new HashSet<string>();
        foreach (var block in blocks)
        {
            foreach (var one in block.Transactions)
                if (one.To is not null && !one.Value.IsZero)
                    receivers.Add(one.To);
            foreach (var (_, log) in told[block.Hash])
                if (!log.Amount.IsZero)
                    receivers.Add(log.To);
            foreach (var call in calls[block.Hash])
                receivers.Add(call.To);
        }
        if (receivers.Count == 0)
            return [];
        var spelled = receivers.ToDictionary(hex => hex, spelling.Address);
        var watched = await watch(spelled.Values, ct);
        return spelled.Where(one => watched.Contains(one.Value)).ToDictionary();
    }

    private static HashSet<string> Wanted(
        EvmBlock block, IEnumerable<(string TxHash, EvmLog Log)> told, IReadOnlyList<EvmCall> calls, Dictionary<string, string> watched) =>
        [.. block.Transactions.Where(one => !one.Succeeded && Pays(one, watched)).Select(one => one.Hash),
            .. told.Where(one => !one.Log.Amount.IsZero && watched.ContainsKey(one.Log.To)).Select(one => one.TxHash),
            .. calls.Where(call => watched.ContainsKey(call.To)).Select(call => call.TxHash)];

    private static bool Pays(EvmTransaction one, Dictionary<string, string> watched) =>
        one.To is not null && !one.Value.IsZero && watched.ContainsKey(one.To);

    private IEnumerable<ChainTransfer> Transfers(EvmBlock block, IEnumerable<(string TxHash, EvmLog Log)> told,
        IReadOnlyList<EvmCall> calls, Dictionary<string, string> watched, Dictionary<string, EvmReceipt> receipts)
    {
        var (toldBy, callsOf) = (told.ToLookup(one => one.TxHash), calls.ToLookup(call => call.TxHash));

        // A log may be of a transaction that the block does not list (Polygon); it has a receipt all the same.
        var listed = block.Transactions.Select(one => one.Hash).ToHashSet();
        var unlisted = toldBy.Select(one => one.Key).Union(callsOf.Select(one => one.Key)).Where(hash => !listed.Contains(hash));
        foreach (var one in block.Transactions.Concat(unlisted.Select(hash => new EvmTransaction(hash, null, 0))))
        {
            var receipt = receipts.GetValueOrDefault(one.Hash);
            if ((receipt?.Succeeded ?? one.Succeeded) is false)
                continue;
            var txId = spelling.Hash(one.Hash);
            if (Pays(one, watched))
                yield return new ChainTransfer(txId, TransferKind.Native, 0, watched[one.To!], null, one.Value);
            if (receipt is null)
                continue;
            foreach (var call in callsOf[one.Hash])
                if (watched.TryGetValue(call.To, out var address))
                    yield return new ChainTransfer(txId, TransferKind.Internal, call.Ordinal, address, null, call.Amount);
            var tokens = Tokens(receipt).Where(one => !one.Log.Amount.IsZero && logs.Follows(one.Log.Contract)).ToArray();
            var proven = tokens.Select(token => token.Log).ToHashSet();
            if (toldBy[one.Hash].Any(told => !told.Log.Amount.IsZero && !proven.Contains(told.Log)))
                throw new RpcFault($"The receipt of {one.Hash} does not have the logs that eth_getLogs told of.");
            foreach (var token in tokens)
                if (watched.ContainsKey(token.Log.To))
                    yield return token.Spell(txId, spelling);
        }
    }

    /// <summary>The transfers of whatever token in a receipt, with their ordinals.</summary>
    public static IEnumerable<ReceiptTransfer> Tokens(EvmReceipt receipt)
    {
        for (var ordinal = 0; ordinal < receipt.Logs.Count; ordinal++)
            if (EvmLog.Read(receipt.Logs[ordinal]) is { } log)
                yield return new ReceiptTransfer(ordinal, log);
    }

    /// <summary>A token transfer and its place among all logs of its receipt.</summary>
    internal readonly record struct ReceiptTransfer(int Ordinal, EvmLog Log)
    {
        public ChainTransfer Spell(string txId, EvmSpelling spelling) =>
            new(txId, TransferKind.Token, Ordinal, spelling.Address(Log.To), spelling.Address(Log.Contract), Log.Amount);
    }
}
