using System.Numerics;
using Coffer.Server.Sql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Payouts;

/// <summary>The open withdrawals of one currency on one chain: those that no payout pays yet, and those whose payout is not mined.</summary>
internal sealed record OpenSum(string Currency, BigInteger Queued, long QueuedCount, BigInteger Leaving, long LeavingCount);

/// <summary>Where the payouts of one chain stand.</summary>
internal sealed record PayoutSum(long NextNumber, string? ForeignUse, long Open, DateTimeOffset? OldestOpen);

/// <summary>A withdrawal that is settled, as far as the chain can be asked about it.</summary>
internal sealed record CompletedWithdrawal(Guid Id, string TxId, string Currency, string Address, BigInteger Amount);

/// <summary>The statements of <see cref="HotStatus"/> and <see cref="ReconcileHot"/>; nothing here writes.</summary>
internal static class HotStatusSql
{
    /// <summary>What is to be paid on a chain, by currency.</summary>
    public static async Task<List<OpenSum>> OpenSums(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT currency, coalesce(sum(amount) FILTER (WHERE state IN (1, 2)), 0), count(*) FILTER (WHERE state IN (1, 2)),
                coalesce(sum(amount) FILTER (WHERE state IN (3, 4, 10)), 0), count(*) FILTER (WHERE state IN (3, 4, 10))
            FROM withdrawal WHERE chain = $1 AND state IN (1, 2, 3, 4, 10) GROUP BY currency ORDER BY currency
            """, P(chain));
        var sums = new List<OpenSum>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            sums.Add(new OpenSum(row.GetString(0), row.GetFieldValue<BigInteger>(1), row.GetInt64(2), row.GetFieldValue<BigInteger>(3),
                row.GetInt64(4)));
        return sums;
    }

    /// <summary>How many withdrawals wait, by what they wait for, and since when the oldest does.</summary>
    public static async Task<(Dictionary<string, long> Counts, DateTimeOffset? Oldest)> Waiting(
        this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT coalesce(waits_for, ''), count(*), min(created_at) FROM withdrawal
            WHERE chain = $1 AND state IN (1, 2) GROUP BY waits_for ORDER BY waits_for
            """, P(chain));
        var (counts, oldest) = (new Dictionary<string, long>(), (DateTimeOffset?)null);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            counts[row.GetString(0)] = row.GetInt64(1);
            var since = row.GetFieldValue<DateTimeOffset>(2);
            oldest = oldest < since ? oldest : since;
        }

        return (counts, oldest);
    }

    /// <summary>Where the payouts stand.</summary>
    public static async Task<PayoutSum> PayoutSums(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT coalesce((SELECT next_number FROM hot_wallet WHERE chain = $1), 0), (SELECT foreign_use FROM hot_wallet WHERE chain = $1),
                count(*), min(created_at) FROM payout WHERE chain = $1 AND state = 1
            """, P(chain));
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new PayoutSum(row.GetInt64(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetInt64(2),
            row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3));
    }

    /// <summary>The unsigned bytes of the last attempt of each payout that is in no block.</summary>
    public static async Task<List<byte[]>> UnminedPlans(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT DISTINCT ON (p.id) a.unsigned FROM payout p JOIN payout_attempt a ON a.payout_id = p.id
            WHERE p.chain = $1 AND p.state = 1 AND p.height IS NULL ORDER BY p.id, a.number DESC
            """, P(chain));
        var plans = new List<byte[]>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            plans.Add(row.GetFieldValue<byte[]>(0));
        return plans;
    }

    /// <summary>The completed withdrawals of a chain, by transaction.</summary>
    public static async Task<List<CompletedWithdrawal>> CompletedWithdrawals(
        this Db db, string chain, string afterTx, Guid after, int countMax, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT id, tx_id, currency, address, amount FROM withdrawal
            WHERE chain = $1 AND state = 6 AND tx_id IS NOT NULL AND (tx_id, id) > ($2, $3) ORDER BY tx_id, id LIMIT $4
            """, P(chain), P(afterTx), P(after), P(countMax));
        var completed = new List<CompletedWithdrawal>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            completed.Add(new CompletedWithdrawal(row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3),
                row.GetFieldValue<BigInteger>(4)));
        return completed;
    }
}
