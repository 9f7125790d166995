using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Payouts;

/// <summary>The statements that read payouts.</summary>
internal static class PayoutReadSql
{
    private const string Select = "SELECT p.id, p.chain, p.state, p.nonce, p.expires_at, p.tx_id, p.height, p.block_hash, p.fee FROM payout p";

    private const string InOrder = "ORDER BY p.nonce, p.created_at, p.id";

    // The attempt that would be sent.
    private const string LastSigned =
        "SELECT a.tried_at FROM payout_attempt a WHERE a.payout_id = p.id AND a.signed IS NOT NULL ORDER BY a.number DESC LIMIT 1";

    /// <summary>All that may still be mined, in the order of their claims.</summary>
    public static Task<List<Payout>> OpenPayouts(this Db db, string chain, CancellationToken ct) =>
        Read(db, $"{Select} WHERE p.chain = $1 AND p.state = 1 {InOrder}", ct, P(chain));

    /// <summary>The payout that pays a withdrawal or has paid it, whosever it is: a look into each account, for the operator.</summary>
    public static async Task<Payout?> PayoutOf(this Db db, Guid withdrawal, CancellationToken ct)
    {
        var found = await Read(db, $"""
            {Select} WHERE p.id IN (
                SELECT f.payout_id FROM account a CROSS JOIN LATERAL (SELECT payout_id FROM payout_withdrawal
                    WHERE shard = a.shard AND account_id = a.id AND withdrawal_id = $1 AND live OFFSET 0) f)
            """, ct, P(withdrawal));
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>Open ones whose latest attempt is not signed, and of which nothing is in doubt.</summary>
    public static Task<List<Payout>> UnsignedPayouts(this Db db, string chain, CancellationToken ct) => Read(db, $"""
        {Select} WHERE p.chain = $1 AND p.state = 1
            AND (SELECT a.signed IS NULL FROM payout_attempt a WHERE a.payout_id = p.id ORDER BY a.number DESC LIMIT 1)
            AND NOT EXISTS (SELECT 1 FROM payout_withdrawal l JOIN withdrawal w ON w.shard = l.shard AND w.account_id = l.account_id
                AND w.id = l.withdrawal_id WHERE l.payout_id = p.id AND l.live AND w.state = 10 AND w.reason IS NOT NULL)
        {InOrder}
        """, ct, P(chain));

    /// <summary>Open ones whose latest signed attempt was never about to be sent.</summary>
    public static Task<List<Payout>> UntriedPayouts(this Db db, string chain, CancellationToken ct) => Read(db, $"""
        {Select} CROSS JOIN LATERAL ({LastSigned}) s WHERE p.chain = $1 AND p.state = 1 AND s.tried_at IS NULL {InOrder}
        """, ct, P(chain));

    /// <summary>Finished ones, not further below the cursor than this, whose block the followed chain does not have.</summary>
    public static Task<List<Payout>> OrphanedPayouts(this Db db, string chain, int depth, CancellationToken ct) => Read(db, $"""
        {Select} JOIN chain_cursor c ON c.chain = p.chain
        WHERE p.chain = $1 AND p.state IN (2, 3) AND p.height > c.height - $2
            AND NOT EXISTS (SELECT 1 FROM chain_block b WHERE b.chain = p.chain AND b.height = p.height AND b.hash = p.block_hash)
        {InOrder}
        """, ct, P(chain), P((long)depth));

    public static async Task<int> CountOpenPayouts(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT count(*) FROM payout WHERE chain = $1 AND state = 1");
        command.Parameters.Add(P(chain));
        return (int)(long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>By currency, what payouts that are in no block are about to pay.</summary>
    public static async Task<List<(string Currency, Int128 Amount)>> OpenAmounts(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT w.currency, sum(w.amount) FROM payout p JOIN payout_withdrawal l ON l.payout_id = p.id AND l.live
            JOIN withdrawal w ON w.shard = l.shard AND w.account_id = l.account_id AND w.id = l.withdrawal_id
            WHERE p.chain = $1 AND p.state = 1 AND p.height IS NULL GROUP BY w.currency
            """);
        command.Parameters.Add(P(chain));
        await using var rows = await command.ExecuteReaderAsync(ct);
        var amounts = new List<(string, Int128)>();
        while (await rows.ReadAsync(ct))
            amounts.Add((rows.GetString(0), rows.GetFieldValue<Int128>(1)));
        return amounts;
    }

    /// <summary>The most that payouts in no block can cost, in smallest units of the chain's coin.</summary>
    public static async Task<Int128> OpenFees(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT coalesce(sum(a.fee_max), 0) FROM payout p CROSS JOIN LATERAL (
                SELECT max(fee_max) AS fee_max FROM payout_attempt WHERE payout_id = p.id) a
            WHERE p.chain = $1 AND p.state = 1 AND p.height IS NULL
            """);
        command.Parameters.Add(P(chain));
        await using var rows = await command.ExecuteReaderAsync(ct);
        await rows.ReadAsync(ct);
        return rows.GetFieldValue<Int128>(0);
    }

    private static async Task<List<Payout>> Read(Db db, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        var payouts = new List<Payout>();
        await using (var command = db.Reads.CreateCommand(sql))
        {
            command.Parameters.AddRange(parameters);
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
                payouts.Add(ReadPayout(rows));
        }

        if (payouts.Count == 0)
            return payouts;
        var attempts = await Attempts(db, payouts, ct);
        var withdrawals = (await db.WithdrawalsOf(payouts.ConvertAll(payout => payout.Id), ct)).ToLookup(one => one.Payout, one => one.Row);
        return payouts.ConvertAll(payout => payout with
        {
            Attempts = [.. attempts[payout.Id]],
            Withdrawals = [.. withdrawals[payout.Id]],
        });
    }

    private static async Task<ILookup<Guid, Attempt>> Attempts(Db db, List<Payout> payouts, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT a.payout_id, a.number, a.unsigned, a.fee_max, a.signed, a.tx_id, a.planned_at, a.tried_at, a.tries, a.sent_at
            FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (SELECT * FROM payout_attempt WHERE payout_id = k.id) a
            ORDER BY a.payout_id, a.number
            """);
        command.Parameters.Add(P(payouts, payout => payout.Id));
        await using var rows = await command.ExecuteReaderAsync(ct);
        var attempts = new List<(Guid Payout, Attempt Attempt)>();
        while (await rows.ReadAsync(ct))
        {
            attempts.Add((rows.GetGuid(0), new Attempt
            {
                Number = rows.GetInt32(1),
                Unsigned = rows.GetFieldValue<byte[]>(2),
                FeeMax = rows.GetFieldValue<Int128>(3),
                Signed = rows.IsDBNull(4) ? null : rows.GetFieldValue<byte[]>(4),
                TxId = rows.IsDBNull(5) ? null : rows.GetString(5),
                PlannedAt = rows.GetFieldValue<DateTime>(6),
                TriedAt = rows.IsDBNull(7) ? null : rows.GetFieldValue<DateTime>(7),
                Tries = rows.GetInt32(8),
                SentAt = rows.IsDBNull(9) ? null : rows.GetFieldValue<DateTime>(9),
            }));
        }

        return attempts.ToLookup(one => one.Payout, one => one.Attempt);
    }

    private static Payout ReadPayout(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        Chain = row.GetString(1),
        State = (PayoutState)row.GetInt16(2),
        Nonce = row.IsDBNull(3) ? null : row.GetInt64(3),
        ExpiresAt = row.IsDBNull(4) ? null : row.GetFieldValue<DateTime>(4),
        TxId = row.IsDBNull(5) ? null : row.GetString(5),
        Height = row.IsDBNull(6) ? null : row.GetInt64(6),
        BlockHash = row.IsDBNull(7) ? null : row.GetString(7),
        Fee = row.IsDBNull(8) ? null : row.GetFieldValue<Int128>(8),
        Attempts = [],
        Withdrawals = [],
    };
}
