using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Chain;

/// <summary>What is asked of the chain tables besides following: nothing here writes.</summary>
internal static class ChainReadSql
{
    /// <summary>What <see cref="ReadWatched"/> reads of chain_address, in its order.</summary>
    public const string WatchedColumns = "address, shard, account_id, wallet_id, network, index";

    /// <summary>Those of these addresses that are ours.</summary>
    public static async Task<HashSet<string>> Watched(
        this Db db, string family, IReadOnlyCollection<string> addresses, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT address FROM chain_address WHERE family = $1 AND address = ANY($2)");
        command.Parameters.Add(P(family));
        command.Parameters.Add(P<string[]>([.. addresses]));
        var watched = new HashSet<string>(StringComparer.Ordinal);
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            watched.Add(rows.GetString(0));
        return watched;
    }

    /// <summary>The addresses of one account, or of all, among these.</summary>
    public static async Task<List<WatchedAddress>> WatchedOf(
        this Db db, string family, IReadOnlyList<string> addresses, AccountId? account, CancellationToken ct)
    {
        await using var command = db.Command($"""
            SELECT {WatchedColumns} FROM chain_address
            WHERE family = $1 AND address = ANY($2) AND ($3::uuid IS NULL OR account_id = $3)
            """, P(family), P(addresses, a => a), Maybe(account?.Value, NpgsqlDbType.Uuid));
        return await ReadWatched(command, ct);
    }

    /// <summary>Reads rows of <see cref="WatchedColumns"/>.</summary>
    public static async Task<List<WatchedAddress>> ReadWatched(NpgsqlCommand command, CancellationToken ct)
    {
        var watched = new List<WatchedAddress>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            watched.Add(new WatchedAddress(row.GetString(0), row.GetInt16(1), new AccountId(row.GetGuid(2)),
                new WalletId(row.GetGuid(3)), row.GetString(4), row.GetInt64(5)));
        return watched;
    }

    /// <summary>Where each of these chains stands in the database; those that were never followed are left out.</summary>
    public static async Task<List<ChainBooks>> Books(this Db db, IReadOnlyList<string> chains, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT c.chain, c.height, c.hash, (SELECT min(height) FROM chain_block b WHERE b.chain = c.chain),
                (SELECT time FROM chain_block b WHERE b.chain = c.chain AND b.height = c.height),
                (SELECT count(*) FROM chain_deposit d WHERE d.chain = c.chain AND d.state = 1 AND d.posted AND d.reason IS NULL),
                (SELECT count(*) FROM chain_deposit d WHERE d.chain = c.chain AND d.state = 1 AND d.reason IS NOT NULL)
            FROM chain_cursor c WHERE c.chain = ANY($1) ORDER BY array_position($1, c.chain)
            """);
        command.Parameters.Add(P(chains, c => c));
        var books = new List<ChainBooks>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            books.Add(new ChainBooks(row.GetString(0), new ChainCursor(row.GetInt64(1), row.GetString(2)), row.GetInt64(3),
                row.GetFieldValue<DateTime>(4), row.GetInt64(5), row.GetInt64(6)));
        return books;
    }

    /// <summary>The chains on which a transaction with this id paid us, simulated ones included.</summary>
    public static async Task<List<string>> ChainsWith(this Db db, string txId, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT c.chain FROM chain_cursor c
            WHERE EXISTS (SELECT FROM chain_deposit d WHERE d.chain = c.chain AND d.tx_id = $1) ORDER BY 1 LIMIT 10
            """);
        command.Parameters.Add(P(txId));
        var chains = new List<string>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            chains.Add(row.GetString(0));
        return chains;
    }
}

/// <summary>Where a chain stands in the database.</summary>
/// <param name="Chain">Which chain.</param>
/// <param name="Cursor">How far it was followed.</param>
/// <param name="Start">The first block that was followed.</param>
/// <param name="BlockTime">The time of the block at the cursor.</param>
/// <param name="Incoming">Deposits that wait for confirmations.</param>
/// <param name="Uncredited">Payments to our addresses that are in a block and are not credited, for the reasons that their rows say.</param>
internal sealed record ChainBooks(string Chain, ChainCursor Cursor, long Start, DateTimeOffset BlockTime, long Incoming, long Uncredited);
