using System.Text.Json;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>Where a coin was spent.</summary>
internal sealed record Spender(RawTransaction Transaction, long Height, string BlockHash);

/// <summary>
/// What became of coins, from the chain's state and blocks alone, so that a node without an index can tell. Remembers which blocks it has
/// looked through; memory only.
/// </summary>
internal sealed class BitcoinCoins(BitcoinNetwork network, BitcoinBlocks blocks)
{
    private const int BlocksAtOnce = 36;
    private const int RememberedMax = 1_000;

    private readonly Lock gate = new();
    private readonly Dictionary<HotCoin, Looked> looked = [];

    /// <summary>Down to <paramref name="Height"/> and up from it everything was looked through, and this was found.</summary>
    private sealed record Looked(long Height, string Hash, Spender? Found);

    /// <summary>
    /// The coins that the node has unspent and exactly so: the same amount, the same address, and no transaction that waits for a block
    /// spends them. In their order.
    /// </summary>
    public async Task<List<HotCoin>> Unspent(RpcNode node, IReadOnlyList<HotCoin> coins, bool mempool, CancellationToken ct)
    {
        RpcCall[] calls = [.. coins.Select(coin => new RpcCall("gettxout", coin.TxId, coin.Ordinal, mempool))];
        var replies = await node.Batch(calls, ct);
        var unspent = new List<HotCoin>(coins.Count);
        for (var i = 0; i < coins.Count; i++)
            if (replies[i].Result is { ValueKind: JsonValueKind.Object } output && IsSo(coins[i], output))
                unspent.Add(coins[i]);
        return unspent;
    }

    /// <summary>
    /// The transaction in a block that spends one of these coins, looked for from the tip down to the block that made the coin, at most
    /// <see cref="BitcoinLimits.SpenderBlocksMax"/>; null when there is none.
    /// </summary>
    public async Task<Spender?> SpenderOf(RpcNode node, HotCoin coin, CancellationToken ct)
    {
        var (top, topHash) = await node.Tip(ct);
        var known = await Remembered(node, coin, ct);
        if (known?.Found is { } found)
            return found;
        var low = Math.Max(known?.Height + 1 ?? 0, top - BitcoinLimits.SpenderBlocksMax + 1);
        Spender? spender = null;
        for (var high = top; high >= low && spender is null; high -= BlocksAtOnce)
        {
            var (at, born) = (Math.Max(low, high - BlocksAtOnce + 1), false);
            await foreach (var run in blocks.Runs(node, at, high, ct))
                foreach (var block in run)
                {
                    spender ??= In(block, at++, coin);
                    born |= block.Transactions.Any(transaction => transaction.Id.ToString() == coin.TxId);
                }

            if (born)
                break;
        }

        lock (gate)
        {
            if (looked.Count >= RememberedMax)
                looked.Clear();
            looked[coin] = spender is null ? new Looked(top, topHash, null) : new Looked(spender.Height, spender.BlockHash, spender);
        }

        return spender;
    }

    private bool IsSo(HotCoin coin, JsonElement output) => output.Satoshi("value") == coin.Amount
        && BitcoinAddress.OfScript(output.Member("scriptPubKey").Member("hex").Bytes(), network) == coin.Address;

    /// <summary>What was found before, as long as the block that it was found in still counts.</summary>
    private async Task<Looked?> Remembered(RpcNode node, HotCoin coin, CancellationToken ct)
    {
        Looked? known;
        lock (gate)
            known = looked.GetValueOrDefault(coin);
        if (known is null || await node.Tip(ct) is var (top, _) && top < known.Height)
            return null;
        return await node.HashAt(known.Height, ct) == known.Hash ? known : null;
    }

    private static Spender? In(RawBlock block, long height, HotCoin coin)
    {
        var spent = new Outpoint(RawHash.Parse(coin.TxId)!.Value, (uint)coin.Ordinal);
        return block.Transactions.FirstOrDefault(transaction => transaction.Spent.Contains(spent)) is { } found
            ? new Spender(found, height, block.Hash.ToString()) : null;
    }
}
