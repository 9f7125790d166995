using System.Data;
using Coffer.Server.Sql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Ledger;

/// <summary>What is known of a key: what was asked, and the answer once there is one.</summary>
internal sealed record KeptAnswer(byte[] Digest, short? Status, byte[]? Body);

/// <summary>The statements on the table <c>idempotency_key</c>: its only writer.</summary>
internal static class IdempotencySql
{
    /// <summary>
    /// Claims the key for this run, if nobody has it, or if whoever had it, for the same request, claimed it before
    /// <paramref name="deadBefore"/> and never finished.
    /// </summary>
    public static async Task<bool> ClaimKey(this Db db, AccountId account, string key, byte[] digest, Guid claim, DateTimeOffset now,
        DateTimeOffset deadBefore, CancellationToken ct)
    {
        await using var command = db.Command("""
            INSERT INTO idempotency_key AS k (account_id, key, digest, claim, claimed_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (account_id, key) DO UPDATE SET claim = excluded.claim, claimed_at = excluded.claimed_at
            WHERE k.status IS NULL AND k.digest = excluded.digest AND (k.claimed_at < $6 OR k.claim = excluded.claim)
            """, P(account.Value), P(key), P(digest), P(claim), P(now.UtcDateTime), P(deadBefore.UtcDateTime));
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    public static async Task<KeptAnswer?> KeptAnswer(this Db db, AccountId account, string key, CancellationToken ct)
    {
        await using var command = db.Command("SELECT digest, status, body FROM idempotency_key WHERE account_id = $1 AND key = $2",
            P(account.Value), P(key));
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        if (!await row.ReadAsync(ct))
            return null;
        return row.IsDBNull(1)
            ? new KeptAnswer(row.GetFieldValue<byte[]>(0), null, null)
            : new KeptAnswer(row.GetFieldValue<byte[]>(0), row.GetInt16(1), row.GetFieldValue<byte[]>(2));
    }

    /// <summary>Keeps the answer of the first run of the request that has one, whoever holds the claim; false when there is one.</summary>
    public static async Task<bool> FinishKey(this Db db, AccountId account, string key, byte[] digest, int status, byte[] body,
        CancellationToken ct)
    {
        await using var command = db.Command("""
            UPDATE idempotency_key SET status = $4, body = $5 WHERE account_id = $1 AND key = $2 AND digest = $3 AND status IS NULL
            """, P(account.Value), P(key), P(digest), P((short)status), P(body));
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>Gives a claimed key back, as if it had never come.</summary>
    public static async Task ReleaseKey(this Db db, AccountId account, string key, Guid claim, CancellationToken ct)
    {
        await using var command = db.Command("""
            DELETE FROM idempotency_key WHERE account_id = $1 AND key = $2 AND claim = $3 AND status IS NULL
            """, P(account.Value), P(key), P(claim));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Deletes at most that many keys that came before then.</summary>
    public static async Task<int> DeleteKeys(this Db db, DateTimeOffset claimedBefore, int limit, CancellationToken ct)
    {
        await using var command = db.Command("""
            DELETE FROM idempotency_key k USING (SELECT account_id, key FROM idempotency_key WHERE claimed_at < $1 LIMIT $2) old
            WHERE k.account_id = old.account_id AND k.key = old.key AND k.claimed_at < $1
            """, P(claimedBefore.UtcDateTime), P(limit));
        return await command.ExecuteNonQueryAsync(ct);
    }
}
