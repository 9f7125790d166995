using System.Numerics;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Alerts;

/// <summary>What alerts are looked up by in a ledger transaction.</summary>
internal readonly record struct AlertKey(AccountId Account, string Currency);

/// <summary>The statements on alerts; the only writer of alert and alert_gate. See <c>0016_alerts.sql</c> for the order of locks.</summary>
internal static class AlertSql
{
    private const string Columns = """
        account_id, currency, id, wallet_id, threshold, recovery, recovery_is_usual, state, state_since, available, created_at, updated_at
        """;

    private const string InsertAlerts = $"""
        INSERT INTO alert (shard, {Columns})
        SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::numeric[], $7::numeric[], $8::boolean[], $9::smallint[],
            $10::timestamptz[], $11::numeric[], $12::timestamptz[], $13::timestamptz[])
        """;

    // Of d, which says what is watched: what left since $2 and since $3, and what is on its way. A wallet's hours are found one by one,
    // because the hours of an account may be those of thousands of wallets.
    private const string OutflowOfWatched = """
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(withdrawals) FILTER (WHERE hour >= $2), 0) AS day, coalesce(sum(withdrawals), 0) AS week FROM (
                SELECT hour, withdrawals FROM flow_hour
                WHERE d.wallet_id IS NULL AND shard = $1 AND account_id = d.account_id AND currency = d.currency AND hour >= $3
                UNION ALL
                SELECT w.hour, w.withdrawals FROM generate_series($3, $2 + interval '23 hours', interval '1 hour') AS h(at)
                CROSS JOIN LATERAL (SELECT hour, withdrawals FROM flow_hour WHERE shard = $1 AND account_id = d.account_id
                    AND currency = d.currency AND hour = h.at AND wallet_id = d.wallet_id OFFSET 0) w
                WHERE d.wallet_id IS NOT NULL) hours) f
        CROSS JOIN LATERAL (
            SELECT coalesce((SELECT held FROM balance
                    WHERE shard = $1 AND account_id = d.account_id AND wallet_id = d.wallet_id AND currency = d.currency),
                (SELECT sum(held) FROM balance
                    WHERE d.wallet_id IS NULL AND shard = $1 AND account_id = d.account_id AND currency = d.currency), 0) AS held) h
        """;

    // d is what may become low: the others cost no more than this look at them.
    private const string Outflows = $"""
        SELECT d.i, d.id, f.day + h.held, f.week + h.held
        FROM (
            SELECT k.i, k.account_id, k.currency, a.id, a.wallet_id
            FROM unnest($4::uuid[], $5::text[], $6::numeric[], $7::boolean[]) WITH ORDINALITY AS k(account_id, currency, debit, credits, i)
            CROSS JOIN LATERAL (
                SELECT id, wallet_id, threshold, state, available FROM alert
                WHERE shard = $1 AND account_id = k.account_id AND currency = k.currency OFFSET 0) a
            CROSS JOIN LATERAL (
                SELECT coalesce(a.available, (SELECT available FROM balance
                    WHERE shard = $1 AND account_id = k.account_id AND wallet_id = a.wallet_id AND currency = k.currency), 0) AS now) b
            WHERE b.now - k.debit < a.threshold AND (a.state = 1 OR k.credits)
            OFFSET 0) d
        {OutflowOfWatched}
        """;

    private const string Views = $"""
        SELECT d.*, coalesce(d.available, (SELECT available FROM balance
            WHERE shard = $1 AND account_id = d.account_id AND wallet_id = d.wallet_id AND currency = d.currency), 0),
            f.day + h.held, f.week + h.held
        FROM (SELECT {Columns} FROM alert WHERE shard = $1 AND account_id = $4 AND ($5::uuid IS NULL OR id = $5)
            AND ($6::text IS NULL OR currency = $6) AND ($7::uuid IS NULL OR wallet_id = $7)
            ORDER BY created_at, id LIMIT $8 OFFSET $9) d
        {OutflowOfWatched}
        ORDER BY d.created_at, d.id
        """;

