using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>
/// The postings that a movement made. They carry no index by movement, which every posting would pay for: they lie between the
/// movement's creation and its last change, and a balance's versions are in order of time. So both ends are found by halving, and
/// what is read is what this one balance did in between: for transfers and corrections a moment, for deposits and withdrawals the
/// time that they took.
/// </summary>
internal static class FindPostings
{
    /// <summary>How far the clock may have been set back between a movement's id and its first posting.</summary>
    private static readonly TimeSpan _clockSlack = TimeSpan.FromMinutes(1);

    /// <summary>Oldest first, wallet by wallet.</summary>
    public static async Task<List<Posting>> Run(Db db, short shard, Movement movement, IEnumerable<WalletId> wallets, CancellationToken ct)
    {
        var all = new List<Posting>();
        foreach (var wallet in wallets)
        {
            var key = new BalanceKey(movement.Account, movement.Currency, wallet);
            var from = await db.FirstVersion(shard, key, IdTimes.Of(movement.Id.Value) - _clockSlack, ct);
            var to = await db.FirstVersion(shard, key, movement.UpdatedAt.AddMicroseconds(1), ct);
            all.AddRange(await db.Postings(shard, key, movement.Id, from, to, ct));
        }

        return all;
    }
}
