using Coffer.Server.Events;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// The statements that write withdrawals, the only ones, and those that find them for it. Those on a <see cref="Round"/> are part of a
/// ledger transaction; the others change what the ledger has no part in, and say in their condition from which state on.
/// </summary>
internal static class WithdrawalSql
{
    /// <summary>The rows as <see cref="Read"/> reads them; conditions follow.</summary>
    public const string Select = $"SELECT {Columns} FROM withdrawal w {Movement}";

    public const string Columns = """
        w.shard, w.account_id, w.id, w.state, w.chain, w.wallet_id, w.currency, w.amount, w.network_fee, w.transaction_fee, w.fees_on_top,
        w.address, w.custom_id, w.idempotency_key, w.callback_url, w.request, w.requested_by, w.needs_approval, w.decided_by, w.decided_at,
        w.waits_for, w.reason, w.tx_id, w.network_fee_paid, w.block_height, w.created_at, w.updated_at, w.completed_at, m.reference_text
        """;

    public const string Movement = """
        CROSS JOIN LATERAL (
            SELECT reference_text FROM movement WHERE shard = w.shard AND account_id = w.account_id AND id = w.id OFFSET 0) m
        """;

    private const string Key = "WHERE shard = $1 AND account_id = $2 AND id = $3";

    // What may be planned now. Everything else, a freeze or a limit, belongs here too, so that it holds for a plan in the making.
    public const string Payable = "(w.state = 2 OR (w.state = 1 AND NOT w.needs_approval))";

    private const string These = """
        FROM unnest($1::smallint[], $2::uuid[], $3::uuid[]) AS k(shard, account_id, id)
        WHERE w.shard = k.shard AND w.account_id = k.account_id AND w.id = k.id
        """;

    // In the order of their keys, so that nobody waits for each other in a circle.
    private const string Was = """
        WITH was AS MATERIALIZED (
            SELECT w.shard, w.account_id, w.id, w.state, w.tx_id
            FROM unnest($1::smallint[], $2::uuid[], $3::uuid[]) AS k(shard, account_id, id)
            JOIN withdrawal w ON w.shard = k.shard AND w.account_id = k.account_id AND w.id = k.id
            ORDER BY w.shard, w.account_id, w.id FOR UPDATE OF w)
        """;

    private const string InsertRows = """
        INSERT INTO withdrawal (shard, account_id, id, state, chain, wallet_id, currency, amount, network_fee, transaction_fee, fees_on_top,
            address, custom_id, idempotency_key, callback_url, request, requested_by, needs_approval, waits_for, created_at, updated_at)
        SELECT $1, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::smallint[]), unnest($5::text[]), unnest($6::uuid[]),
            unnest($7::text[]), unnest($8::numeric[]), unnest($9::numeric[]), unnest($10::numeric[]), unnest($11::boolean[]),
            unnest($12::text[]), unnest($13::text[]), unnest($14::text[]), unnest($15::text[]), unnest($16::uuid[]), unnest($17::text[]),
            unnest($18::boolean[]), unnest($19::text[]), unnest($20::timestamptz[]), unnest($21::timestamptz[])
        """;

    private const string FinishRow = $"""
        UPDATE withdrawal SET state = $4, reason = $5, waits_for = NULL, updated_at = $6, completed_at = $7,
            decided_by = coalesce($8, decided_by), decided_at = coalesce($9, decided_at),
            network_fee_paid = coalesce($10, network_fee_paid), block_height = $11
        {Key}
        """;

    /// <summary>The withdrawals of these accounts with these Idempotency-Keys.</summary>
    public static void FindByKeys(this Round round, short shard, IReadOnlyList<(AccountId Account, string Key)> keys, Action<Withdrawal> found) =>
        FindBy(round, "idempotency_key", shard, keys, found);

    /// <summary>The withdrawals of these accounts with these custom_ids.</summary>
    public static void FindByCustomIds(this Round round, short shard, IReadOnlyList<(AccountId Account, string CustomId)> ids,
        Action<Withdrawal> found) => FindBy(round, "custom_id", shard, ids, found);

    /// <summary>Locks the withdrawals in the order given, which is that of their keys.</summary>
    public static void LockWithdrawals(this Round round, short shard, IReadOnlyList<(Guid Account, Guid Id)> keys, Action<Withdrawal> found) =>
        round.Add(row => found(Read(row)), $"""
            SELECT {Columns} FROM unnest($2::uuid[], $3::uuid[]) AS k(account_id, id)
            CROSS JOIN LATERAL (SELECT * FROM withdrawal WHERE shard = $1 AND account_id = k.account_id AND id = k.id FOR UPDATE) w {Movement}
            """, P(shard), P(keys, k => k.Account), P(keys, k => k.Id));

