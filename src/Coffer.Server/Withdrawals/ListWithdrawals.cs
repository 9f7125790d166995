using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>One page of withdrawals: its rows, how high their chains are, and where to go on.</summary>
/// <param name="Rows">The withdrawals.</param>
/// <param name="Total">How many match on all pages; null on a page after an id, whose reader need not pay for counting them all.</param>
/// <param name="Next">The id to go on after; null on the last page.</param>
/// <param name="Heights">By chain: how high its follower is.</param>
internal sealed record WithdrawalPage(List<Withdrawal> Rows, long? Total, Guid? Next, IReadOnlyDictionary<string, long> Heights);

/// <summary>
/// One page of an account's withdrawals by creation. Goes on after an id, where what is made meanwhile neither repeats nor shifts
/// what is read; or, as older callers do, after a number of rows.
/// </summary>
internal static class ListWithdrawals
{
    /// <param name="db">The database.</param>
    /// <param name="shard">The account's shard.</param>
    /// <param name="account">Whose.</param>
    /// <param name="filter">Which.</param>
    /// <param name="newestFirst">The order.</param>
    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <param name="limit">Rows of the page.</param>
    /// <param name="offset">Rows to pass over first.</param>
    /// <param name="ct">Stops the reading.</param>
    public static async Task<WithdrawalPage> Run(Db db, short shard, AccountId account, WithdrawalFilter filter, bool newestFirst, Guid? after,
        int limit, int offset, CancellationToken ct)
    {
        long? total = after is null ? await db.CountWithdrawals(shard, account, filter, ct) : null;
        var rows = await db.ListWithdrawals(shard, account, After(filter, newestFirst, after), newestFirst, limit + 1, offset, ct);
        Guid? next = null;
        if (rows.Count > limit)
        {
            rows.RemoveAt(limit);
            next = rows[^1].Id.Value;
        }

        var heights = new Dictionary<string, long>();
        foreach (var chain in rows.Where(row => row.BlockHeight is not null).Select(row => row.Chain).Distinct())
            heights[chain] = await db.HeightOf(chain, ct) ?? 0;
        return new WithdrawalPage(rows, total, next, heights);
    }

    private static WithdrawalFilter After(WithdrawalFilter filter, bool newestFirst, Guid? after)
    {
        if (after is not { } id)
            return filter;
        if (newestFirst)
            return id.CompareTo(filter.Before) < 0 ? filter with { Before = id } : filter;
        var following = FirstAfter(id);
        return following.CompareTo(filter.From) > 0 ? filter with { From = following } : filter;
    }

    /// <summary>The smallest id above this one.</summary>
    private static Guid FirstAfter(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        for (var i = 15; i >= 0; i--)
        {
            if (bytes[i] < byte.MaxValue)
            {
                bytes[i]++;
                return new Guid(bytes, bigEndian: true);
            }

            bytes[i] = 0;
        }

        return Guid.AllBitsSet;
    }
}
