using Coffer.Chains.Payouts;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// What became of transactions that share inputs. That a node does not know them proves nothing: they never expire, and a node without an
/// index forgets what was mined and spent. So the blocks are read for who spent the inputs, and only a stranger who stands too deep to
/// return proves that ours are dead.
/// </summary>
internal static class BitcoinFate
{
    public static async Task<PayoutFate> Of(
        RpcNode node, BitcoinCoins coins, PayoutClaim claim, IReadOnlyList<string> txIds, CancellationToken ct)
    {
        string? waiting = null;
        foreach (var txId in txIds.Reverse())
        {
            if (await BitcoinLookup.Find(node, txId, ct) is not { } found)
                continue;
            if (found.Status is { State: TransactionState.Included, Height: { } height, BlockHash: { } hash })
                return Mined(claim, found.Transaction, height, hash);
            waiting ??= txId;
        }

        if (waiting is not null)
            return new PayoutFate(FateKind.Waiting, waiting);
        var unspent = await coins.Unspent(node, claim.Coins, mempool: false, ct);
        foreach (var coin in claim.Coins.Except(unspent))
        {
            if (await coins.SpenderOf(node, coin, ct) is not { } spender)
                continue;
            if (txIds.Contains(spender.Transaction.Id.ToString()))
                return Mined(claim, spender.Transaction, spender.Height, spender.BlockHash);
            var (top, _) = await node.Tip(ct);
            if (top - spender.Height + 1 >= BitcoinLimits.ForeignDepth)
                return new PayoutFate(FateKind.Dead);
        }

        return new PayoutFate(FateKind.Unknown);
    }

    private static PayoutFate Mined(PayoutClaim claim, RawTransaction transaction, long height, string hash)
    {
        var paid = claim.Coins.Aggregate(Int128.Zero, (sum, coin) => sum + coin.Amount)
            - transaction.Outputs.Aggregate(Int128.Zero, (sum, output) => sum + output.Value);
        return new PayoutFate(FateKind.Mined, transaction.Id.ToString(), height, hash, paid);
    }
}
