using System.Data.Common;
using System.Runtime.CompilerServices;
using Coffer.Ledger;
using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Server.Ledger;

/// <summary>Where a row of posting, balance or flow_hour belongs: what the three are merged by.</summary>
internal readonly record struct Place(short Shard, Guid Wallet, string Currency) : IComparable<Place>
{
    public int CompareTo(Place other) => Shard != other.Shard ? Shard.CompareTo(other.Shard)
        : Wallet != other.Wallet ? Wallet.CompareTo(other.Wallet) : string.CompareOrdinal(Currency, other.Currency);

    public override string ToString() => $"shard {Shard} wallet {Wallet} {Currency}";
}

internal readonly record struct PostingRow(Place Place, long Version, Posting? Posting);

internal readonly record struct BalanceRow(Place Place, AccountId Account, Balance? Balance);

internal readonly record struct HourRow(Place Place, AccountId Account, DateTimeOffset Hour, Flow? Flow);

internal readonly record struct MovementRow(
    short Shard, string Key, MovementId Id, Guid Reference, string ReferenceText, Movement? Movement);

/// <summary>The statements of <see cref="Verify"/>: whole tables as streams, so that memory does not grow with them.</summary>
internal static class VerifySql
{
    private const string PostingColumns = """
        shard, wallet_id, currency, version, account_id, movement_id, kind, effective_at, recorded_at, available, incoming, held,
        external, fee, transfer, deficit, available_after, incoming_after, held_after, hash
        """;

    private const string MovementColumns = """
        shard, account_id, id, reference, reference_text, kind, state, sighting, wallet_id, to_wallet_id, currency, amount, fee,
        effective_at, updated_at
        """;

    private const string ReadReversedUnlike = $"""
        SELECT {MovementColumns} FROM movement m WHERE state = 3 AND NOT EXISTS (SELECT FROM posting p
            WHERE p.kind = 3 AND p.shard = m.shard AND p.wallet_id = m.wallet_id AND p.currency = m.currency AND p.movement_id = m.id
            AND p.account_id = m.account_id AND p.external = m.amount AND p.effective_at = m.effective_at
            AND (-p.fee = m.fee OR p.incoming <> 0))
        """;

    // Amount, wallet and receiver never change; a settlement may have taken a lower fee than was reserved.
    private const string ReadWithdrawalsUnlike = """
        SELECT 'shard ' || w.shard || ' account ' || w.account_id || ' id ' || w.id FROM withdrawal w
        LEFT JOIN movement m ON m.shard = w.shard AND m.account_id = w.account_id AND m.id = w.id AND m.kind = 2
        WHERE m.id IS NULL OR m.state <> CASE WHEN w.state = 6 THEN 5 WHEN w.state IN (7, 8, 9) THEN 6 ELSE 4 END
            OR m.wallet_id <> w.wallet_id OR m.currency <> w.currency OR m.amount <> w.amount OR m.description <> w.address
            OR m.fee > w.network_fee + w.transaction_fee
        """;

    private const string ReadChangesOfNothing = """
        SELECT 'shard ' || c.shard || ' id ' || c.id FROM movement_change c
        LEFT JOIN movement_made m ON m.shard = c.shard AND m.id = c.id AND m.kind = CASE WHEN c.state <= 3 THEN 1 ELSE 2 END
        WHERE m.id IS NULL
        """;

    private const string ReadAlertsUnlike = """
        SELECT 'shard ' || a.shard || ' account ' || a.account_id || ' id ' || a.id FROM alert a
        CROSS JOIN LATERAL (SELECT coalesce(sum(available), 0) AS available FROM balance b
            WHERE b.shard = a.shard AND b.account_id = a.account_id AND b.currency = a.currency
            AND (a.wallet_id IS NULL OR b.wallet_id = a.wallet_id)) b
        WHERE a.available <> b.available OR b.available < CASE a.state WHEN 1 THEN a.threshold ELSE 0 END
            OR (a.state = 2 AND b.available >= a.recovery)
        """;