    /// <summary>Writes new withdrawals.</summary>
    public static void Insert(this Round round, short shard, IReadOnlyList<Withdrawal> rows) => round.Add(InsertRows, P(shard),
        P(rows, w => w.Account.Value), P(rows, w => w.Id.Value), P(rows, w => (short)w.State), P(rows, w => w.Chain),
        P(rows, w => w.Wallet.Value), P(rows, w => w.Currency), P(rows, w => w.Amount), P(rows, w => w.NetworkFee),
        P(rows, w => w.TransactionFee), P(rows, w => w.FeesOnTop), P(rows, w => w.Address), P(rows, w => w.CustomId),
        P(rows, w => w.IdempotencyKey), P(rows, w => w.CallbackUrl), P(rows, w => w.Request), P(rows, w => w.RequestedBy),
        P(rows, w => w.NeedsApproval), P(rows, w => w.WaitsFor), P(rows, w => w.CreatedAt.UtcDateTime), P(rows, w => w.UpdatedAt.UtcDateTime));

    /// <summary>Writes what a posting has done to a withdrawal.</summary>
    public static void Finish(this Round round, Withdrawal row) => round.Add(FinishRow, P(row.Shard), P(row.Account.Value), P(row.Id.Value),
        P((short)row.State), P(row.Reason), P(row.UpdatedAt.UtcDateTime), P(row.CompletedAt?.UtcDateTime), P(row.DecidedBy),
        P(row.DecidedAt?.UtcDateTime), P(row.NetworkFeePaid), P(row.BlockHeight));

