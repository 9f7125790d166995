using Coffer.Ledger;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Wallets;

/// <summary>A movement and the hash of the transaction on the chain that it came or went by; null while there is none.</summary>
internal sealed record ListedMovement(Movement Movement, string? TransactionHash);

/// <summary>Which movements of an account are wanted; null means any.</summary>
/// <param name="Before">Only ids below this one.</param>
/// <param name="From">Only this id and those above.</param>
/// <param name="Wallets">Only those that touch one of these wallets.</param>
internal sealed record MovementFilter(Guid Before, Guid From, MovementKind? Kind, IReadOnlyList<short>? States, string? Currency,
    IReadOnlyList<Guid>? Wallets)
{
    /// <summary>Whether every movement in the range of ids is wanted.</summary>
    public bool IsRangeOnly => Kind is null && States is null && Currency is null && Wallets is null;
}

/// <summary>
/// Reads of the ledger for the list of movements. A page is one backward range scan of the movement key, with a look for what has become of
/// each; of a range that hardly holds what is wanted, no more than a bounded piece is looked through.
/// </summary>
internal static class TransactionSql
{
    private const string Columns = """
        m.id, m.kind, m.state, m.wallet_id, m.to_wallet_id, m.currency, m.amount, m.fee, m.sighting, m.effective_at, m.updated_at,
        m.reference_text, m.description,
        CASE WHEN m.kind = 2 THEN (SELECT w.tx_id FROM withdrawal w WHERE w.shard = m.shard AND w.account_id = m.account_id
            AND w.id = m.id) END
        """;

    private const string Range = "m.shard = $1 AND m.account_id = $2 AND m.id < $3 AND m.id >= $4";

    /// <summary>The statement of a page; a test looks at its plan.</summary>
    internal const string Page = $"""
        SELECT {Columns}
        FROM (SELECT * FROM movement m WHERE {Range} ORDER BY m.id DESC LIMIT $5) m
        WHERE ($6::smallint IS NULL OR m.kind = $6) AND ($7::smallint[] IS NULL OR m.state = ANY ($7))
            AND ($8::text IS NULL OR m.currency = $8)
            AND ($9::uuid[] IS NULL OR m.wallet_id = ANY ($9) OR m.to_wallet_id = ANY ($9))
        ORDER BY m.id DESC
        LIMIT $10
        """;

