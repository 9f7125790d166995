using Coffer.Chains;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>What reconciling one hot wallet came to.</summary>
/// <param name="Withdrawals">Completed withdrawals that were looked at.</param>
/// <param name="Coins">Bitcoin: coins that were asked for; 0 elsewhere.</param>
/// <param name="Count">How many differences there are.</param>
/// <param name="Differences">The first of them, up to <see cref="ReconcileHot.NamedMax"/>, a sentence each.</param>
/// <param name="Why">Why it cannot be told whether all is equal; null when it was told.</param>
internal sealed record ReconciledHot(long Withdrawals, long Coins, long Count, IReadOnlyList<string> Differences, string? Why)
{
    /// <summary>True when all is equal, false when something differs; null when it cannot be told.</summary>
    public bool? Equal => Count > 0 ? false : Why is null ? true : null;
}

/// <summary>
/// Holds a hot wallet against the chain: the transaction of every completed withdrawal must be there and pay exactly what was asked, to
/// whom it was asked, and nobody besides; every coin that the books call unspent must be so; and nobody else may have used the key.
///
/// Called by <c>coffer reconcile</c>, beside running servers or without one. Reads only.
/// </summary>
internal sealed class ReconcileHot(Db db)
{
    /// <summary>How many differences are named; the rest is counted.</summary>
    public const int NamedMax = 100;

    /// <summary>Withdrawals that are read at once.</summary>
    public const int PageMax = 500;

    private readonly List<string> named = [];
    private long count;

    public async Task<ReconciledHot> Run(HotWallet wallet, CancellationToken ct)
    {
        var (looked, coins, unknown) = (0L, 0L, (string?)null);
        try
        {
            var after = ("", Guid.Empty);
            var rest = new List<CompletedWithdrawal>();
            while (await db.CompletedWithdrawals(wallet.Chain.Id, after.Item1, after.Item2, PageMax, ct) is { Count: > 0 } page)
            {
                (after, looked) = ((page[^1].TxId, page[^1].Id), looked + page.Count);
                rest.AddRange(page);

                // The last transaction of a page may go on in the next.
                var whole = page.Count < PageMax ? rest : [.. rest.TakeWhile(one => one.TxId != page[^1].TxId)];
                foreach (var transaction in whole.GroupBy(one => one.TxId))
                    unknown = await Transaction(wallet, transaction.Key, [.. transaction], ct) ?? unknown;
                rest = [.. rest.Skip(whole.Count)];
            }

            foreach (var transaction in rest.GroupBy(one => one.TxId))
                unknown = await Transaction(wallet, transaction.Key, [.. transaction], ct) ?? unknown;
            coins = await Coins(wallet, ct);
            if ((await db.PayoutSums(wallet.Chain.Id, ct)).ForeignUse is { } use)
                Differs($"somebody else used the key of the hot wallet: {use}");
        }
        catch (ChainFault fault)
        {
            unknown = fault.Message.TrimEnd('.');
        }

        return new ReconciledHot(looked, coins, count, named, unknown);
    }

    /// <summary>Holds one transaction against the withdrawals that it paid; answers why it cannot be told, null when it was.</summary>
    private async Task<string?> Transaction(HotWallet wallet, string txId, List<CompletedWithdrawal> paid, CancellationToken ct)
    {
        if (await wallet.Chain.Transaction(txId, ct) is not { } found)
        {
            // A node without an index forgets transactions whose outputs are spent.
            if (wallet.Paying.UsesCoins)
                return $"no node knows the transaction {txId} any more; one with txindex=1 would";
            Differs($"no node knows the transaction {txId} that paid withdrawal {paid[0].Id}");
            return null;
        }

        if (found.Status.State != TransactionState.Included)
        {
            Differs($"the transaction {txId} that paid withdrawal {paid[0].Id} is in no block, or failed there");
            return null;
        }

        var left = found.Transfers.ToList();
        foreach (var withdrawal in paid)
        {
            var asset = wallet.Paying.Assets.TryGetValue(withdrawal.Currency, out var known) ? known.Asset : null;
            var at = left.FindIndex(one => one.Address == withdrawal.Address && Same(one.Asset, asset) && one.Amount == withdrawal.Amount);
            if (at < 0)
                Differs($"the transaction {txId} does not pay {withdrawal.Amount} {withdrawal.Currency} to {withdrawal.Address}, "
                    + $"as withdrawal {withdrawal.Id} asked");
            else
                left.RemoveAt(at);
        }

        // Elsewhere a token may move more by its own rules; on Bitcoin every output is ours to answer for.
        foreach (var other in left.Where(one => wallet.Addresses is { } own && own.Find(one.Address) is null))
            Differs($"the transaction {txId} pays {other.Amount} satoshi to {other.Address} too, which nobody asked for");
        return null;
    }

    private async Task<long> Coins(HotWallet wallet, CancellationToken ct)
    {
        if (!wallet.Paying.UsesCoins)
            return 0;
        var coins = await db.UnspentHotCoins(wallet.Chain.Id, ct);
        var unspent = (await wallet.Payouts.Unspent(coins, ct)).ToHashSet();
        foreach (var coin in coins.Where(coin => !unspent.Contains(coin)))
            Differs($"the coin {coin.TxId}:{coin.Ordinal} of {coin.Amount} satoshi is not there any more, and no payout spent it: "
                + "somebody else has the key");
        return coins.Count;
    }

    private void Differs(string sentence)
    {
        count++;
        if (named.Count < NamedMax)
            named.Add(sentence);
    }

    private static bool Same(string? one, string? other) => string.Equals(one, other,
        one?.StartsWith("0x", StringComparison.OrdinalIgnoreCase) is true ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
}
