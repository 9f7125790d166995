using System.Numerics;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Payments;

/// <summary>Which payments are wanted, newest first.</summary>
/// <param name="Before">Only ids below this one.</param>
/// <param name="From">Only ids from this one on.</param>
internal sealed record PaymentFilter(Guid Before, Guid From, string? Currency, string? OrderId, string? CustomId, Guid[]? Wallets);

/// <summary>The statements on payments: the only writer of payment.</summary>
internal static class PaymentSql
{
    public const string OrderIdConstraint = "payment_order_id_is_unique";
    public const string CustomIdConstraint = "payment_custom_id_is_unique";
    public const string RequestConstraint = "payment_request_is_once";

    private const string Columns = """
        id, wallet_id, address_id, currency, amount, price_cents, rate, order_id, custom_id, description, callback_url, idempotency_key,
        created_at, expires_at
        """;

    public static async Task Insert(this Tx tx, AccountId account, short shard, Payment payment, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"""
            INSERT INTO payment (shard, account_id, {Columns})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(shard), P(account.Value), P(payment.Id), P(payment.Wallet.Value), P(payment.AddressId), P(payment.Currency),
                Maybe(payment.Amount, NpgsqlDbType.Numeric), Maybe(payment.PriceCents, NpgsqlDbType.Numeric),
                Maybe(payment.Rate?.Scaled, NpgsqlDbType.Numeric), Maybe(payment.OrderId, NpgsqlDbType.Text),
                Maybe(payment.CustomId, NpgsqlDbType.Text), Maybe(payment.Description, NpgsqlDbType.Text),
                Maybe(payment.CallbackUrl, NpgsqlDbType.Text), Maybe(payment.IdempotencyKey, NpgsqlDbType.Text),
                P(payment.CreatedAt.UtcDateTime), P(payment.ExpiresAt.UtcDateTime),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task<Payment?> FindPayment(this Db db, AccountId account, short shard, Guid id, CancellationToken ct) =>
        (await Read(db, $"SELECT {Columns} FROM payment WHERE shard = $1 AND account_id = $2 AND id = $3", ct,
            P(shard), P(account.Value), P(id))).FirstOrDefault();

    /// <summary>The payment that a request with this Idempotency-Key made; null when there is none.</summary>
    public static async Task<Payment?> FindPaymentOf(this Db db, AccountId account, short shard, string key, CancellationToken ct) =>
        (await Read(db, $"SELECT {Columns} FROM payment WHERE shard = $1 AND account_id = $2 AND idempotency_key = $3", ct,
            P(shard), P(account.Value), P(key))).FirstOrDefault();

    /// <summary>Which of the caller's own names is taken already; null for none.</summary>
    public static async Task<string?> TakenName(this Db db, AccountId account, short shard, string? orderId, string? customId, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT 'order_id' FROM payment WHERE shard = $1 AND account_id = $2 AND order_id = $3
            UNION ALL SELECT 'custom_id' FROM payment WHERE shard = $1 AND account_id = $2 AND custom_id = $4 LIMIT 1
            """, P(shard), P(account.Value), Maybe(orderId, NpgsqlDbType.Text), Maybe(customId, NpgsqlDbType.Text));
        return (string?)await command.ExecuteScalarAsync(ct);
    }

    public static Task<List<Payment>> Payments(this Db db, AccountId account, short shard, PaymentFilter filter, int limit, CancellationToken ct) =>
        Read(db, $"""
            SELECT {Columns} FROM payment
            WHERE shard = $1 AND account_id = $2 AND id < $3 AND id >= $4 AND ($5::text IS NULL OR currency = $5)
                AND ($6::text IS NULL OR order_id = $6) AND ($7::text IS NULL OR custom_id = $7) AND ($8::uuid[] IS NULL OR wallet_id = ANY($8))
            ORDER BY id DESC LIMIT $9
            """, ct, P(shard), P(account.Value), P(filter.Before), P(filter.From), Maybe(filter.Currency, NpgsqlDbType.Text),
            Maybe(filter.OrderId, NpgsqlDbType.Text), Maybe(filter.CustomId, NpgsqlDbType.Text),
            Maybe(filter.Wallets, NpgsqlDbType.Array | NpgsqlDbType.Uuid), P(limit));

    /// <summary>Everything that came, or is about to come, to these addresses of an account; oldest first.</summary>
    public static async Task<List<PaymentReceipt>> Receipts(this Db db, AccountId account, IReadOnlyList<string> addresses, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT d.address, d.tx_id, CASE WHEN d.reason IS NOT NULL AND d.state <> 3 THEN 4 ELSE d.state END, d.currency, d.amount, d.height,
                CASE WHEN d.state = 3 THEN 0 ELSE greatest(0, c.height - d.height + 1) END, d.reason, least(d.block_time, d.seen_at), d.ordinal
            FROM chain_deposit d JOIN chain_cursor c ON c.chain = d.chain
            WHERE d.address = ANY($1) AND d.account_id = $2
            UNION ALL
            SELECT m.address, m.tx_id, 0, m.currency, m.amount, NULL, 0, NULL, m.seen_at, m.ordinal
            FROM chain_mempool m WHERE m.address = ANY($1) AND m.account_id = $2
                AND NOT EXISTS (SELECT FROM chain_deposit d WHERE d.chain = m.chain AND d.tx_id = m.tx_id AND d.kind = m.kind
                    AND d.ordinal = m.ordinal AND d.state <> 3)
            ORDER BY 9, 2, 10
            """);
        command.Parameters.Add(P(addresses, a => a));
        command.Parameters.Add(P(account.Value));
        var receipts = new List<PaymentReceipt>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            receipts.Add(new PaymentReceipt(row.GetString(0), row.GetString(1), State(row.GetInt32(2)), row.IsDBNull(3) ? null : row.GetString(3),
                row.GetFieldValue<BigInteger>(4), row.IsDBNull(5) ? null : row.GetInt64(5), row.GetInt64(6),
                row.IsDBNull(7) ? null : row.GetString(7), row.GetFieldValue<DateTime>(8)));
        return receipts;
    }

    /// <summary>The wallet's id: the given one if it is the account's, the default one for null; null when there is none.</summary>
    public static async Task<WalletId?> WalletFor(this Db db, AccountId account, short shard, Guid? wallet, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT id FROM wallet WHERE shard = $1 AND account_id = $2 AND CASE WHEN $3::uuid IS NULL THEN is_default ELSE id = $3 END
            """);
        command.Parameters.Add(P(shard));
        command.Parameters.Add(P(account.Value));
        command.Parameters.Add(Maybe(wallet, NpgsqlDbType.Uuid));
        return await command.ExecuteScalarAsync(ct) is Guid id ? new WalletId(id) : null;
    }

    /// <summary>The newest price of a currency, and when it was set; null when there is none.</summary>
    public static async Task<(UsdPrice Price, DateTimeOffset At)?> NewestPrice(this Db db, string currency, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT usd, at FROM rate_hour WHERE currency = $1 ORDER BY hour DESC LIMIT 1");
        command.Parameters.Add(P(currency));
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? (new UsdPrice(row.GetFieldValue<Int128>(0)), row.GetFieldValue<DateTime>(1)) : null;
    }

    private static async Task<List<Payment>> Read(Db db, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = db.Reads.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        var payments = new List<Payment>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            payments.Add(new Payment(row.GetGuid(0), new WalletId(row.GetGuid(1)), row.GetGuid(2), row.GetString(3), row.GetFieldValue<Int128>(4),
                row.IsDBNull(5) ? null : row.GetFieldValue<Int128>(5), row.IsDBNull(6) ? null : new UsdPrice(row.GetFieldValue<Int128>(6)),
                Text(row, 7), Text(row, 8), Text(row, 9), Text(row, 10), Text(row, 11), row.GetFieldValue<DateTime>(12),
                row.GetFieldValue<DateTime>(13)));
        return payments;
    }

    private static PaymentDepositState State(int number) => number switch
    {
        0 => PaymentDepositState.Mempool,
        1 => PaymentDepositState.Confirming,
        2 => PaymentDepositState.Credited,
        3 => PaymentDepositState.Orphaned,
        _ => PaymentDepositState.NotCredited,
    };

    private static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}
