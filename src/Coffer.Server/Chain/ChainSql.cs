using System.Numerics;
using Coffer.Chains;
using Coffer.Server.Payments;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Chain;

/// <summary>The statements of the follower, the only writer of chain_cursor, chain_block and chain_deposit.</summary>
internal static class ChainSql
{
    private const string Columns = """
        d.tx_id, d.kind, d.ordinal, d.state, d.sighting, d.height, d.block_hash, d.block_time, d.address, d.shard, d.account_id,
        d.wallet_id, d.asset, d.currency, d.amount, d.reason
        """;

    public static async Task<ChainCursor?> Cursor(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT height, hash FROM chain_cursor WHERE chain = $1");
        command.Parameters.Add(P(chain));
        return await ReadCursor(command, ct);
    }

    public static async Task<ChainCursor?> LockCursor(this Tx tx, string chain, CancellationToken ct)
    {
        await using var command = tx.Command("SELECT height, hash FROM chain_cursor WHERE chain = $1 FOR UPDATE", P(chain));
        return await ReadCursor(command, ct);
    }

    /// <summary>Starts to follow a chain at a block; does nothing when somebody has started already.</summary>
    public static async Task StartCursor(this Tx tx, string chain, ChainBlock block, CancellationToken ct)
    {
        await using var command = tx.Command("""
            WITH started AS (
                INSERT INTO chain_cursor (chain, height, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING chain)
            INSERT INTO chain_block (chain, height, hash, parent_hash, time) SELECT chain, $2, $3, $4, $5 FROM started
            """, P(chain), P(block.Height), P(block.Hash), P(block.ParentHash), P(block.Time.UtcDateTime));
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task MoveCursor(this Tx tx, string chain, ChainCursor to, CancellationToken ct)
    {
        await using var command = tx.Command("UPDATE chain_cursor SET height = $2, hash = $3 WHERE chain = $1",
            P(chain), P(to.Height), P(to.Hash));
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task<string?> BlockHash(this Tx tx, string chain, long height, CancellationToken ct)
    {
        await using var command = tx.Command("SELECT hash FROM chain_block WHERE chain = $1 AND height = $2", P(chain), P(height));
        return (string?)await command.ExecuteScalarAsync(ct);
    }

    public static async Task AddBlocks(this Tx tx, string chain, IReadOnlyList<ChainBlock> blocks, CancellationToken ct)
    {
        await using var command = tx.Command("""
            INSERT INTO chain_block (chain, height, hash, parent_hash, time)
            SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[])
            """, P(chain), P(blocks, b => b.Height), P(blocks, b => b.Hash), P(blocks, b => b.ParentHash),
            P(blocks, b => b.Time.UtcDateTime));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Forgets blocks that the cursor has left far below it, about as many as it has just passed. The first one stays: it says where
    /// following began.
    /// </summary>
    public static async Task ForgetBlocks(this Tx tx, string chain, long above, long upTo, CancellationToken ct)
    {
        await using var command = tx.Command("""
            DELETE FROM chain_block WHERE chain = $1 AND height > $2 AND height <= $3
                AND height > (SELECT min(height) FROM chain_block WHERE chain = $1)
            """, P(chain), P(above), P(upTo));
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task RemoveBlock(this Tx tx, string chain, long height, CancellationToken ct)
    {
        await using var command = tx.Command("DELETE FROM chain_block WHERE chain = $1 AND height = $2", P(chain), P(height));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Which of these addresses are ours.</summary>
    public static async Task<Dictionary<string, WatchedAddress>> Ours(
        this Tx tx, string family, IReadOnlyList<string> addresses, CancellationToken ct)
    {
        await using var command = tx.Command($"""
            SELECT {ChainReadSql.WatchedColumns} FROM chain_address WHERE family = $1 AND address = ANY($2)
            """, P(family), P(addresses, a => a));
        return (await ChainReadSql.ReadWatched(command, ct)).ToDictionary(address => address.Address, StringComparer.Ordinal);
    }

    /// <summary>
    /// Each becomes a row, or the next sighting of the row it has. A row that still counts in another block is left alone: no
    /// identity counts twice. What comes back for another wallet or in another currency than before is kept for a human.
    /// </summary>
    /// <returns>How many rows are new or came back.</returns>
    public static async Task<int> Observe(this Tx tx, string chain, IReadOnlyList<Observation> seen, CancellationToken ct)
    {
        await using var command = tx.Command("""
            INSERT INTO chain_deposit AS d (chain, state, sighting, posted, tx_id, kind, ordinal, height, block_hash, block_time, address,
                shard, account_id, wallet_id, asset, currency, amount, reason, seen_at)
            SELECT $1, 1, 1, u.reason IS NOT NULL, u.*, m.seen_at
            FROM unnest($2::text[], $3::smallint[], $4::integer[], $5::bigint[], $6::text[], $7::timestamptz[], $8::text[], $9::smallint[],
                $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::numeric[], $15::text[])
                AS u(tx_id, kind, ordinal, height, block_hash, block_time, address, shard, account_id, wallet_id, asset, currency,
                amount, reason)
            LEFT JOIN chain_mempool m ON m.chain = $1 AND m.tx_id = u.tx_id AND m.kind = u.kind AND m.ordinal = u.ordinal
            ON CONFLICT (chain, tx_id, kind, ordinal) DO UPDATE SET state = 1, sighting = d.sighting + 1, height = excluded.height,
                block_hash = excluded.block_hash, block_time = excluded.block_time, amount = excluded.amount, asset = excluded.asset,
                currency = coalesce(d.currency, excluded.currency),
                reason = CASE WHEN d.wallet_id <> excluded.wallet_id OR d.currency <> excluded.currency THEN 'receiver_changed'
                    ELSE excluded.reason END,
                posted = d.wallet_id <> excluded.wallet_id OR coalesce(d.currency <> excluded.currency, false)
                    OR excluded.reason IS NOT NULL
            WHERE d.state = 3
            """, P(chain), P(seen, d => d.TxId), P(seen, d => (short)d.Kind), P(seen, d => d.Ordinal), P(seen, d => d.Height),
            P(seen, d => d.BlockHash), P(seen, d => d.BlockTime.UtcDateTime), P(seen, d => d.Address), P(seen, d => d.Shard),
            P(seen, d => d.Account.Value), P(seen, d => d.Wallet.Value), P(seen, d => d.Asset), P(seen, d => d.Currency),
            P(seen, d => d.Amount), P(seen, d => d.Reason));
        var changed = await command.ExecuteNonQueryAsync(ct);
        await tx.LookAgain(Paid(seen), ct);
        return changed;
    }

    /// <summary>
    /// Rows that were not credited and are in the same block still get the reason, or the currency, that they have by the files as they
    /// are now. What was credited is left alone, and so is what a human must look at. Answers how many are to be credited now.
    /// </summary>
    public static async Task<int> Recheck(this Tx tx, string chain, IReadOnlyList<Observation> seen, CancellationToken ct)
    {
        await using var command = tx.Command("""
            WITH changed AS (
                UPDATE chain_deposit d SET currency = u.currency, reason = u.reason, posted = u.reason IS NOT NULL
                FROM unnest($2::text[], $3::smallint[], $4::integer[], $5::text[], $6::uuid[], $7::text[], $8::numeric[], $9::text[])
                    AS u(tx_id, kind, ordinal, block_hash, wallet_id, currency, amount, reason)
                WHERE d.chain = $1 AND d.tx_id = u.tx_id AND d.kind = u.kind AND d.ordinal = u.ordinal AND d.block_hash = u.block_hash
                    AND d.wallet_id = u.wallet_id AND d.amount = u.amount AND coalesce(d.currency = u.currency, true)
                    AND d.state = 1 AND d.reason <> 'receiver_changed' AND (d.reason, d.currency) IS DISTINCT FROM (u.reason, u.currency)
                RETURNING u.reason)
            SELECT count(*)::integer FROM changed WHERE reason IS NULL
            """, P(chain), P(seen, d => d.TxId), P(seen, d => (short)d.Kind), P(seen, d => d.Ordinal), P(seen, d => d.BlockHash),
            P(seen, d => d.Wallet.Value), P(seen, d => d.Currency), P(seen, d => d.Amount), P(seen, d => d.Reason));
        var credited = (int)(await command.ExecuteScalarAsync(ct))!;
        await tx.LookAgain(Paid(seen), ct);
        return credited;
    }

    /// <summary>What this block gave counts no more; the ledger must be told, where it was told of it at all.</summary>
    public static async Task Orphan(this Tx tx, string chain, ChainCursor block, CancellationToken ct)
    {
        await using var command = tx.Command("""
            UPDATE chain_deposit SET state = 3, posted = reason IS NOT NULL
            WHERE chain = $1 AND height = $2 AND block_hash = $3 AND state <> 3
            RETURNING account_id, address
            """, P(chain), P(block.Height), P(block.Hash));
        await tx.LookAgain(await ReadPaid(command, ct), ct);
    }

    public static async Task<bool> HasUntold(this Tx tx, string chain, CancellationToken ct)
    {
        await using var command = tx.Command("SELECT EXISTS (SELECT FROM chain_deposit WHERE chain = $1 AND NOT posted)", P(chain));
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>What the ledger must be told, in the order of the chain.</summary>
    public static Task<List<Observation>> Untold(this Db db, string chain, int countMax, CancellationToken ct) => Read(db, $"""
        SELECT {Columns} FROM chain_deposit d WHERE chain = $1 AND NOT posted ORDER BY height, tx_id, kind, ordinal LIMIT $2
        """, ct, P(chain), P(countMax));

    /// <summary>
    /// What the ledger knows as seen and has what its currency asks for: confirmations, counted at the cursor, or a block that the chain
    /// calls final, as long as our blocks are those of the node that says so.
    /// </summary>
    public static Task<List<Observation>> Confirmable(
        this Db db, string chain, IReadOnlyList<Currency> currencies, Finality finality, int countMax, CancellationToken ct) => Read(db, $"""
        SELECT {Columns} FROM chain_cursor c
        JOIN chain_deposit d ON d.chain = c.chain AND d.state = 1 AND d.posted AND d.reason IS NULL
        JOIN unnest($2::text[], $3::bigint[], $4::boolean[]) AS k(currency, confirmations, finalized) ON k.currency = d.currency
        WHERE c.chain = $1 AND CASE WHEN k.finalized
            THEN d.height <= $5 AND EXISTS (SELECT FROM chain_block b WHERE b.chain = c.chain AND b.height = $6 AND b.hash = $7)
            ELSE d.height <= c.height + 1 - k.confirmations END
        ORDER BY d.height, d.tx_id, d.kind, d.ordinal LIMIT $8
        """, ct, P(chain), P(currencies, k => k.Code), P(currencies, k => (long)k.Confirmations),
        P(currencies, k => k.Finalized && finality.IsOffered), P(finality.Height), P(finality.At.Height), P(finality.At.Hash), P(countMax));

    /// <summary>Deposits that are in a block and not confirmed: they wait for confirmations or are not credited. Newest first.</summary>
    public static Task<List<Observation>> Waiting(this Db db, string chain, int countMax, CancellationToken ct) => Read(db, $"""
        SELECT {Columns} FROM chain_deposit d WHERE chain = $1 AND state = 1 ORDER BY height DESC, tx_id, kind, ordinal LIMIT $2
        """, ct, P(chain), P(countMax));

    /// <summary>The ledger knows now; rows that have moved on since they were read are left alone.</summary>
    public static Task MarkTold(this Tx tx, string chain, IReadOnlyList<Observation> told, CancellationToken ct) => Mark(tx, """
        UPDATE chain_deposit d SET posted = true, reason = u.reason
        FROM unnest($2::text[], $3::smallint[], $4::integer[], $5::integer[], $6::smallint[], $7::text[])
            AS u(tx_id, kind, ordinal, sighting, state, reason)
        WHERE d.chain = $1 AND d.tx_id = u.tx_id AND d.kind = u.kind AND d.ordinal = u.ordinal AND d.sighting = u.sighting
            AND d.state = u.state AND NOT d.posted
        """, chain, told, [.. told.Where(row => row.Reason is not null)], ct);

    /// <summary>The ledger has made them available; rows that have moved on since they were read are left alone.</summary>
    public static Task MarkConfirmed(this Tx tx, string chain, IReadOnlyList<Observation> confirmed, CancellationToken ct) => Mark(tx, """
        UPDATE chain_deposit d SET state = 2
        FROM unnest($2::text[], $3::smallint[], $4::integer[], $5::integer[], $6::smallint[], $7::text[])
            AS u(tx_id, kind, ordinal, sighting, state, reason)
        WHERE d.chain = $1 AND d.tx_id = u.tx_id AND d.kind = u.kind AND d.ordinal = u.ordinal AND d.sighting = u.sighting
            AND d.state = 1 AND d.posted AND d.reason IS NULL
        """, chain, confirmed, confirmed, ct);

    private static async Task Mark(
        Tx tx, string sql, string chain, IReadOnlyList<Observation> rows, IReadOnlyList<Observation> news, CancellationToken ct)
    {
        await using var command = tx.Command(sql, P(chain), P(rows, d => d.TxId), P(rows, d => (short)d.Kind), P(rows, d => d.Ordinal),
            P(rows, d => d.Sighting), P(rows, d => (short)d.State), P(rows, d => d.Reason));
        await command.ExecuteNonQueryAsync(ct);
        await tx.LookAgain(Paid(news), ct);
    }

    /// <summary>Who was paid where, of a statement that answers both.</summary>
    public static async Task<List<(AccountId, string)>> ReadPaid(NpgsqlCommand command, CancellationToken ct)
    {
        var paid = new List<(AccountId, string)>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            paid.Add((new AccountId(row.GetGuid(0)), row.GetString(1)));
        return paid;
    }

    private static List<(AccountId, string)> Paid(IReadOnlyList<Observation> rows) => [.. rows.Select(row => (row.Account, row.Address))];

    /// <summary>What was observed of one transaction.</summary>
    public static Task<List<Observation>> DepositsIn(this Db db, string chain, string txId, CancellationToken ct) => Read(db, $"""
        SELECT {Columns} FROM chain_deposit d WHERE chain = $1 AND tx_id = $2 ORDER BY kind, ordinal
        """, ct, P(chain), P(txId));

    private static async Task<List<Observation>> Read(Db db, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = db.Reads.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        var found = new List<Observation>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found.Add(new Observation
            {
                TxId = row.GetString(0),
                Kind = (TransferKind)row.GetInt16(1),
                Ordinal = row.GetInt32(2),
                State = (ObservationState)row.GetInt16(3),
                Sighting = row.GetInt32(4),
                Height = row.GetInt64(5),
                BlockHash = row.GetString(6),
                BlockTime = row.GetFieldValue<DateTime>(7),
                Address = row.GetString(8),
                Shard = row.GetInt16(9),
                Account = new AccountId(row.GetGuid(10)),
                Wallet = new WalletId(row.GetGuid(11)),
                Asset = row.IsDBNull(12) ? null : row.GetString(12),
                Currency = row.IsDBNull(13) ? null : row.GetString(13),
                Amount = row.GetFieldValue<BigInteger>(14),
                Reason = row.IsDBNull(15) ? null : row.GetString(15),
            });
        return found;
    }

    private static async Task<ChainCursor?> ReadCursor(NpgsqlCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? new ChainCursor(row.GetInt64(0), row.GetString(1)) : null;
    }
}