    /// <summary>A name under which other transactions can see what this one sees.</summary>
    public static async Task<string> ShareSnapshot(this Tx tx, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT pg_export_snapshot()", tx.Connection, tx.Transaction);
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>First statement of a transaction: it sees what the named one sees.</summary>
    public static async Task SeeSnapshot(this Tx tx, string name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"SET TRANSACTION SNAPSHOT '{name}'", tx.Connection, tx.Transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Every posting, balance after balance, in the order of the versions.</summary>
    public static IAsyncEnumerable<PostingRow> Postings(this Tx tx, CancellationToken ct) =>
        Rows(tx, $"SELECT {PostingColumns} FROM posting ORDER BY shard, wallet_id, currency, version", ReadPosting, ct);

    /// <summary>Every posting, movement after movement.</summary>
    public static IAsyncEnumerable<PostingRow> PostingsByMovement(this Tx tx, CancellationToken ct) =>
        Rows(tx, $"SELECT {PostingColumns} FROM posting ORDER BY shard, movement_id, wallet_id, currency, version", ReadPosting, ct);

    /// <summary>Every balance.</summary>
    public static IAsyncEnumerable<BalanceRow> Balances(this Tx tx, CancellationToken ct) => Rows(tx, """
        SELECT shard, wallet_id, currency, account_id, available, incoming, held, deposited, withdrawn, fees, transferred, deficit,
               version, last_movement_at, head_hash
        FROM balance ORDER BY shard, wallet_id, currency, account_id
        """, static row => new BalanceRow(ReadPlace(row), new AccountId(row.GetGuid(3)), Try(() => LedgerSql.ReadBalance(row, 4))), ct);

    /// <summary>Every stored hour.</summary>
    public static IAsyncEnumerable<HourRow> Hours(this Tx tx, CancellationToken ct) => Rows(tx, """
        SELECT shard, wallet_id, currency, account_id, hour, deposits, withdrawals, deposit_count, withdrawal_count
        FROM flow_hour ORDER BY shard, wallet_id, currency, account_id, hour
        """, static row => new HourRow(ReadPlace(row), new AccountId(row.GetGuid(3)), row.GetFieldValue<DateTime>(4), ReadFlow(row)), ct);

    /// <summary>Every movement, in no order.</summary>
    public static IAsyncEnumerable<MovementRow> Movements(this Tx tx, CancellationToken ct) =>
        Rows(tx, $"SELECT {MovementColumns} FROM movement", ReadMovement, ct);

    /// <summary>Every movement, in the order of <see cref="PostingsByMovement"/>.</summary>
    public static IAsyncEnumerable<MovementRow> MovementsInOrder(this Tx tx, CancellationToken ct) =>
        Rows(tx, $"SELECT {MovementColumns} FROM movement ORDER BY shard, id, account_id", ReadMovement, ct);

    /// <summary>Reversed deposits whose amount, fee or time is not that of a reversal booked for them.</summary>
    public static IAsyncEnumerable<MovementRow> ReversedUnlikeTheirPostings(this Tx tx, CancellationToken ct) =>
        Rows(tx, ReadReversedUnlike, ReadMovement, ct);

    /// <summary>The keys of changes without a movement that could be in their state.</summary>
    public static IAsyncEnumerable<string> ChangesOfNothing(this Tx tx, CancellationToken ct) =>
        Rows(tx, ReadChangesOfNothing, static row => row.GetString(0), ct);

    /// <summary>The keys of withdrawals whose row says anything else than their movement, or that have none.</summary>
    public static IAsyncEnumerable<string> WithdrawalsUnlikeTheirMovements(this Tx tx, CancellationToken ct) =>
        Rows(tx, ReadWithdrawalsUnlike, static row => row.GetString(0), ct);

    /// <summary>The keys of alerts whose state, or whose sum of wallets, is not what the balances say.</summary>
    public static IAsyncEnumerable<string> AlertsUnlikeTheirBalances(this Tx tx, CancellationToken ct) =>
        Rows(tx, ReadAlertsUnlike, static row => row.GetString(0), ct);

    private static async IAsyncEnumerable<T> Rows<T>(Tx tx, string sql, Func<NpgsqlDataReader, T> read,
        [EnumeratorCancellation] CancellationToken ct)
    {
        // Sorting a large table takes as long as it takes.
        await using var command = new NpgsqlCommand(sql, tx.Connection, tx.Transaction) { CommandTimeout = 0 };
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            yield return read(rows);
    }

    private static PostingRow ReadPosting(NpgsqlDataReader row)
    {
        var place = ReadPlace(row);
        var version = row.GetInt64(3);
        try
        {
            return new PostingRow(place, version, new Posting
            {
                Key = new BalanceKey(new AccountId(row.GetGuid(4)), place.Currency, new WalletId(place.Wallet)),
                Version = version,
                Movement = new MovementId(row.GetGuid(5)),
                Kind = (PostingKind)row.GetInt16(6),
                EffectiveAt = row.GetFieldValue<DateTime>(7),
                RecordedAt = row.GetFieldValue<DateTime>(8),
                Available = row.GetFieldValue<Int128>(9),
                Incoming = row.GetFieldValue<Int128>(10),
                Held = row.GetFieldValue<Int128>(11),
                External = row.GetFieldValue<Int128>(12),
                Fee = row.GetFieldValue<Int128>(13),
                Transfer = row.GetFieldValue<Int128>(14),
                Deficit = row.GetFieldValue<Int128>(15),
                AvailableAfter = row.GetFieldValue<Int128>(16),
                IncomingAfter = row.GetFieldValue<Int128>(17),
                HeldAfter = row.GetFieldValue<Int128>(18),
                Hash = row.GetFieldValue<byte[]>(19),
            });
        }
        catch (Exception e) when (e is InvalidCastException or OverflowException)
        {
            return new PostingRow(place, version, null);
        }
    }

    private static MovementRow ReadMovement(NpgsqlDataReader row)
    {
        var (account, id) = (new AccountId(row.GetGuid(1)), new MovementId(row.GetGuid(2)));
        var (shard, text) = (row.GetInt16(0), row.GetString(4));
        return new MovementRow(shard, $"shard {shard} account {account} id {id}", id, row.GetGuid(3), text, Try(() => new Movement
        {
            Account = account,
            Id = id,
            Reference = Reference.Of(text),
            Kind = (MovementKind)row.GetInt16(5),
            State = (MovementState)row.GetInt16(6),
            Sighting = row.GetInt16(7),
            Wallet = new WalletId(row.GetGuid(8)),
            ToWallet = row.IsDBNull(9) ? null : new WalletId(row.GetGuid(9)),
            Currency = row.GetString(10),
            Amount = row.GetFieldValue<Int128>(11),
            Fee = row.GetFieldValue<Int128>(12),
            EffectiveAt = row.GetFieldValue<DateTime>(13),
            UpdatedAt = row.GetFieldValue<DateTime>(14),
        }));
    }

    private static Flow? ReadFlow(NpgsqlDataReader row)
    {
        try
        {
            return new Flow(row.GetFieldValue<Int128>(5), row.GetFieldValue<Int128>(6), row.GetInt64(7), row.GetInt64(8));
        }
        catch (Exception e) when (e is InvalidCastException or OverflowException)
        {
            return null;
        }
    }

    private static Place ReadPlace(DbDataReader row) => new(row.GetInt16(0), row.GetGuid(1), row.GetString(2));

    /// <summary>Null for a row that PostgreSQL can hold and the ledger cannot: NaN, which every CHECK of a comparison lets pass.</summary>
    private static T? Try<T>(Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidCastException or OverflowException or ArgumentException)
        {
            return null;
        }
    }
}
