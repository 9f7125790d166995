using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Addresses;

/// <summary>The statements on addresses: the only writer of chain_address and address_source.</summary>
internal static class AddressSql
{
    private const string Columns = "id, shard, account_id, wallet_id, family, network, source, index, address, created_at";

    /// <summary>The source's next index, never given out before.</summary>
    public static async Task<long> NextIndex(this Tx tx, string family, string source, string firstAddress, CancellationToken ct)
    {
        await using var command = tx.Command("""
            INSERT INTO address_source AS s (family, source, first_address, next_index) VALUES ($1, $2, $3, 1)
            ON CONFLICT (family, source) DO UPDATE SET next_index = s.next_index + 1
            RETURNING next_index - 1
            """, P(family), P(source), P(firstAddress));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Watches the address from now on.</summary>
    public static async Task Insert(this Tx tx, IssuedAddress address, CancellationToken ct)
    {
        await using var command = tx.Command($"INSERT INTO chain_address ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            P(address.Id), P(address.Shard), P(address.Account.Value), P(address.Wallet.Value), P(address.Family), P(address.Network),
            P(address.Source), P(address.Index), P(address.Address), P(address.CreatedAt.UtcDateTime));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Watches an address that is known beforehand, and keeps its index from being given out; once, however often it is run.</summary>
    public static async Task Watch(this Tx tx, IssuedAddress address, CancellationToken ct)
    {
        await using var command = tx.Command($"""
            WITH source AS (
                INSERT INTO address_source AS s (family, source, first_address, next_index) VALUES ($5, $7, $9, $8 + 1)
                ON CONFLICT (family, source) DO UPDATE SET next_index = greatest(s.next_index, excluded.next_index))
            INSERT INTO chain_address ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (family, address) DO NOTHING
            """,
            P(address.Id), P(address.Shard), P(address.Account.Value), P(address.Wallet.Value), P(address.Family), P(address.Network),
            P(address.Source), P(address.Index), P(address.Address), P(address.CreatedAt.UtcDateTime));
        await command.ExecuteNonQueryAsync(ct);
    }

    public static Task<IssuedAddress?> FindAddress(this Db db, Guid id, CancellationToken ct) =>
        Find(db, $"SELECT {Columns} FROM chain_address WHERE id = $1", ct, P(id));

    public static async Task<List<IssuedAddress>> FindAddresses(this Db db, Guid[] ids, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"SELECT {Columns} FROM chain_address WHERE id = ANY($1)");
        command.Parameters.Add(P<Guid[]>(ids));
        var addresses = new List<IssuedAddress>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            addresses.Add(Read(row));
        return addresses;
    }

    /// <summary>The address with this text; null when it is not ours.</summary>
    public static Task<IssuedAddress?> FindAddress(this Db db, string family, string address, CancellationToken ct) =>
        Find(db, $"SELECT {Columns} FROM chain_address WHERE family = $1 AND address = $2", ct, P(family), P(address));

    /// <summary>The oldest address of a source that belongs to no payment; null while it has none.</summary>
    public static Task<IssuedAddress?> OldestAddress(this Db db, string family, string source, CancellationToken ct) =>
        Find(db, $"""
            SELECT {Columns} FROM chain_address a WHERE family = $1 AND source = $2
                AND NOT EXISTS (SELECT FROM payment p WHERE p.shard = a.shard AND p.address_id = a.id)
            ORDER BY index LIMIT 1
            """, ct, P(family), P(source));

    /// <summary>What the source gave at index 0 when it was first used; null before that.</summary>
    public static async Task<string?> FirstAddress(this Db db, string family, string source, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT first_address FROM address_source WHERE family = $1 AND source = $2");
        command.Parameters.Add(P(family));
        command.Parameters.Add(P(source));
        return (string?)await command.ExecuteScalarAsync(ct);
    }

    private static async Task<IssuedAddress?> Find(Db db, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = db.Reads.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row) : null;
    }

    private static IssuedAddress Read(NpgsqlDataReader row) => new(row.GetGuid(0), row.GetInt16(1), new AccountId(row.GetGuid(2)),
        new WalletId(row.GetGuid(3)), row.GetString(4), row.GetString(5), row.GetString(6), row.GetInt64(7), row.GetString(8),
        row.GetFieldValue<DateTime>(9));
}
