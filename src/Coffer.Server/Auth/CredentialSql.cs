using System.Data;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Auth;

/// <summary>The statements on the table <c>credential</c>: its only writer.</summary>
internal static class CredentialSql
{
    /// <summary>What <see cref="Read"/> reads, in its order, of a <c>credential c</c>.</summary>
    public const string Columns =
        "c.kind, c.id, c.account_id, c.shard, c.mode, c.scopes, c.wallets, c.addresses, c.expires_at, c.revoked_at, c.client_id, "
        + "c.user_id";

    /// <summary>How many columns <see cref="Columns"/> are.</summary>
    public const int ColumnCount = 12;

    private const string ByHash = $"SELECT {Columns} FROM credential c WHERE c.hash = $1";

    /// <summary>Reads the columns that start at <paramref name="at"/>.</summary>
    public static CredentialRow Read(NpgsqlDataReader row, int at) => new(
        (CredentialKind)row.GetInt16(at), row.GetGuid(at + 1), new AccountId(row.GetGuid(at + 2)), row.GetInt16(at + 3),
        (Mode)row.GetInt16(at + 4), (Scopes)row.GetInt16(at + 5),
        row.IsDBNull(at + 6) ? null : row.GetFieldValue<Guid[]>(at + 6),
        row.IsDBNull(at + 7) ? null : row.GetFieldValue<string[]>(at + 7),
        row.IsDBNull(at + 8) ? null : row.GetDateTime(at + 8),
        row.IsDBNull(at + 9) ? null : row.GetDateTime(at + 9), row.IsDBNull(at + 10) ? null : row.GetString(at + 10),
        row.IsDBNull(at + 11) ? null : row.GetGuid(at + 11));

    public static async Task<CredentialRow?> CredentialByHash(this Db db, byte[] hash, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(ByHash);
        command.Parameters.Add(P(hash));
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await row.ReadAsync(ct) ? Read(row, 0) : null;
    }

    /// <summary>Adds an API key. Behind it stands whoever stands behind the credential that asked for it (null: the operator).</summary>
    public static async Task InsertApiKey(this Tx tx, byte[] hash, Account account, ApiKey key, Guid? maker,
        CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO credential (hash, kind, id, account_id, shard, mode, scopes, wallets, addresses, name, hint, created_at, expires_at, made_by)
            VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, (SELECT coalesce(user_id, made_by) FROM credential WHERE id = $13))
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(hash), P(key.Id), P(account.Id.Value), P(account.Shard), P((short)account.Mode), P((short)key.Scopes),
                Maybe(key.Wallets?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid),
                Maybe(key.Addresses?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text), P(key.Name), P(key.Hint),
                P(key.CreatedAt.UtcDateTime), Maybe(key.ExpiresAt?.UtcDateTime, NpgsqlDbType.TimestampTz), Maybe(maker, NpgsqlDbType.Uuid),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task InsertToken(this Tx tx, byte[] hash, Guid id, OAuthClient client, Scopes scopes, DateTimeOffset now,
        DateTimeOffset expires, CancellationToken ct)
    {
        // Only while the client is not revoked: the row is locked against a revocation that runs at the same time.
        await using var command = new NpgsqlCommand("""
            INSERT INTO credential (hash, kind, id, account_id, shard, mode, scopes, client_id, created_at, expires_at, made_by)
            SELECT $1, 2, $2, account_id, shard, mode, $4, client_id, $5, $6, made_by
            FROM oauth_client WHERE client_id = $3 AND revoked_at IS NULL FOR SHARE
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(hash), P(id), P(client.ClientId), P((short)scopes), P(now.UtcDateTime), P(expires.UtcDateTime) },
        };
        if (await command.ExecuteNonQueryAsync(ct) != 1)
            throw new OAuthRefused(OAuthRefused.InvalidClient, "The client was revoked.");
    }

    /// <summary>The account's API keys that are not revoked, newest first, and how many there are.</summary>
    public static async Task<(List<ApiKey> Keys, int Total)> ApiKeys(this Db db, AccountId account, int limit, int offset,
        CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT t.total, c.id, c.name, c.hint, c.scopes, c.wallets, c.addresses, c.created_at, c.expires_at, c.last_used_at
            FROM (SELECT count(*) AS total FROM credential WHERE account_id = $1 AND kind = 1 AND revoked_at IS NULL) t
            LEFT JOIN LATERAL (
                SELECT * FROM credential WHERE account_id = $1 AND kind = 1 AND revoked_at IS NULL
                ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3) c ON true
            ORDER BY c.created_at DESC, c.id DESC
            """);
        Add(command, P(account.Value), P(limit), P(offset));
        await using var row = await command.ExecuteReaderAsync(ct);
        var keys = new List<ApiKey>();
        var total = 0;
        while (await row.ReadAsync(ct))
        {
            total = (int)row.GetInt64(0);
            if (!row.IsDBNull(1))
                keys.Add(ReadApiKey(row));
        }

        return (keys, total);
    }

