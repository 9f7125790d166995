using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>
/// One page of an account's movements, newest first. A movement that is made while a caller pages is above where he is, so it
/// neither repeats nor shifts what he reads. A page looks at no more than <see cref="ScanMax"/> movements: when a filter hardly matches,
/// it may hold fewer than asked for, or none, and still name where to go on.
/// </summary>
internal static class ListMovements
{
    /// <summary>Movements that one page looks at.</summary>
    public const int ScanMax = 20_000;

    /// <returns>The page, and the id to go on after; null when there is nothing more.</returns>
    public static async Task<(List<ListedMovement> Page, Guid? Next)> Run(Db db, AccountId account, short shard, MovementFilter filter, int limit,
        CancellationToken ct, int scanMax = ScanMax)
    {
        var page = await db.Movements(account, shard, filter, limit + 1, scanMax, ct);
        if (page.Count > limit)
        {
            page.RemoveAt(limit);
            return (page, page[^1].Movement.Id.Value);
        }

        if (filter.IsRangeOnly || await db.LastScanned(account, shard, filter, scanMax, ct) is not { } last)
            return (page, null);
        // What came in between the two statements makes this id higher, never lower; so nothing is passed over, and what the page holds is not repeated.
        return (page, page.Count > 0 && page[^1].Movement.Id.Value.CompareTo(last) < 0 ? page[^1].Movement.Id.Value : last);
    }
}