    /// <summary>A plan pays these; answers how many of them were still to be paid.</summary>
    public static Task<int> Process(
        this Tx tx, IReadOnlyList<Withdrawal> rows, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        Change(tx, "state = 3, waits_for = NULL, updated_at = $4", Payable, rows, currencies, ct, P(now.UtcDateTime));

    /// <summary>Why nothing happens to these now. Said again it is a new time only for what was refused, so that it is asked again later.</summary>
    public static Task Wait(this Tx tx, IReadOnlyList<Withdrawal> rows, string word, DateTimeOffset now, CancellationToken ct) =>
        tx.Do($"UPDATE withdrawal w SET waits_for = $5, updated_at = $4 {These} AND w.state IN (1, 2, 3, 4, 10)", ct,
            P(rows, row => row.Shard), P(rows, row => row.Account.Value), P(rows, row => row.Id.Value), P(now.UtcDateTime), P(word));

    /// <inheritdoc cref="Wait(Tx, IReadOnlyList{Withdrawal}, string, DateTimeOffset, CancellationToken)"/>
    public static Task Wait(this Tx tx, Withdrawal row, string word, DateTimeOffset now, CancellationToken ct) =>
        row.WaitsFor == word && word is WaitingFor.Funds or WaitingFor.Gas ? Task.CompletedTask : tx.Wait([row], word, now, ct);

    /// <summary>The transaction that pays these has this id now.</summary>
    public static Task Name(
        this Tx tx, IReadOnlyList<Withdrawal> rows, string txId, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        Change(tx, "tx_id = $5, waits_for = NULL, updated_at = $4", "w.state IN (3, 4, 10)", rows, currencies, ct, P(now.UtcDateTime), P(txId));

    /// <summary>A node has the transaction that pays these, in no block.</summary>
    public static Task Submit(
        this Tx tx, IReadOnlyList<Withdrawal> rows, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        Change(tx, "state = 4, block_height = NULL, updated_at = $4", "w.state IN (3, 5, 10)", rows, currencies, ct, P(now.UtcDateTime));

    /// <summary>Nobody knows whether these are paid.</summary>
    public static Task Doubt(
        this Tx tx, IReadOnlyList<Withdrawal> rows, string? reason, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        Change(tx, "state = 10, reason = coalesce($5, w.reason), updated_at = $4", "w.state IN (3, 4)", rows, currencies, ct,
            P(now.UtcDateTime), P(reason));

    /// <summary>The transaction that pays these is in a block.</summary>
    public static Task Confirm(this Tx tx, IReadOnlyList<Withdrawal> rows, string txId, long height, Currencies currencies,
        DateTimeOffset now, CancellationToken ct) =>
        Change(tx, "state = 5, tx_id = $5, block_height = $6, waits_for = NULL, updated_at = $4", "w.state IN (3, 4, 5, 10)", rows,
            currencies, ct, P(now.UtcDateTime), P(txId), P(height));

    /// <summary>It is proven that the plan for these will never pay them.</summary>
    public static Task PayableAgain(
        this Tx tx, IReadOnlyList<Withdrawal> rows, string? waits, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        Change(tx, """
            state = CASE WHEN w.needs_approval THEN 2 ELSE 1 END, tx_id = NULL, block_height = NULL, waits_for = $5, updated_at = $4
            """, "w.state IN (3, 4, 10)", rows, currencies, ct, P(now.UtcDateTime), P(waits));

    /// <summary>Lets it be paid, when it waits for that.</summary>
    public static Task Approve(this Tx tx, Withdrawal row, string by, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        Change(tx, "state = 2, decided_by = $5, decided_at = $4, updated_at = $4, waits_for = NULL",
            "w.state = 1 AND w.needs_approval AND w.decided_by IS NULL", [row], currencies, ct, P(now.UtcDateTime), P(by));

    /// <summary>
    /// Changes those of the rows that the condition holds for, and tells of each whose status or transaction is another one then. Answers
    /// how many were changed.
    /// </summary>
    private static async Task<int> Change(Tx tx, string change, string condition, IReadOnlyList<Withdrawal> rows, Currencies currencies,
        CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = tx.Command($"""
            {Was},
            w AS (UPDATE withdrawal w SET {change} FROM was
                WHERE w.shard = was.shard AND w.account_id = was.account_id AND w.id = was.id AND {condition}
                RETURNING w.*, (w.state, w.tx_id) IS DISTINCT FROM (was.state, was.tx_id) AS is_news)
            SELECT {Columns}, w.is_news FROM w {Movement} ORDER BY w.shard, w.account_id, w.id
            """, [P(rows, row => row.Shard), P(rows, row => row.Account.Value), P(rows, row => row.Id.Value), .. parameters]);
        var changed = 0;
        var news = new List<(short Shard, NewEvent Event)>();
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            for (; await row.ReadAsync(ct); changed++)
            {
                if (!row.GetBoolean(row.FieldCount - 1))
                    continue;
                var withdrawal = Read(row);
                news.Add((withdrawal.Shard, WithdrawalEvent.Of(withdrawal, currencies.Find(withdrawal.Currency))));
            }
        }

        // Whoever changes a withdrawal still has other rows to lock.
        if (news.Count > 0)
            tx.AtEnd(token => tx.Write(news, token));
        return changed;
    }

    /// <summary>Reads a row of <see cref="Select"/>.</summary>
    public static Withdrawal Read(NpgsqlDataReader row) => new()
    {
        Shard = row.GetInt16(0),
        Account = new AccountId(row.GetGuid(1)),
        Id = new MovementId(row.GetGuid(2)),
        State = (WithdrawalState)row.GetInt16(3),
        Chain = row.GetString(4),
        Wallet = new WalletId(row.GetGuid(5)),
        Currency = row.GetString(6),
        Amount = row.GetFieldValue<Int128>(7),
        NetworkFee = row.GetFieldValue<Int128>(8),
        TransactionFee = row.GetFieldValue<Int128>(9),
        FeesOnTop = row.GetBoolean(10),
        Address = row.GetString(11),
        CustomId = row.IsDBNull(12) ? null : row.GetString(12),
        IdempotencyKey = row.IsDBNull(13) ? null : row.GetString(13),
        CallbackUrl = row.IsDBNull(14) ? null : row.GetString(14),
        Request = row.IsDBNull(15) ? null : row.GetGuid(15),
        RequestedBy = row.IsDBNull(16) ? null : row.GetString(16),
        NeedsApproval = row.GetBoolean(17),
        DecidedBy = row.IsDBNull(18) ? null : row.GetString(18),
        DecidedAt = row.IsDBNull(19) ? null : row.GetFieldValue<DateTime>(19),
        WaitsFor = row.IsDBNull(20) ? null : row.GetString(20),
        Reason = row.IsDBNull(21) ? null : row.GetString(21),
        TxId = row.IsDBNull(22) ? null : row.GetString(22),
        NetworkFeePaid = row.IsDBNull(23) ? null : row.GetFieldValue<Int128>(23),
        BlockHeight = row.IsDBNull(24) ? null : row.GetInt64(24),
        CreatedAt = row.GetFieldValue<DateTime>(25),
        UpdatedAt = row.GetFieldValue<DateTime>(26),
        CompletedAt = row.IsDBNull(27) ? null : row.GetFieldValue<DateTime>(27),
        Reference = Coffer.Ledger.Reference.Of(row.GetString(28)),
    };

    private static void FindBy(Round round, string column, short shard, IReadOnlyList<(AccountId Account, string Name)> names,
        Action<Withdrawal> found) => round.Add(row => found(Read(row)), $"""
            SELECT {Columns} FROM unnest($2::uuid[], $3::text[]) AS k(account_id, name)
            CROSS JOIN LATERAL (
                SELECT * FROM withdrawal WHERE shard = $1 AND account_id = k.account_id AND {column} = k.name OFFSET 0) w {Movement}
            """, P(shard), P(names, k => k.Account.Value), P(names, k => k.Name));
}
