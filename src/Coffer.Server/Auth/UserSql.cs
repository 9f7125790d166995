using System.Data;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Auth;

/// <summary>The statements on the table <c>dashboard_user</c>: its only writer.</summary>
internal static class UserSql
{
    private const string Columns = """
        u.id, u.name, u.account_id, u.shard, u.mode, u.role, u.password_hash, u.password_salt, u.password_rounds, u.totp, u.totp_step,
        u.created_at, u.disabled_at
        """;

    /// <summary>Adds a user; false when the name is taken.</summary>
    public static async Task<bool> Insert(this Tx tx, User user, CancellationToken ct) => await tx.Do("""
        INSERT INTO dashboard_user (id, name, account_id, shard, mode, role, password_hash, password_salt, password_rounds, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (name) DO NOTHING
        """, ct, P(user.Id), P(user.Name), P(user.Account.Value), P(user.Shard), P((short)user.Mode), P((short)user.Role),
        P(user.Password.Hash), P(user.Password.Salt), P(user.Password.Rounds), P(user.CreatedAt.UtcDateTime)) == 1;

    /// <summary>The user with this name, disabled or not; null when there is none.</summary>
    public static async Task<User?> UserByName(this Db db, string name, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"SELECT {Columns} FROM dashboard_user u WHERE u.name = $1");
        command.Parameters.Add(P(User.Normal(name)));
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await row.ReadAsync(ct) ? Read(row) : null;
    }

    /// <summary>The session with this hash and whose it is, whatever its state; null when there is none.</summary>
    public static async Task<SessionRow?> SessionByHash(this Db db, byte[] hash, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT c.id, c.created_at, c.expires_at, c.revoked_at, c.last_used_at, u.disabled_at, u.id, u.name, u.role, u.account_id,
                   u.shard, u.mode, u.theme, u.hides_amounts, u.totp IS NOT NULL, a.name,
                   coalesce(e.last, 0), coalesce(c.proved_at, c.created_at)
            FROM credential c
            JOIN dashboard_user u ON u.id = c.user_id
            JOIN account a ON a.id = u.account_id
            LEFT JOIN event_head e ON e.shard = u.shard AND e.account_id = u.account_id
            WHERE c.hash = $1 AND c.kind = 3
            """);
        command.Parameters.Add(P(hash));
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        if (!await row.ReadAsync(ct))
            return null;
        var session = new Session(hash, row.GetGuid(0), row.GetGuid(6), row.GetString(7), (Role)row.GetInt16(8), new AccountId(row.GetGuid(9)),
            row.GetInt16(10), (Mode)row.GetInt16(11), (Theme)row.GetInt16(12), row.GetBoolean(13), row.GetBoolean(14), row.GetString(15),
            row.GetInt64(16));
        return new SessionRow(session, row.GetDateTime(1), row.GetDateTime(2), !row.IsDBNull(3) || !row.IsDBNull(5),
            row.IsDBNull(4) ? null : row.GetDateTime(4), row.GetDateTime(17));
    }

    /// <summary>Notes that a step's code was used; false when it, or a later one, was used before.</summary>
    public static async Task<bool> UseTotpStep(this Tx tx, Guid user, long step, CancellationToken ct) =>
        await tx.Do("UPDATE dashboard_user SET totp_step = $2 WHERE id = $1 AND totp_step < $2", ct, P(user), P(step)) == 1;

    /// <summary>Sets the authenticator's encrypted secret and the step that proved it; null takes it away.</summary>
    public static Task SetTotp(this Tx tx, Guid user, byte[]? secret, long step, CancellationToken ct) => tx.Do(
        "UPDATE dashboard_user SET totp = $2, totp_step = greatest(totp_step, $3) WHERE id = $1", ct, P(user), Maybe(secret, NpgsqlDbType.Bytea), P(step));

    public static Task SetPassword(this Tx tx, Guid user, PasswordHash password, CancellationToken ct) => tx.Do(
        "UPDATE dashboard_user SET password_hash = $2, password_salt = $3, password_rounds = $4 WHERE id = $1", ct, P(user), P(password.Hash),
        P(password.Salt), P(password.Rounds));

    /// <summary>Lets a user sign in no more, or again.</summary>
    public static Task SetDisabled(this Tx tx, Guid user, DateTimeOffset? at, CancellationToken ct) => tx.Do(
        "UPDATE dashboard_user SET disabled_at = $2 WHERE id = $1", ct, P(user), Maybe(at?.UtcDateTime, NpgsqlDbType.TimestampTz));

    /// <summary>How a user wants his pages; null leaves a part as it is.</summary>
    public static Task SetLook(this Tx tx, Guid user, Theme? theme, bool? hidesAmounts, CancellationToken ct) => tx.Do(
        "UPDATE dashboard_user SET theme = coalesce($2, theme), hides_amounts = coalesce($3, hides_amounts) WHERE id = $1", ct, P(user),
        Maybe((short?)theme, NpgsqlDbType.Smallint), Maybe(hidesAmounts, NpgsqlDbType.Boolean));

    private static User Read(NpgsqlDataReader row) => new(row.GetGuid(0), row.GetString(1), new AccountId(row.GetGuid(2)), row.GetInt16(3),
        (Mode)row.GetInt16(4), (Role)row.GetInt16(5),
        new PasswordHash(row.GetFieldValue<byte[]>(6), row.GetFieldValue<byte[]>(7), row.GetInt32(8)),
        row.IsDBNull(9) ? null : row.GetFieldValue<byte[]>(9), row.GetInt64(10), row.GetDateTime(11),
        row.IsDBNull(12) ? null : row.GetDateTime(12));
}
