using System.Data;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Webhooks;

/// <summary>The statements on the table <c>webhook_endpoint</c>: its only writer.</summary>
internal static class WebhookSql
{
    /// <summary>The columns that <see cref="Read"/> reads, and how many they are.</summary>
    public const int ColumnCount = 15;

    /// <inheritdoc cref="ColumnCount"/>
    public const string Columns = """
        shard, account_id, id, kind, url, description, types, state, state_reason, secret, previous_secret, previous_until, first_number,
        created_at, updated_at
        """;

    private const string ByKey = $"SELECT {Columns} FROM webhook_endpoint WHERE shard = $1 AND account_id = $2 AND id = $3";

    private const string Callbacks = $"SELECT {Columns} FROM webhook_endpoint WHERE shard = $1 AND account_id = $2 AND kind = 2";

    /// <summary>The account's endpoints, oldest first, its callbacks last.</summary>
    public static async Task<List<WebhookEndpoint>> WebhookEndpoints(this Db db, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = db.Command($"""
            SELECT {Columns} FROM webhook_endpoint WHERE shard = $1 AND account_id = $2 ORDER BY kind, created_at, id
            """, P(shard), P(account.Value));
        await using var row = await command.ExecuteReaderAsync(ct);
        var endpoints = new List<WebhookEndpoint>();
        while (await row.ReadAsync(ct))
            endpoints.Add(Read(row));
        return endpoints;
    }

    /// <summary>One endpoint; null when the account has none of this id.</summary>
    public static async Task<WebhookEndpoint?> FindEndpoint(this Db db, EndpointKey key, CancellationToken ct)
    {
        await using var command = db.Command(ByKey, P(key.Shard), P(key.Account.Value), P(key.Id));
        return await One(command, ct);
    }

    /// <summary>The account's callbacks; null when nothing has needed them yet.</summary>
    public static async Task<WebhookEndpoint?> FindCallbacks(this Db db, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = db.Command(Callbacks, P(shard), P(account.Value));
        return await One(command, ct);
    }

    /// <summary>The same, locked to the end of the transaction.</summary>
    public static async Task<WebhookEndpoint?> LockEndpoint(this Tx tx, EndpointKey key, CancellationToken ct)
    {
        await using var command = tx.Command(ByKey + " FOR UPDATE", P(key.Shard), P(key.Account.Value), P(key.Id));
        return await One(command, ct);
    }

