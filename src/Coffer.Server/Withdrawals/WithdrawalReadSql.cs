using Coffer.Server.Auth;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>Who wants to pay, by the hash of his credential, from which wallet (null for the default one), and to whom.</summary>
/// <param name="Simulated">The receiver's address on a simulated chain.</param>
/// <param name="Family">The family of the real chain's addresses.</param>
/// <param name="Address">The receiver's address there; empty for none.</param>
internal readonly record struct PayerQuestion(byte[] Hash, Guid? Wallet, string Simulated, string Family, string Address);

/// <summary>What the database says about a credential and a wallet of its account; null when the account has no such wallet.</summary>
/// <param name="OwnAddress">Whether the receiver's address is one that this server gave out.</param>
internal sealed record Payer(CredentialRow Credential, Guid? Wallet, bool OwnAddress);

/// <summary>The statements that only read withdrawals, and what is asked before one is made.</summary>
internal static class WithdrawalReadSql
{
    private const string Payers = $"""
        SELECT k.i, w.id, o.family IS NOT NULL, {CredentialSql.Columns}
        FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
            AS k(hash, wallet_id, simulated, family, address, i)
        CROSS JOIN LATERAL (SELECT * FROM credential WHERE hash = k.hash OFFSET 0) c
        LEFT JOIN LATERAL (
            SELECT id FROM wallet WHERE shard = c.shard AND account_id = c.account_id AND id = k.wallet_id
            UNION ALL
            SELECT id FROM wallet WHERE k.wallet_id IS NULL AND shard = c.shard AND account_id = c.account_id AND is_default) w ON true
        LEFT JOIN LATERAL (
            SELECT family FROM chain_address WHERE family = CASE c.mode WHEN 1 THEN 'sim:' || c.account_id ELSE k.family END
                AND address = CASE c.mode WHEN 1 THEN k.simulated ELSE k.address END OFFSET 0) o ON true
        """;

    private const string Range = "WHERE w.shard = $1 AND w.account_id = $2 AND w.id >= $3 AND w.id < $4";

    /// <summary>For each question the credential with that hash and the wallet; null where there is no such credential.</summary>
    public static async Task<Payer?[]> FindPayers(this Db db, IReadOnlyList<PayerQuestion> questions)
    {
        await using var command = db.Lanes.CreateCommand(Payers);
        command.Parameters.Add(P(questions, q => q.Hash));
        command.Parameters.Add(P(questions, q => q.Wallet));
        command.Parameters.Add(P(questions, q => q.Simulated));
        command.Parameters.Add(P(questions, q => q.Family));
        command.Parameters.Add(P(questions, q => q.Address));
        await using var row = await command.ExecuteReaderAsync();
        var payers = new Payer?[questions.Count];
        while (await row.ReadAsync())
            payers[row.GetInt64(0) - 1] =
                new Payer(CredentialSql.Read(row, 3), row.IsDBNull(1) ? null : row.GetGuid(1), row.GetBoolean(2));
        return payers;
    }

