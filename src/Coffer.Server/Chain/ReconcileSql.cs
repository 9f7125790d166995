using System.Numerics;
using Coffer.Chains;
using Coffer.Ledger;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Chain;

/// <summary>One deposit as the books of the chain have it and as the ledger has it; either side may be missing.</summary>
internal sealed record BookedTwice(string Reference, BookedTwice.InChain? Chain, BookedTwice.InLedger? Ledger)
{
    internal sealed record InChain(ObservationState State, int Sighting, bool Posted, string? Reason, string Address, AccountId Account,
        WalletId Wallet, string? Currency, BigInteger Amount);

    internal sealed record InLedger(MovementState State, int Sighting, AccountId Account, WalletId Wallet, string Currency,
        BigInteger Amount, long Times);
}

/// <summary>The statements of <see cref="Reconcile"/>; nothing here writes.</summary>
internal static class ReconcileSql
{
    /// <summary>The addresses of a family after this one, in their order.</summary>
    public static async Task<List<WatchedAddress>> AddressesAfter(
        this Db db, string family, string after, int countMax, CancellationToken ct)
    {
        await using var command = db.Command($"""
            SELECT {ChainReadSql.WatchedColumns} FROM chain_address WHERE family = $1 AND address > $2 ORDER BY address LIMIT $3
            """, P(family), P(after), P(countMax));
        return await ChainReadSql.ReadWatched(command, ct);
    }

    /// <summary>The hash of a followed block; null for one that is not, or that was undone.</summary>
    public static async Task<string?> FollowedHash(this Db db, string chain, long height, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT hash FROM chain_block WHERE chain = $1 AND height = $2");
        command.Parameters.Add(P(chain));
        command.Parameters.Add(P(height));
        return (string?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>What was paid to these addresses up to a block, by address and currency.</summary>
    public static async Task<List<BookedSum>> Booked(
        this Db db, string chain, long height, IReadOnlyList<WatchedAddress> addresses, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT address, currency, coalesce(sum(amount) FILTER (WHERE reason IS NULL), 0),
                coalesce(sum(amount) FILTER (WHERE reason IS NOT NULL), 0)
            FROM chain_deposit
            WHERE chain = $1 AND height <= $2 AND state <> 3 AND currency IS NOT NULL AND address = ANY($3) GROUP BY address, currency
            """);
        command.Parameters.Add(P(chain));
        command.Parameters.Add(P(height));
        command.Parameters.Add(P(addresses, a => a.Address));
        var sums = new List<BookedSum>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            sums.Add(new BookedSum(row.GetString(0), row.GetString(1), row.GetFieldValue<BigInteger>(2), row.GetFieldValue<BigInteger>(3)));
        return sums;
    }

    /// <summary>The payments to one address, newest first.</summary>
    public static async Task<List<BookedDeposit>> BookedAt(
        this Db db, string chain, long height, string address, string currency, int countMax, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT tx_id, kind, ordinal, height, amount, reason FROM chain_deposit
            WHERE chain = $1 AND height <= $2 AND state <> 3 AND address = $3 AND currency = $4
            ORDER BY height DESC, tx_id, kind, ordinal LIMIT $5
            """);
        foreach (var parameter in (NpgsqlParameter[])[P(chain), P(height), P(address), P(currency), P(countMax)])
            command.Parameters.Add(parameter);
        var deposits = new List<BookedDeposit>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            deposits.Add(new BookedDeposit(row.GetString(0), (TransferKind)row.GetInt16(1), row.GetInt32(2), row.GetInt64(3),
                row.GetFieldValue<BigInteger>(4), row.IsDBNull(5) ? null : row.GetString(5)));
        return deposits;
    }

    /// <summary>
    /// The deposits of a chain in both books, without those that are plainly the same in both. Over all shards, so that a deposit that was
    /// given to two accounts is found too.
    /// </summary>
    public static async IAsyncEnumerable<BookedTwice> BookedTwice(
        this Tx tx, string chain, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            WITH d AS (
                SELECT *, chain || ':' || tx_id || ':' || CASE kind WHEN 0 THEN 'native' WHEN 1 THEN 'token' ELSE 'internal' END
                    || ':' || ordinal AS reference FROM chain_deposit WHERE chain = $1),
            m AS (
                SELECT state, sighting, account_id, wallet_id, currency, amount, reference_text,
                    count(*) OVER (PARTITION BY reference_text) AS times,
                    row_number() OVER (PARTITION BY reference_text ORDER BY shard, account_id, id) AS nth
                FROM movement WHERE kind = 1 AND starts_with(reference_text, $1 || ':'))
            SELECT coalesce(d.reference, m.reference_text), d.state, d.sighting, d.posted, d.reason, d.address, d.account_id, d.wallet_id,
                d.currency, d.amount, m.state, m.sighting, m.account_id, m.wallet_id, m.currency, m.amount, m.times
            FROM d FULL JOIN (SELECT * FROM m WHERE nth = 1) m ON m.reference_text = d.reference
            WHERE d.reference IS NULL OR m.reference_text IS NULL OR m.times > 1 OR d.reason IS NOT NULL OR NOT d.posted
                OR d.state <> m.state OR d.sighting <> m.sighting OR d.account_id <> m.account_id OR d.wallet_id <> m.wallet_id
                OR d.currency <> m.currency OR d.amount <> m.amount
            """, tx.Connection, tx.Transaction);
        command.Parameters.Add(P(chain));
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            yield return new BookedTwice(row.GetString(0), ChainSide(row), LedgerSide(row));
    }

    private static BookedTwice.InChain? ChainSide(NpgsqlDataReader row) => row.IsDBNull(1) ? null
        : new BookedTwice.InChain((ObservationState)row.GetInt16(1), row.GetInt32(2), row.GetBoolean(3),
            row.IsDBNull(4) ? null : row.GetString(4), row.GetString(5), new AccountId(row.GetGuid(6)), new WalletId(row.GetGuid(7)),
            row.IsDBNull(8) ? null : row.GetString(8), row.GetFieldValue<BigInteger>(9));

    private static BookedTwice.InLedger? LedgerSide(NpgsqlDataReader row) => row.IsDBNull(10) ? null
        : new BookedTwice.InLedger((MovementState)row.GetInt16(10), row.GetInt16(11), new AccountId(row.GetGuid(12)),
            new WalletId(row.GetGuid(13)), row.GetString(14), row.GetFieldValue<BigInteger>(15), row.GetInt64(16));
}