    /// <summary>Lets no alert be made in the shard until the transaction ends.</summary>
    public static void HoldAlertGate(this Round round, short shard) => round.Add(static _ => { },
        "SELECT shard FROM alert_gate WHERE shard = $1 FOR SHARE", P(shard));

    /// <summary>Locks the alerts of these accounts and currencies, in the order given.</summary>
    public static void LockAlerts(this Round round, short shard, IReadOnlyList<AlertKey> keys, Action<Alert> found) =>
        round.Add(row => found(Read(row)), $"""
            SELECT a.* FROM unnest($2::uuid[], $3::text[]) AS k(account_id, currency)
            CROSS JOIN LATERAL (
                SELECT {Columns} FROM alert WHERE shard = $1 AND account_id = k.account_id AND currency = k.currency ORDER BY id FOR UPDATE) a
            """, P(shard), P(keys, k => k.Account.Value), P(keys, k => k.Currency));

    /// <summary>What left lately where an alert may become low by so much.</summary>
    public static void LoadOutflows(this Round round, short shard, IReadOnlyList<AlertKey> keys, IReadOnlyList<Reach> reaches,
        DateTimeOffset now, Action<Guid, AlertKey, Outflow> found) => round.Add(
            row => found(row.GetGuid(1), keys[(int)row.GetInt64(0) - 1],
                new Outflow(row.GetFieldValue<BigInteger>(2), row.GetFieldValue<BigInteger>(3))),
            Outflows, [P(shard), .. Windows(now), P(keys, k => k.Account.Value), P(keys, k => k.Currency), P(reaches, r => r.Debit),
                P(reaches, r => r.Credits)]);

    /// <summary>Writes alerts that are locked as they are now.</summary>
    public static void StoreAlerts(this Round round, short shard, IReadOnlyList<Alert> alerts) => round.Add($"""
        {InsertAlerts}
        ON CONFLICT (shard, account_id, currency, id) DO UPDATE SET state = excluded.state, state_since = excluded.state_since,
            available = excluded.available
        """, Parameters(shard, alerts));

    /// <summary>Waits for the ledger transactions of the shard that are under way, and lets none begin until this one ends.</summary>
    public static Task CloseAlertGate(this Tx tx, short shard, CancellationToken ct) =>
        tx.Do("SELECT shard FROM alert_gate WHERE shard = $1 FOR UPDATE", ct, P(shard));

    /// <summary>Every alert of the account.</summary>
    public static async Task<List<Alert>> Alerts(this Tx tx, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = tx.Command($"SELECT {Columns} FROM alert WHERE shard = $1 AND account_id = $2", P(shard), P(account.Value));
        await using var rows = await command.ExecuteReaderAsync(ct);
        var alerts = new List<Alert>();
        while (await rows.ReadAsync(ct))
            alerts.Add(Read(rows));
        return alerts;
    }

