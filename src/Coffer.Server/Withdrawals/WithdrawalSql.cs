using Coffer.Ledger;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>The statements of withdrawals, the only writer of the table of that name.</summary>
internal static class WithdrawalSql
{
    private const string Select = """
        SELECT id, state, wallet_id, currency, amount, network_fee, transaction_fee, address, custom_id, callback_url, tx_id, tx_bytes,
            sent_at, created_at, updated_at, reference_text, reference, request, idempotency_key
        FROM accepted_withdrawal WHERE shard = $1 AND account_id = $2
        """;

    private const string Filter = """
        AND ($3::smallint IS NULL OR state = $3) AND ($4::boolean IS NULL OR (sent_at IS NOT NULL) = $4)
        AND ($5::text IS NULL OR currency = $5) AND ($6::text IS NULL OR custom_id = $6) AND ($7::uuid[] IS NULL OR wallet_id = ANY($7))
        """;

    private const string Key = "WHERE shard = $1 AND account_id = $2 AND reference = $3 AND request = $4";

    /// <summary>Keeps the facts of a request that the ledger is asked for next; what the ledger has accepted stays as it is.</summary>
    public static async Task Keep(this Tx tx, short shard, RequestWithdrawal command, WithdrawalFacts facts, CancellationToken ct)
    {
        await using var insert = tx.Command("""
            INSERT INTO withdrawal (shard, account_id, reference, request, created_at, wallet_id, currency, amount, network_fee,
                transaction_fee, address, custom_id, callback_url, idempotency_key, finished)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, false)
            ON CONFLICT (shard, account_id, reference, request) DO UPDATE SET created_at = excluded.created_at,
                callback_url = excluded.callback_url, idempotency_key = excluded.idempotency_key
            WHERE NOT EXISTS (SELECT FROM movement m WHERE m.shard = $1 AND m.reference = $3)
            """, P(shard), P(command.Account.Value), P(command.Reference.DigestIn(command.Account)), P(facts.RequestOf(command)),
            P(facts.CreatedAt.UtcDateTime), P(command.Wallet.Value), P(command.Currency.Code), P(command.Amount), P(facts.NetworkFee),
            P(facts.TransactionFee), P(command.Destination), P(facts.CustomId), P(facts.CallbackUrl),
            P(facts.IdempotencyKey));
        await insert.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Forgets the facts of a request that the ledger has just refused, unless it has accepted an equal one.</summary>
    public static async Task Forget(this Tx tx, short shard, RequestWithdrawal command, WithdrawalFacts facts, CancellationToken ct)
    {
        await using var delete = tx.Command($"""
            DELETE FROM withdrawal {Key} AND NOT EXISTS (SELECT FROM accepted_withdrawal a
                WHERE a.shard = $1 AND a.account_id = $2 AND a.reference = $3 AND a.request = $4)
            """, P(shard), P(command.Account.Value), P(command.Reference.DigestIn(command.Account)), P(facts.RequestOf(command)));
        await delete.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The wallet to pay from, or the default wallet; null when the account has none with this id.</summary>
    public static async Task<WalletId?> WithdrawalWallet(this Db db, short shard, AccountId account, WalletId? wallet, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT id FROM wallet WHERE shard = $1 AND account_id = $2 AND CASE WHEN $3::uuid IS NULL THEN is_default ELSE id = $3 END
            """);
        command.Parameters.Add(P(shard));
        command.Parameters.Add(P(account.Value));
        command.Parameters.Add(P(wallet?.Value));
        return await command.ExecuteScalarAsync(ct) is Guid id ? new WalletId(id) : null;
    }

    /// <summary>Keeps the bytes that pay it, before anybody else sees them; answers those that are kept, by whomever.</summary>
    public static async Task<byte[]> KeepBytes(this Tx tx, short shard, AccountId account, Withdrawal withdrawal, string txId, byte[] bytes,
        CancellationToken ct)
    {
        await using var command = tx.Command($"""
            UPDATE withdrawal SET tx_id = coalesce(tx_id, $5), tx_bytes = coalesce(tx_bytes, $6) {Key} RETURNING tx_bytes
            """, P(shard), P(account.Value), P(withdrawal.Reference), P(withdrawal.Request), P(txId), P(bytes));
        return (byte[])(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>A node has taken the bytes.</summary>
    public static async Task MarkSent(
        this Tx tx, short shard, AccountId account, Withdrawal withdrawal, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = tx.Command($"UPDATE withdrawal SET sent_at = $5 {Key} AND tx_id IS NOT NULL AND sent_at IS NULL",
            P(shard), P(account.Value), P(withdrawal.Reference), P(withdrawal.Request), P(now.UtcDateTime));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The ledger has settled it or let it fail.</summary>
    public static async Task MarkFinished(this Tx tx, short shard, AccountId account, Withdrawal withdrawal, CancellationToken ct)
    {
        await using var command = tx.Command($"UPDATE withdrawal SET finished = true {Key}",
            P(shard), P(account.Value), P(withdrawal.Reference), P(withdrawal.Request));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Forgets requests of before that time that the ledger never accepted.</summary>
    public static async Task ForgetRefused(this Tx tx, short shard, AccountId account, DateTimeOffset before, CancellationToken ct)
    {
        await using var command = tx.Command("""
            DELETE FROM withdrawal w WHERE shard = $1 AND account_id = $2 AND NOT finished AND tx_id IS NULL AND created_at < $3
                AND NOT EXISTS (SELECT FROM accepted_withdrawal a WHERE a.shard = w.shard AND a.account_id = w.account_id
                    AND a.reference = w.reference AND a.request = w.request)
            """, P(shard), P(account.Value), P(before.UtcDateTime));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What no node has taken yet, oldest first.</summary>
    public static Task<List<Withdrawal>> UnsentWithdrawals(
        this Db db, short shard, AccountId account, int countMax, CancellationToken ct) =>
        Read(db, $"{Select} AND sent_at IS NULL AND NOT finished ORDER BY id LIMIT $3", ct, P(shard), P(account.Value), P(countMax));

    /// <summary>What was sent and is not finished, in the order of the ids after <paramref name="after"/>.</summary>
    public static Task<List<Withdrawal>> SentWithdrawals(
        this Db db, short shard, AccountId account, Guid after, int countMax, CancellationToken ct) =>
        Read(db, $"{Select} AND sent_at IS NOT NULL AND NOT finished AND id > $3 ORDER BY id LIMIT $4", ct,
            P(shard), P(account.Value), P(after), P(countMax));

    /// <summary>The withdrawal with this id; null when it is nobody's or somebody else's.</summary>
    public static async Task<Withdrawal?> FindWithdrawal(this Db db, short shard, AccountId account, Guid id, CancellationToken ct)
    {
        var found = await Read(db, $"{Select} AND id = $3", ct, P(shard), P(account.Value), P(id));
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>One page, newest first.</summary>
    public static Task<List<Withdrawal>> ListWithdrawals(this Db db, short shard, AccountId account, WithdrawalFilter filter,
        int limit, int offset, CancellationToken ct) =>
        Read(db, $"{Select} {Filter} ORDER BY id DESC LIMIT $8 OFFSET $9", ct, [.. Filters(shard, account, filter), P(limit), P(offset)]);

    public static async Task<long> CountWithdrawals(
        this Db db, short shard, AccountId account, WithdrawalFilter filter, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(
            $"SELECT count(*) FROM accepted_withdrawal WHERE shard = $1 AND account_id = $2 {Filter}");
        foreach (var parameter in Filters(shard, account, filter))
            command.Parameters.Add(parameter);
        return (long)(await command.ExecuteScalarAsync(ct))!;
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

    private static NpgsqlParameter[] Filters(short shard, AccountId account, WithdrawalFilter filter) =>
    [
        P(shard), P(account.Value), P((short?)filter.State), P(filter.Sent), P(filter.Currency), P(filter.CustomId), P(filter.Wallets),
    ];

    private static async Task<List<Withdrawal>> Read(Db db, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = db.Reads.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        var found = new List<Withdrawal>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found.Add(new Withdrawal
            {
                Id = new MovementId(row.GetGuid(0)),
                State = (MovementState)row.GetInt16(1),
                Wallet = new WalletId(row.GetGuid(2)),
                Currency = row.GetString(3),
                Amount = row.GetFieldValue<Int128>(4),
                NetworkFee = row.GetFieldValue<Int128>(5),
                TransactionFee = row.GetFieldValue<Int128>(6),
                Address = row.GetString(7),
                CustomId = row.IsDBNull(8) ? null : row.GetString(8),
                CallbackUrl = row.IsDBNull(9) ? null : row.GetString(9),
                TxId = row.IsDBNull(10) ? null : row.GetString(10),
                TxBytes = row.IsDBNull(11) ? null : row.GetFieldValue<byte[]>(11),
                SentAt = row.IsDBNull(12) ? null : row.GetFieldValue<DateTime>(12),
                CreatedAt = row.GetFieldValue<DateTime>(13),
                UpdatedAt = row.GetFieldValue<DateTime>(14),
                ReferenceText = row.GetString(15),
                Reference = row.GetGuid(16),
                Request = row.GetGuid(17),
                IdempotencyKey = row.IsDBNull(18) ? null : row.GetString(18),
            });
        return found;
    }

    private static NpgsqlCommand Command(this Tx tx, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlCommand(sql, tx.Connection, tx.Transaction);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }
}