    /// <summary>The withdrawal with this id; null when it is nobody's or somebody else's.</summary>
    public static async Task<Withdrawal?> FindWithdrawal(this Db db, short shard, AccountId account, Guid id, CancellationToken ct)
    {
        var found = await Rows(db, $"{WithdrawalSql.Select} WHERE w.shard = $1 AND w.account_id = $2 AND w.id = $3", ct,
            P(shard), P(account.Value), P(id));
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>The account's wallet with this id, or its default one; null when it has none such.</summary>
    public static async Task<Guid?> WalletOf(this Db db, short shard, AccountId account, Guid? wallet, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(wallet is null
            ? "SELECT id FROM wallet WHERE shard = $1 AND account_id = $2 AND is_default"
            : "SELECT id FROM wallet WHERE shard = $1 AND account_id = $2 AND id = $3");
        command.Parameters.Add(P(shard));
        command.Parameters.Add(P(account.Value));
        if (wallet is { } id)
            command.Parameters.Add(P(id));
        return (Guid?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>The withdrawal that was made with this Idempotency-Key; null when there is none.</summary>
    public static async Task<Withdrawal?> FindWithdrawal(this Db db, short shard, AccountId account, string key)
    {
        var found = await Rows(db, $"{WithdrawalSql.Select} WHERE w.shard = $1 AND w.account_id = $2 AND w.idempotency_key = $3",
            CancellationToken.None, P(shard), P(account.Value), P(key));
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>The withdrawal with this id, whosever: a look into each account, for the operator.</summary>
    public static async Task<Withdrawal?> FindWithdrawal(this Db db, Guid id, CancellationToken ct)
    {
        var found = await Rows(db, $"""
            {WithdrawalSql.Select} WHERE (w.shard, w.account_id, w.id) IN (
                SELECT f.shard, f.account_id, f.id FROM account a
                CROSS JOIN LATERAL (SELECT shard, account_id, id FROM withdrawal
                    WHERE shard = a.shard AND account_id = a.id AND id = $1 OFFSET 0) f)
            """, ct, P(id));
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>The oldest withdrawals that have not ended, of all accounts, for the operator; null for no condition.</summary>
    public static Task<List<Withdrawal>> OpenWithdrawals(this Db db, WithdrawalState? state, string? waitsFor, int countMax, CancellationToken ct) =>
        Rows(db, $"""
            {WithdrawalSql.Select} WHERE w.state IN (1, 2, 3, 4, 5, 10) AND ($1::smallint IS NULL OR w.state = $1)
                AND ($2::text IS NULL OR w.waits_for = $2) ORDER BY w.id LIMIT $3
            """, ct, Maybe((short?)state, NpgsqlDbType.Smallint), Maybe(waitsFor, NpgsqlDbType.Text), P(countMax));

    /// <summary>One page, by the order of the ids.</summary>
    public static Task<List<Withdrawal>> ListWithdrawals(this Db db, short shard, AccountId account, WithdrawalFilter filter, bool newestFirst,
        int limit, int offset, CancellationToken ct) =>
        Rows(db, $"{WithdrawalSql.Select} {Where(filter)} ORDER BY w.id {(newestFirst ? "DESC" : "ASC")} LIMIT $10 OFFSET $11", ct,
            [.. Filters(shard, account, filter), P(limit), P(offset)]);

    public static async Task<long> CountWithdrawals(
        this Db db, short shard, AccountId account, WithdrawalFilter filter, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"SELECT count(*) FROM withdrawal w {Where(filter)}");
        command.Parameters.AddRange(Filters(shard, account, filter));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>How high the follower of a chain is; null before it began.</summary>
    public static async Task<long?> HeightOf(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT height FROM chain_cursor WHERE chain = $1");
        command.Parameters.Add(P(chain));
        return (long?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>Blocks from this one up to where the follower is, both included; 0 when the follower knows no such block.</summary>
    public static async Task<long> ConfirmationsOf(this Db db, string chain, long height, string hash, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT c.height - b.height + 1 FROM chain_cursor c JOIN chain_block b ON b.chain = c.chain
            WHERE c.chain = $1 AND b.height = $2 AND b.hash = $3
            """);
        command.Parameters.Add(P(chain));
        command.Parameters.Add(P(height));
        command.Parameters.Add(P(hash));
        return (long?)await command.ExecuteScalarAsync(ct) ?? 0;
    }

    /// <summary>
    /// What may be paid on a chain, the oldest first but what waits for something last, and whether the ledger was asked for just that.
    /// What the signer has refused comes again when it was refused before the time given.
    /// </summary>
    public static async Task<List<(Withdrawal Row, bool Proven)>> PayableWithdrawals(
        this Db db, string chain, DateTimeOffset refusedBefore, int most, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"""
            SELECT {WithdrawalSql.Columns}, (SELECT m.amount = w.amount AND m.fee = w.network_fee + w.transaction_fee
                    AND m.description = w.address AND m.state = 4 AND m.kind = 2 AND m.currency = w.currency
                FROM movement m WHERE m.shard = w.shard AND m.account_id = w.account_id AND m.id = w.id)
            FROM withdrawal w {WithdrawalSql.Movement}
            WHERE w.chain = $1 AND w.state IN (1, 2) AND {WithdrawalSql.Payable}
                AND (w.waits_for IS NULL OR w.updated_at < $2
                    OR w.waits_for NOT IN ('{WaitingFor.Signer}', '{WaitingFor.Limit}', '{WaitingFor.Fee}', '{WaitingFor.Ledger}',
                        '{WaitingFor.Frozen}'))
            ORDER BY w.waits_for IS NOT NULL, w.id LIMIT $3
            """);
        command.Parameters.Add(P(chain));
        command.Parameters.Add(P(refusedBefore.UtcDateTime));
        command.Parameters.Add(P(most));
        await using var rows = await command.ExecuteReaderAsync(ct);
        var found = new List<(Withdrawal, bool)>();
        while (await rows.ReadAsync(ct))
            found.Add((WithdrawalSql.Read(rows), !rows.IsDBNull(rows.FieldCount - 1) && rows.GetBoolean(rows.FieldCount - 1)));
        return found;
    }

    /// <summary>The withdrawals that payouts pay, in the order of their outputs.</summary>
    public static async Task<List<(Guid Payout, Withdrawal Row)>> WithdrawalsOf(this Db db, IReadOnlyList<Guid> payouts, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"""
            SELECT {WithdrawalSql.Columns}, l.payout_id FROM unnest($1::uuid[]) AS k(id)
            JOIN payout_withdrawal l ON l.payout_id = k.id AND l.live
            JOIN withdrawal w ON w.shard = l.shard AND w.account_id = l.account_id AND w.id = l.withdrawal_id {WithdrawalSql.Movement}
            ORDER BY l.payout_id, l.ordinal
            """);
        command.Parameters.Add(P(payouts, id => id));
        await using var rows = await command.ExecuteReaderAsync(ct);
        var found = new List<(Guid, Withdrawal)>();
        while (await rows.ReadAsync(ct))
            found.Add((rows.GetGuid(rows.FieldCount - 1), WithdrawalSql.Read(rows)));
        return found;
    }

    /// <summary>Only the conditions that are wanted, so that a custom_id is found by its index and not among all.</summary>
    private static string Where(WithdrawalFilter filter) => string.Concat(Range,
        filter.State is null ? "" : " AND w.state = $5", filter.Currency is null ? "" : " AND w.currency = $6",
        filter.Currencies is null ? "" : " AND w.currency = ANY ($7)", filter.CustomId is null ? "" : " AND w.custom_id = $8",
        filter.Wallets is null ? "" : " AND w.wallet_id = ANY ($9)");

    private static NpgsqlParameter[] Filters(short shard, AccountId account, WithdrawalFilter filter) =>
    [
        P(shard), P(account.Value), P(filter.From), P(filter.Before), Maybe((short?)filter.State, NpgsqlDbType.Smallint),
        Maybe(filter.Currency, NpgsqlDbType.Text), Maybe(filter.Currencies?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text),
        Maybe(filter.CustomId, NpgsqlDbType.Text), Maybe(filter.Wallets?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid),
    ];

    private static async Task<List<Withdrawal>> Rows(Db db, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = db.Reads.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        var found = new List<Withdrawal>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found.Add(WithdrawalSql.Read(row));
        return found;
    }
}
