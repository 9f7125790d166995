using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Wallets;

/// <summary>The statements on wallets; the only writer of wallet.</summary>
internal static class WalletSql
{
    private const string Columns = "id, name, is_default, created_at, updated_at";

    /// <summary>Inserts a wallet; once, however often a lost commit makes it run again.</summary>
    public static async Task InsertWallet(this Tx tx, AccountId account, short shard, Wallet wallet, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO wallet (shard, account_id, id, name, is_default, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (shard, account_id, id) DO NOTHING
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(shard), P(account.Value), P(wallet.Id.Value), P(wallet.Name), P(wallet.IsDefault),
                P(wallet.CreatedAt.UtcDateTime), P(wallet.UpdatedAt.UtcDateTime),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Holds the account's default wallet until the transaction ends, so that its wallets are counted by one at a time.</summary>
    public static async Task LockDefaultWallet(this Tx tx, AccountId account, short shard, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT id FROM wallet WHERE shard = $1 AND account_id = $2 AND is_default FOR UPDATE",
            tx.Connection, tx.Transaction)
        {
            Parameters = { P(shard), P(account.Value) },
        };
        await command.ExecuteScalarAsync(ct);
    }

    /// <summary>How many wallets the account has, one that is being made not counted.</summary>
    public static async Task<long> CountOtherWallets(this Tx tx, AccountId account, short shard, WalletId not, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT count(*) FROM wallet WHERE shard = $1 AND account_id = $2 AND id <> $3",
            tx.Connection, tx.Transaction)
        {
            Parameters = { P(shard), P(account.Value), P(not.Value) },
        };
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Renames a wallet; null when the account has none with this id.</summary>
    public static async Task<Wallet?> RenameWallet(this Tx tx, AccountId account, short shard, WalletId id, string name, DateTimeOffset now,
        CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"""
            UPDATE wallet SET name = $4, updated_at = $5 WHERE shard = $1 AND account_id = $2 AND id = $3 RETURNING {Columns}
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(shard), P(account.Value), P(id.Value), P(name), P(now.UtcDateTime) },
        };
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row, 0) : null;
    }

    /// <summary>One wallet; null when the account has none with this id.</summary>
    public static async Task<Wallet?> FindWallet(this Db db, AccountId account, short shard, WalletId id, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(
            $"SELECT {Columns} FROM wallet WHERE shard = $1 AND account_id = $2 AND id = $3");
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(account.Value), P(id.Value)]);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row, 0) : null;
    }

    /// <summary>Those of these two wallets that the account has, and its default wallet.</summary>
    public static async Task<List<Wallet>> FindTransferWallets(this Db db, AccountId account, short shard, WalletId from, WalletId? to,
        CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"""
            SELECT {Columns} FROM wallet WHERE shard = $1 AND account_id = $2 AND id IN ($3, $4)
            UNION
            SELECT {Columns} FROM wallet WHERE shard = $1 AND account_id = $2 AND is_default
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(account.Value), P(from.Value), P((to ?? from).Value)]);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var wallets = new List<Wallet>();
        while (await rows.ReadAsync(ct))
            wallets.Add(Read(rows, 0));
        return wallets;
    }

    /// <summary>A page of the account's wallets, oldest first, and how many there are; both as of one moment.</summary>
    /// <param name="only">The wallets that the credential is limited to; null for all.</param>
    public static async Task<(long Total, List<Wallet> Page)> ListWallets(this Db db, AccountId account, short shard,
        IReadOnlyList<Guid>? only, int limit, int offset, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"""
            WITH mine AS (
                SELECT {Columns} FROM wallet WHERE shard = $1 AND account_id = $2 AND ($3::uuid[] IS NULL OR id = ANY ($3))
            )
            SELECT t.total, p.* FROM (SELECT count(*) AS total FROM mine) t
            LEFT JOIN (SELECT {Columns} FROM mine ORDER BY created_at, id LIMIT $4 OFFSET $5) p ON true
            ORDER BY p.created_at, p.id
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(account.Value),
            Maybe(only?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid),
            P(limit), P(offset)]);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var page = new List<Wallet>();
        var total = 0L;
        while (await rows.ReadAsync(ct))
        {
            total = rows.GetInt64(0);
            if (!rows.IsDBNull(1))
                page.Add(Read(rows, 1));
        }

        return (total, page);
    }

    private static Wallet Read(NpgsqlDataReader row, int at) => new(new WalletId(row.GetGuid(at)), row.GetString(at + 1),
        row.GetBoolean(at + 2), row.GetFieldValue<DateTime>(at + 3), row.GetFieldValue<DateTime>(at + 4));
}
