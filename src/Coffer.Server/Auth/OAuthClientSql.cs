using System.Data;
using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Server.Auth;

/// <summary>Who may ask for access tokens, and for which account (RFC 6749, 2).</summary>
/// <param name="MadeBy">The user of the dashboard who made it; null: the operator's command did.</param>
internal sealed record OAuthClient(string ClientId, byte[] SecretHash, AccountId Account, short Shard, Mode Mode, Scopes Scopes,
    string Name, DateTimeOffset CreatedAt, Guid? MadeBy = null);

/// <summary>The statements on the table <c>oauth_client</c>: its only writer.</summary>
internal static class OAuthClientSql
{
    public static async Task Insert(this Tx tx, OAuthClient client, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO oauth_client (client_id, secret_hash, account_id, shard, mode, scopes, name, created_at, made_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = client.ClientId },
                new NpgsqlParameter<byte[]> { TypedValue = client.SecretHash },
                new NpgsqlParameter<Guid> { TypedValue = client.Account.Value },
                new NpgsqlParameter<short> { TypedValue = client.Shard },
                new NpgsqlParameter<short> { TypedValue = (short)client.Mode },
                new NpgsqlParameter<short> { TypedValue = (short)client.Scopes },
                new NpgsqlParameter<string> { TypedValue = client.Name },
                new NpgsqlParameter<DateTime> { TypedValue = client.CreatedAt.UtcDateTime },
                SqlParameters.Maybe(client.MadeBy, NpgsqlTypes.NpgsqlDbType.Uuid),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The client with this id, unless it was revoked.</summary>
    public static async Task<OAuthClient?> OAuthClientById(this Db db, string clientId, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT secret_hash, account_id, shard, mode, scopes, name, created_at
            FROM oauth_client WHERE client_id = $1 AND revoked_at IS NULL
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = clientId });
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        if (!await row.ReadAsync(ct))
            return null;
        return new OAuthClient(clientId, row.GetFieldValue<byte[]>(0), new AccountId(row.GetGuid(1)), row.GetInt16(2),
            (Mode)row.GetInt16(3), (Scopes)row.GetInt16(4), row.GetString(5), row.GetDateTime(6));
    }

    /// <summary>The user of the dashboard who made a client, revoked or not; null when none did.</summary>
    public static async Task<Guid?> OAuthClientMaker(this Db db, string clientId, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT made_by FROM oauth_client WHERE client_id = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = clientId });
        return await command.ExecuteScalarAsync(ct) is Guid maker ? maker : null;
    }

    /// <summary>The account's clients that are not revoked, newest first.</summary>
    public static async Task<List<OAuthClient>> OAuthClients(this Db db, AccountId account, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT client_id, shard, mode, scopes, name, created_at
            FROM oauth_client WHERE account_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC, client_id DESC
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account.Value });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var clients = new List<OAuthClient>();
        while (await rows.ReadAsync(ct))
        {
            clients.Add(new OAuthClient(rows.GetString(0), [], account, rows.GetInt16(1), (Mode)rows.GetInt16(2), (Scopes)rows.GetInt16(3),
                rows.GetString(4), rows.GetDateTime(5)));
        }

        return clients;
    }

    /// <summary>Revokes the account's client; false when it has none of this id.</summary>
    public static async Task<bool> RevokeClient(this Tx tx, AccountId account, string clientId, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE oauth_client SET revoked_at = coalesce(revoked_at, $3) WHERE client_id = $1 AND account_id = $2
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = clientId },
                new NpgsqlParameter<Guid> { TypedValue = account.Value },
                new NpgsqlParameter<DateTime> { TypedValue = now.UtcDateTime },
            },
        };
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }
}