    /// <summary>Locks an alert; null when the account has none with this id.</summary>
    public static async Task<Alert?> LockAlert(this Tx tx, short shard, AccountId account, Guid id, CancellationToken ct)
    {
        await using var command = tx.Command($"SELECT {Columns} FROM alert WHERE shard = $1 AND account_id = $2 AND id = $3 FOR UPDATE",
            P(shard), P(account.Value), P(id));
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row) : null;
    }

    /// <summary>What is available in a wallet, or in all wallets of the account together.</summary>
    public static async Task<BigInteger> Available(this Tx tx, short shard, AlertKey key, WalletId? wallet, CancellationToken ct)
    {
        await using var command = tx.Command("""
            SELECT coalesce(sum(available), 0) FROM balance
            WHERE shard = $1 AND account_id = $2 AND currency = $3 AND ($4::uuid IS NULL OR wallet_id = $4)
            """, P(shard), P(key.Account.Value), P(key.Currency), Maybe(wallet?.Value, NpgsqlDbType.Uuid));
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return row.GetFieldValue<BigInteger>(0);
    }

    public static Task InsertAlert(this Tx tx, short shard, Alert alert, CancellationToken ct) =>
        tx.Do(InsertAlerts, ct, Parameters(shard, [alert]));

    /// <summary>Writes everything that its owner may change, and the state that comes of it.</summary>
    public static Task UpdateAlert(this Tx tx, short shard, Alert alert, CancellationToken ct) => tx.Do($"""
        {InsertAlerts}
        ON CONFLICT (shard, account_id, currency, id) DO UPDATE SET threshold = excluded.threshold, recovery = excluded.recovery,
            recovery_is_usual = excluded.recovery_is_usual, state = excluded.state, state_since = excluded.state_since,
            updated_at = excluded.updated_at
        """, ct, Parameters(shard, [alert]));

    /// <summary>False when the account has none with this id.</summary>
    public static async Task<bool> DeleteAlert(this Tx tx, short shard, AccountId account, Guid id, CancellationToken ct) =>
        await tx.Do("DELETE FROM alert WHERE shard = $1 AND account_id = $2 AND id = $3", ct, P(shard), P(account.Value), P(id)) == 1;

    /// <summary>Alerts with what they watch, oldest first, in one snapshot.</summary>
    public static async Task<List<AlertView>> AlertViews(this Db db, short shard, AccountId account, AlertFilter filter, DateTimeOffset now,
        CancellationToken ct)
    {
        await using var command = db.Command(Views, [P(shard), .. Windows(now), P(account.Value), Maybe(filter.Id, NpgsqlDbType.Uuid),
            Maybe(filter.Currency, NpgsqlDbType.Text), Maybe(filter.Wallet, NpgsqlDbType.Uuid), P(filter.Limit), P(filter.Offset)]);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var views = new List<AlertView>();
        while (await rows.ReadAsync(ct))
            views.Add(new AlertView(Read(rows), rows.GetFieldValue<BigInteger>(12),
                new Outflow(rows.GetFieldValue<BigInteger>(13), rows.GetFieldValue<BigInteger>(14))));
        return views;
    }

    /// <summary>How many alerts a list without its limit would have.</summary>
    public static async Task<long> CountAlerts(this Db db, short shard, AccountId account, AlertFilter filter, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT count(*) FROM alert WHERE shard = $1 AND account_id = $2 AND ($3::text IS NULL OR currency = $3)
                AND ($4::uuid IS NULL OR wallet_id = $4)
            """, P(shard), P(account.Value), Maybe(filter.Currency, NpgsqlDbType.Text), Maybe(filter.Wallet, NpgsqlDbType.Uuid));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private static NpgsqlParameter[] Windows(DateTimeOffset now)
    {
        var (day, week) = Forecast.Windows(now);
        return [P(day.UtcDateTime), P(week.UtcDateTime)];
    }

    private static Alert Read(NpgsqlDataReader row) => new(new AccountId(row.GetGuid(0)), row.GetString(1), row.GetGuid(2),
        row.IsDBNull(3) ? null : new WalletId(row.GetGuid(3)), row.GetFieldValue<Int128>(4), row.GetFieldValue<Int128>(5), row.GetBoolean(6),
        (AlertState)row.GetInt16(7), row.GetFieldValue<DateTime>(8), row.IsDBNull(9) ? null : row.GetFieldValue<BigInteger>(9),
        row.GetFieldValue<DateTime>(10), row.GetFieldValue<DateTime>(11));

    private static NpgsqlParameter[] Parameters(short shard, IReadOnlyList<Alert> rows)
    {
        var sums = P(rows, a => a.Sum);
        sums.NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Numeric;
        return
        [
            P(shard), P(rows, a => a.Account.Value), P(rows, a => a.Currency), P(rows, a => a.Id), P(rows, a => a.Wallet?.Value),
            P(rows, a => a.Threshold), P(rows, a => a.Recovery), P(rows, a => a.RecoveryIsUsual), P(rows, a => (short)a.State),
            P(rows, a => a.StateSince.UtcDateTime), sums, P(rows, a => a.CreatedAt.UtcDateTime), P(rows, a => a.UpdatedAt.UtcDateTime),
        ];
    }
}

/// <summary>Which alerts of an account, and how many of them.</summary>
internal sealed record AlertFilter(Guid? Id, string? Currency, Guid? Wallet, int Limit, int Offset);