    /// <summary>How many endpoints the account has, its callbacks not counted.</summary>
    public static async Task<long> CountEndpoints(this Tx tx, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = tx.Command("SELECT count(*) FROM webhook_endpoint WHERE shard = $1 AND account_id = $2 AND kind = 1",
            P(shard), P(account.Value));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>
    /// Adds an endpoint that is told of the newest event that the account has and of all after it. For an endpoint's maker that is the
    /// ping that this transaction has just written: event_head is locked, so nothing falls between.
    /// </summary>
    public static Task InsertEndpoint(this Tx tx, WebhookEndpoint endpoint, CancellationToken ct) => tx.Do("""
        INSERT INTO webhook_endpoint (shard, account_id, id, kind, url, description, types, state, secret, first_number, created_at, updated_at)
        VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8,
            (SELECT last - 1 FROM event_head WHERE shard = $1 AND account_id = $2), $9, $9)
        """, ct, P(endpoint.Key.Shard), P(endpoint.Key.Account.Value), P(endpoint.Key.Id), P(endpoint.Url!),
        Maybe(endpoint.Description, NpgsqlDbType.Text), Types(endpoint), P((short)endpoint.State), P(endpoint.Secret),
        P(endpoint.CreatedAt.UtcDateTime));

    /// <summary>Adds the account's callbacks, unless it has them; they are told of what happens from now on.</summary>
    public static Task InsertCallbacks(this Tx tx, WebhookEndpoint callbacks, CancellationToken ct) => tx.Do("""
        INSERT INTO webhook_endpoint (shard, account_id, id, kind, state, secret, first_number, created_at, updated_at)
        VALUES ($1, $2, $3, 2, 2, $4, coalesce((SELECT last FROM event_head WHERE shard = $1 AND account_id = $2), 0), $5, $5)
        ON CONFLICT (shard, account_id) WHERE kind = 2 DO NOTHING
        """, ct, P(callbacks.Key.Shard), P(callbacks.Key.Account.Value), P(callbacks.Key.Id), P(callbacks.Secret),
        P(callbacks.CreatedAt.UtcDateTime));

    /// <summary>Writes everything of an endpoint that may change; the transaction has it locked.</summary>
    public static Task UpdateEndpoint(this Tx tx, WebhookEndpoint endpoint, CancellationToken ct) => tx.Do("""
        UPDATE webhook_endpoint SET url = $4, description = $5, types = $6, state = $7, state_reason = $8, secret = $9, previous_secret = $10,
            previous_until = $11, updated_at = $12
        WHERE shard = $1 AND account_id = $2 AND id = $3
        """, ct, P(endpoint.Key.Shard), P(endpoint.Key.Account.Value), P(endpoint.Key.Id), Maybe(endpoint.Url, NpgsqlDbType.Text),
        Maybe(endpoint.Description, NpgsqlDbType.Text), Types(endpoint), P((short)endpoint.State), Maybe(endpoint.StateReason, NpgsqlDbType.Text),
        P(endpoint.Secret), Maybe(endpoint.PreviousSecret, NpgsqlDbType.Bytea),
        Maybe(endpoint.PreviousUntil?.UtcDateTime, NpgsqlDbType.TimestampTz), P(endpoint.UpdatedAt.UtcDateTime));

    /// <summary>Deletes an endpoint, not callbacks; false when the account has none of this id.</summary>
    public static async Task<bool> DeleteEndpoint(this Tx tx, EndpointKey key, CancellationToken ct) =>
        await tx.Do("DELETE FROM webhook_endpoint WHERE shard = $1 AND account_id = $2 AND id = $3 AND kind = 1", ct,
            P(key.Shard), P(key.Account.Value), P(key.Id)) == 1;

    /// <summary>
    /// Enables those of these endpoints that wait for it. Each comes with the URL that has answered: when its owner has named another
    /// meanwhile, that one has to answer first.
    /// </summary>
    public static Task EnableEndpoints(this Tx tx, IReadOnlyList<(EndpointKey Key, string Url)> answered, DateTimeOffset now,
        CancellationToken ct) => tx.Do("""
        UPDATE webhook_endpoint w SET state = 2, updated_at = $5
        FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[]) AS a(shard, account_id, id, url)
        WHERE w.shard = a.shard AND w.account_id = a.account_id AND w.id = a.id AND w.url = a.url AND w.state = 1
        """, ct, P(answered, a => a.Key.Shard), P(answered, a => a.Key.Account.Value), P(answered, a => a.Key.Id), P(answered, a => a.Url),
        P(now.UtcDateTime));

    /// <summary>
    /// Disables an endpoint that is on, for its owner to see why; what it was then, or null when it was off, is gone, or has another URL than
    /// the one that gave the reason.
    /// </summary>
    public static async Task<WebhookEndpoint?> DisableEndpoint(this Tx tx, EndpointKey key, string url, string reason, DateTimeOffset now,
        CancellationToken ct)
    {
        await using var command = tx.Command($"""
            UPDATE webhook_endpoint SET state = 4, state_reason = $4, updated_at = $5
            WHERE shard = $1 AND account_id = $2 AND id = $3 AND url = $6 AND state IN (1, 2) RETURNING {Columns}
            """, P(key.Shard), P(key.Account.Value), P(key.Id), P(reason), P(now.UtcDateTime), P(url));
        return await One(command, ct);
    }

    /// <summary>Some endpoint, whose secret this server should be able to read; null when there is none.</summary>
    public static async Task<WebhookEndpoint?> AnyEndpoint(this Db db, CancellationToken ct)
    {
        await using var command = db.Command($"SELECT {Columns} FROM webhook_endpoint LIMIT 1");
        return await One(command, ct);
    }

    /// <summary>Reads a row that begins with <see cref="Columns"/>.</summary>
    public static WebhookEndpoint Read(NpgsqlDataReader row) => new(
        new EndpointKey(row.GetInt16(0), new AccountId(row.GetGuid(1)), row.GetGuid(2)), (EndpointKind)row.GetInt16(3), Text(row, 4), Text(row, 5),
        row.IsDBNull(6) ? null : row.GetFieldValue<string[]>(6), (EndpointState)row.GetInt16(7), Text(row, 8), row.GetFieldValue<byte[]>(9),
        row.IsDBNull(10) ? null : row.GetFieldValue<byte[]>(10), row.IsDBNull(11) ? null : row.GetDateTime(11), row.GetInt64(12),
        row.GetDateTime(13), row.GetDateTime(14));

    private static async Task<WebhookEndpoint?> One(NpgsqlCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await row.ReadAsync(ct) ? Read(row) : null;
    }

    private static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);

    private static NpgsqlParameter Types(WebhookEndpoint endpoint) =>
        Maybe(endpoint.Types?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
}