    /// <summary>Whose API key this is; null when there is none of this id.</summary>
    public static async Task<AccountId?> ApiKeyOwner(this Db db, Guid id, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT account_id FROM credential WHERE id = $1 AND kind = 1");
        command.Parameters.Add(P(id));
        return await command.ExecuteScalarAsync(ct) is Guid account ? new AccountId(account) : null;
    }

    /// <summary>The user who stands behind an API key; null when none does, as behind the operator's.</summary>
    public static async Task<Guid?> ApiKeyMaker(this Db db, Guid id, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT made_by FROM credential WHERE id = $1");
        command.Parameters.Add(P(id));
        return await command.ExecuteScalarAsync(ct) is Guid maker ? maker : null;
    }

    /// <summary>Revokes the account's API key; false when it has none of this id. A second time changes nothing.</summary>
    public static async Task<bool> RevokeApiKey(this Tx tx, AccountId account, Guid id, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE credential SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND account_id = $2 AND kind = 1
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(id), P(account.Value), P(now.UtcDateTime) },
        };
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>An access token by its hash, whatever its state, and the client that it was given to.</summary>
    public static async Task<AccessToken?> Token(this Db db, byte[] hash, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT client_id, account_id, scopes, created_at, expires_at, revoked_at FROM credential WHERE hash = $1 AND kind = 2
            """);
        command.Parameters.Add(P(hash));
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        if (!await row.ReadAsync(ct))
            return null;
        return new AccessToken(row.GetString(0), new AccountId(row.GetGuid(1)), (Scopes)row.GetInt16(2), row.GetDateTime(3),
            row.GetDateTime(4), row.IsDBNull(5) ? null : row.GetDateTime(5));
    }

    public static async Task RevokeToken(this Tx tx, byte[] hash, string clientId, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE credential SET revoked_at = coalesce(revoked_at, $3) WHERE hash = $1 AND client_id = $2 AND kind = 2
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(hash), P(clientId), P(now.UtcDateTime) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task RevokeTokensOf(this Tx tx, AccountId account, string clientId, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE credential SET revoked_at = $3 WHERE account_id = $1 AND kind = 2 AND client_id = $2 AND revoked_at IS NULL
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(account.Value), P(clientId), P(now.UtcDateTime) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task WriteLastUses(this Db db, Guid[] ids, DateTime[] times, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            UPDATE credential c SET last_used_at = greatest(c.last_used_at, u.at)
            FROM unnest($1::uuid[], $2::timestamptz[]) AS u(id, at) WHERE c.id = u.id
            """);
        Add(command, P(ids), P(times));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Adds a session of the dashboard; false when its user may not sign in any more, or not with what he was judged by.</summary>
    public static async Task<bool> InsertSession(this Tx tx, byte[] hash, Guid id, User user, string address, DateTimeOffset now,
        DateTimeOffset expires, CancellationToken ct)
    {
        // Only while the user is not disabled: the row is locked against a change that runs at the same time.
        await using var command = new NpgsqlCommand("""
            INSERT INTO credential (hash, kind, id, account_id, shard, mode, scopes, user_id, created_at, expires_at, hint)
            SELECT $1, 3, $2, account_id, shard, mode, $4, id, $5, $6, $10
            FROM dashboard_user
            WHERE id = $3 AND role = $7 AND password_hash = $8 AND totp IS NOT DISTINCT FROM $9 AND disabled_at IS NULL FOR SHARE
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(hash), P(id), P(user.Id), P((short)user.Role.Scopes()), P(now.UtcDateTime), P(expires.UtcDateTime), P((short)user.Role),
                P(user.Password.Hash), Maybe(user.Totp, NpgsqlDbType.Bytea), P(address),
            },
        };
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>Whether the session has not been ended, and is not until this transaction has.</summary>
    public static async Task<bool> IsOpen(this Tx tx, byte[] hash, CancellationToken ct)
    {
        await using var command = tx.Command("SELECT FROM credential WHERE hash = $1 AND kind = 3 AND revoked_at IS NULL FOR UPDATE", P(hash));
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct);
    }

    /// <summary>Notes that the user of this session has shown who he is.</summary>
    public static Task Prove(this Tx tx, byte[] hash, DateTimeOffset now, CancellationToken ct) =>
        tx.Do("UPDATE credential SET proved_at = $2 WHERE hash = $1 AND kind = 3", ct, P(hash), P(now.UtcDateTime));

    /// <summary>Ends one session. A second time changes nothing.</summary>
    public static Task EndSession(this Tx tx, byte[] hash, DateTimeOffset now, CancellationToken ct) => tx.Do("""
        UPDATE credential SET revoked_at = coalesce(revoked_at, $2) WHERE hash = $1 AND kind = 3
        """, ct, P(hash), P(now.UtcDateTime));

    /// <summary>The user's sessions that have not ended, newest first.</summary>
    public static async Task<List<OpenSession>> OpenSessions(this Db db, Guid user, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT id, created_at, coalesce(last_used_at, created_at), hint FROM credential
            WHERE user_id = $1 AND kind = 3 AND revoked_at IS NULL AND expires_at > $2 AND coalesce(last_used_at, created_at) > $3
            ORDER BY created_at DESC, id DESC
            """);
        Add(command, P(user), P(now.UtcDateTime), P((now - SessionRow.IdleMax).UtcDateTime));
        await using var row = await command.ExecuteReaderAsync(ct);
        var sessions = new List<OpenSession>();
        while (await row.ReadAsync(ct))
            sessions.Add(new OpenSession(row.GetGuid(0), row.GetDateTime(1), row.GetDateTime(2), row.IsDBNull(3) ? "" : row.GetString(3)));
        return sessions;
    }

    /// <summary>Ends one session of a user; false when he has none of this id. A second time changes nothing.</summary>
    public static async Task<bool> EndSession(this Tx tx, Guid user, Guid id, DateTimeOffset now, CancellationToken ct) => await tx.Do("""
        UPDATE credential SET revoked_at = coalesce(revoked_at, $3) WHERE id = $2 AND user_id = $1 AND kind = 3
        """, ct, P(user), P(id), P(now.UtcDateTime)) == 1;

    /// <summary>Ends all sessions of a user but this one (null: all).</summary>
    public static Task EndSessionsOf(this Tx tx, Guid user, byte[]? but, DateTimeOffset now, CancellationToken ct) => tx.Do("""
        UPDATE credential SET revoked_at = $3 WHERE user_id = $1 AND kind = 3 AND revoked_at IS NULL AND hash IS DISTINCT FROM $2
        """, ct, P(user), Maybe(but, NpgsqlDbType.Bytea), P(now.UtcDateTime));

    /// <summary>Deletes at most that many access tokens and sessions that expired before then; API keys stay, as a record of who had which.</summary>
    public static async Task<int> DeleteTokens(this Db db, DateTimeOffset expiredBefore, int limit, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            DELETE FROM credential WHERE hash IN (SELECT hash FROM credential WHERE kind <> 1 AND expires_at < $1 LIMIT $2)
            """);
        Add(command, P(expiredBefore.UtcDateTime), P(limit));
        return await command.ExecuteNonQueryAsync(ct);
    }

    private static ApiKey ReadApiKey(NpgsqlDataReader row) => new(
        row.GetGuid(1), row.GetString(2), row.GetString(3), (Scopes)row.GetInt16(4),
        row.IsDBNull(5) ? null : row.GetFieldValue<Guid[]>(5), row.IsDBNull(6) ? null : row.GetFieldValue<string[]>(6),
        row.GetDateTime(7), row.IsDBNull(8) ? null : row.GetDateTime(8), row.IsDBNull(9) ? null : row.GetDateTime(9));

    private static void Add(NpgsqlCommand command, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
    }
}