    /// <summary>The newest of the movements wanted, newest first, looking at no more than <paramref name="scan"/> movements.</summary>
    public static async Task<List<ListedMovement>> Movements(this Db db, AccountId account, short shard, MovementFilter filter, int limit, int scan,
        CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(Page);
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(account.Value), P(filter.Before), P(filter.From), P(scan),
            Maybe((short?)filter.Kind, NpgsqlDbType.Smallint), Maybe(filter.States?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Smallint),
            Maybe(filter.Currency, NpgsqlDbType.Text), Maybe(filter.Wallets?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid), P(limit)]);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var movements = new List<ListedMovement>();
        while (await rows.ReadAsync(ct))
            movements.Add(Read(rows, account));
        return movements;
    }

    /// <summary>The last id that <see cref="Movements"/> looks at; null when the range ends before that.</summary>
    public static async Task<Guid?> LastScanned(this Db db, AccountId account, short shard, MovementFilter filter, int scan, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(
            $"SELECT m.id FROM movement_made m WHERE {Range} ORDER BY m.id DESC OFFSET $5 LIMIT 1");
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(account.Value), P(filter.Before), P(filter.From), P(scan - 1)]);
        return await command.ExecuteScalarAsync(ct) is Guid id ? id : null;
    }

    /// <summary>One movement; null when the account has none with this id.</summary>
    public static async Task<ListedMovement?> FindMovement(this Db db, AccountId account, short shard, MovementId id, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(
            $"SELECT {Columns} FROM movement m WHERE m.shard = $1 AND m.account_id = $2 AND m.id = $3");
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(account.Value), P(id.Value)]);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row, account) : null;
    }

    /// <summary>
    /// The version of the first posting of a balance that was recorded at <paramref name="at"/> or later; one above the newest when
    /// there is none. Times of recording never fall from one version to the next, so this halves the versions: at most 63 rows are read.
    /// </summary>
    public static async Task<long> FirstVersion(this Db db, short shard, BalanceKey key, DateTimeOffset at, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            WITH RECURSIVE search (low, high) AS (
                SELECT 1::bigint, coalesce(max(b.version), 0) + 1 FROM balance b
                WHERE b.shard = $1 AND b.account_id = $2 AND b.wallet_id = $3 AND b.currency = $4
                UNION ALL
                SELECT CASE WHEN p.recorded_at < $5 THEN p.version + 1 ELSE s.low END,
                    CASE WHEN p.recorded_at < $5 THEN s.high ELSE p.version END
                FROM search s
                JOIN posting p ON p.shard = $1 AND p.wallet_id = $3 AND p.currency = $4 AND p.version = s.low + (s.high - s.low) / 2
                WHERE s.low < s.high
            )
            SELECT low FROM search WHERE low = high
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(key.Account.Value), P(key.Wallet.Value), P(key.Currency), P(at.UtcDateTime)]);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The postings of a movement among these versions of a balance, the last version not included; oldest first.</summary>
    public static async Task<List<Posting>> Postings(this Db db, short shard, BalanceKey key, MovementId movement, long from, long to,
        CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT version, kind, effective_at, recorded_at, available, incoming, held, external, fee, transfer, deficit,
                available_after, incoming_after, held_after, hash
            FROM posting
            WHERE shard = $1 AND wallet_id = $2 AND currency = $3 AND version >= $4 AND version < $5 AND movement_id = $6
            ORDER BY version
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[P(shard), P(key.Wallet.Value), P(key.Currency), P(from), P(to), P(movement.Value)]);
        await using var row = await command.ExecuteReaderAsync(ct);
        var postings = new List<Posting>();
        while (await row.ReadAsync(ct))
        {
            postings.Add(new Posting
            {
                Key = key,
                Movement = movement,
                Version = row.GetInt64(0),
                Kind = (PostingKind)row.GetInt16(1),
                EffectiveAt = row.GetFieldValue<DateTime>(2),
                RecordedAt = row.GetFieldValue<DateTime>(3),
                Available = row.GetFieldValue<Int128>(4),
                Incoming = row.GetFieldValue<Int128>(5),
                Held = row.GetFieldValue<Int128>(6),
                External = row.GetFieldValue<Int128>(7),
                Fee = row.GetFieldValue<Int128>(8),
                Transfer = row.GetFieldValue<Int128>(9),
                Deficit = row.GetFieldValue<Int128>(10),
                AvailableAfter = row.GetFieldValue<Int128>(11),
                IncomingAfter = row.GetFieldValue<Int128>(12),
                HeldAfter = row.GetFieldValue<Int128>(13),
                Hash = row.GetFieldValue<byte[]>(14),
            });
        }

        return postings;
    }

    private static ListedMovement Read(NpgsqlDataReader row, AccountId account)
    {
        var movement = ReadMovement(row, account);
        var hash = movement.Kind == MovementKind.Deposit ? DepositHash(movement.Reference.Text) : row.IsDBNull(13) ? null : row.GetString(13);
        return new ListedMovement(movement, hash);
    }

    /// <summary>Deposits are known by chain:txid:kind:ordinal, where the chain's name may hold colons; what else has that form is a key of a test.</summary>
    private static string? DepositHash(string reference) => reference.Split(':') is [_, .., { Length: > 0 } hash, _, _] ? hash : null;

    private static Movement ReadMovement(NpgsqlDataReader row, AccountId account) => new()
    {
        Account = account,
        Id = new MovementId(row.GetGuid(0)),
        Kind = (MovementKind)row.GetInt16(1),
        State = (MovementState)row.GetInt16(2),
        Wallet = new WalletId(row.GetGuid(3)),
        ToWallet = row.IsDBNull(4) ? null : new WalletId(row.GetGuid(4)),
        Currency = row.GetString(5),
        Amount = row.GetFieldValue<Int128>(6),
        Fee = row.GetFieldValue<Int128>(7),
        Sighting = row.GetInt16(8),
        EffectiveAt = row.GetFieldValue<DateTime>(9),
        UpdatedAt = row.GetFieldValue<DateTime>(10),
        Reference = Reference.Of(row.GetString(11)),
        Description = row.IsDBNull(12) ? null : row.GetString(12),
    };
}
