using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Proofs;

/// <summary>The statements on proofs; the only writer of proof.</summary>
internal static class ProofSql
{
    private const string Columns = "id, subject, asked_by, asked_at, alive_at IS NOT NULL, finished_at, result, summary, wrong, findings";

    /// <summary>Asks for proofs; of what one is asked for already, that one stands.</summary>
    public static Task<int> AskProofs(this Tx tx, IReadOnlyList<(Guid Id, string Subject)> asked, string by, DateTimeOffset now,
        CancellationToken ct) => tx.Do("""
            INSERT INTO proof (id, subject, asked_by, asked_at) SELECT id, subject, $3, $4
            FROM unnest($1::uuid[], $2::text[]) AS asked(id, subject) ORDER BY subject ON CONFLICT DO NOTHING
            """, ct, P(asked, one => one.Id), P(asked, one => one.Subject), P(by), P(now.UtcDateTime));

    /// <summary>
    /// Asks for proofs of what was not asked for within the given time; a proof of the future, from before the clock was set back, does not
    /// count. Under the table's lock, so that it sees also what another server asked for, ran and ended a moment ago.
    /// </summary>
    public static async Task AskDueProofs(this Tx tx, IReadOnlyList<(Guid Id, string Subject)> asked, string by, DateTimeOffset now,
        TimeSpan every, CancellationToken ct)
    {
        await tx.Do("LOCK TABLE proof IN SHARE ROW EXCLUSIVE MODE", ct);
        await tx.Do("""
            INSERT INTO proof (id, subject, asked_by, asked_at) SELECT id, subject, $3, $4
            FROM unnest($1::uuid[], $2::text[]) AS asked(id, subject)
            WHERE NOT EXISTS (SELECT FROM proof WHERE proof.subject = asked.subject AND asked_at > $5 AND asked_at < $6)
            ORDER BY subject ON CONFLICT DO NOTHING
            """, ct, P(asked, one => one.Id), P(asked, one => one.Subject), P(by), P(now.UtcDateTime), P((now - every).UtcDateTime),
            P((now + every).UtcDateTime));
    }

    /// <summary>Takes the oldest proof of these subjects that nobody runs, or whose process has been silent for that long; null for none.</summary>
    public static async Task<Proof?> TakeProof(
        this Tx tx, IReadOnlyList<string> subjects, DateTimeOffset now, TimeSpan silence, CancellationToken ct)
    {
        await using var command = tx.Command($"""
            UPDATE proof SET alive_at = $2 WHERE id = (
                SELECT id FROM proof WHERE subject = ANY($1) AND finished_at IS NULL AND (alive_at IS NULL OR alive_at < $3 OR alive_at > $4)
                ORDER BY asked_at, subject LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING {Columns}
            """, P(subjects.ToArray()), P(now.UtcDateTime), P((now - silence).UtcDateTime), P((now + silence).UtcDateTime));
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct) ? Read(rows) : null;
    }

    /// <summary>Says that it is still run; <paramref name="now"/> null: that it is not run any more, and anybody may take it.</summary>
    public static Task<int> KeepProof(this Tx tx, Guid id, DateTimeOffset? now, CancellationToken ct) =>
        tx.Do("UPDATE proof SET alive_at = $2 WHERE id = $1 AND finished_at IS NULL", ct, P(id),
            Maybe(now?.UtcDateTime, NpgsqlDbType.TimestampTz));

    /// <summary>Keeps how it ended, and forgets what held and is older than that.</summary>
    public static async Task FinishProof(this Tx tx, Proof taken, Proven proven, DateTimeOffset now, DateTimeOffset forgotten, CancellationToken ct)
    {
        await tx.Do("""
            UPDATE proof SET finished_at = $2, result = $3, summary = $4, wrong = $5, findings = $6 WHERE id = $1 AND finished_at IS NULL
            """, ct, P(taken.Id), P(now.UtcDateTime), P((short)proven.Result), P(proven.Summary), P(proven.Wrong), P(proven.Findings.ToArray()));
        await tx.Do("DELETE FROM proof WHERE subject = $1 AND result <> $2 AND finished_at < $3", ct, P(taken.Subject),
            P((short)ProofResult.Wrong), P(forgotten.UtcDateTime));
    }

    /// <summary>The last finished proof of each subject, and what is asked for.</summary>
    public static async Task<IReadOnlyList<Proof>> LastProofs(this Db db, IReadOnlyList<string> subjects, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"""
            SELECT {Columns} FROM unnest($1::text[]) WITH ORDINALITY AS s(name, i)
            CROSS JOIN LATERAL (
                (SELECT * FROM proof WHERE subject = s.name AND finished_at IS NOT NULL ORDER BY asked_at DESC, id DESC LIMIT 1)
                UNION ALL
                (SELECT * FROM proof WHERE subject = s.name AND finished_at IS NULL)) p
            ORDER BY s.i, asked_at
            """);
        command.Parameters.Add(P(subjects.ToArray()));
        await using var rows = await command.ExecuteReaderAsync(ct);
        var proofs = new List<Proof>();
        while (await rows.ReadAsync(ct))
            proofs.Add(Read(rows));
        return proofs;
    }

    private static Proof Read(NpgsqlDataReader row) => new(row.GetGuid(0), row.GetString(1), row.GetString(2),
        row.GetFieldValue<DateTime>(3), row.GetBoolean(4), row.IsDBNull(5) ? null : row.GetFieldValue<DateTime>(5),
        row.IsDBNull(6) ? null : new Proven((ProofResult)row.GetInt16(6), row.GetString(7), row.GetInt64(8), row.GetFieldValue<string[]>(9)));
}
