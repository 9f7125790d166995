using Coffer.Chains;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>
/// Writes down which payments to our addresses wait for a block. Called after each look at a chain, by any number of processes: each
/// writes what its node says, and the last one is right enough for a hint. A node that cannot say leaves what was said before.
///
/// If the process dies here: the next look makes up for it.
/// </summary>
internal sealed class LookIntoMempool(Db db, TimeProvider time)
{
    /// <summary>Waiting payments that are kept per chain; an attacker could make any number.</summary>
    public const int PaymentsMax = 10_000;

    public async Task Run(FollowedChain followed, CancellationToken ct)
    {
        var chain = followed.Chain.Id;
        IReadOnlyList<ChainTransfer> transfers;
        try
        {
            transfers = await followed.Chain.Mempool(ct);
        }
        catch (ChainFault)
        {
            return;
        }

        if (transfers.Count == 0 && !await db.HasMempool(chain, ct))
            return;
        string[] addresses = [.. transfers.Select(transfer => transfer.Address).Distinct()];
        var ours = (await db.WatchedOf(followed.Family, addresses, account: null, ct)).ToDictionary(address => address.Address);
        var waiting = transfers.Where(transfer => ours.ContainsKey(transfer.Address))
            .DistinctBy(transfer => (transfer.TxId, transfer.Kind, transfer.Ordinal)).Take(PaymentsMax)
            .Select(transfer => new WaitingPayment(transfer, ours[transfer.Address], followed.CurrencyOf(transfer)?.Code)).ToList();
        await db.Transaction((tx, token) => tx.KeepMempool(chain, waiting, time.GetUtcNow(), token), ct, repeatable: true);
    }
}
