using Coffer.Server.Sql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Payments;

/// <summary>A payment that may stand otherwise than its account was told.</summary>
/// <param name="Told">What was told last: <see cref="TellPayments.Told"/>.</param>
internal sealed record UntoldPayment(short Shard, AccountId Account, Guid Id, string Told);

/// <summary>The statements on what was told of payments: the only writer of payment_told.</summary>
internal static class PaymentToldSql
{
    /// <summary>A new payment: nothing is told of it before something comes, or its time is over.</summary>
    public static Task Expect(this Tx tx, AccountId account, short shard, Payment payment, string address, CancellationToken ct) => tx.Do("""
        INSERT INTO payment_told (shard, account_id, payment_id, address, told, look_at) VALUES ($1, $2, $3, $4, $5, $6)
        """, ct, P(shard), P(account.Value), P(payment.Id), P(address), P(TellPayments.NothingTold), P(payment.ExpiresAt.UtcDateTime));

    /// <summary>
    /// Something has come to these addresses, or is there no more: the payments that they belong to are looked at when this commits. Called in
    /// the transaction that writes it down. Rows are locked in their order.
    /// </summary>
    public static Task LookAgain(this Tx tx, IReadOnlyList<(AccountId Account, string Address)> paid, CancellationToken ct)
    {
        if (paid.Count == 0)
            return Task.CompletedTask;
        List<(AccountId Account, string Address)> once = [.. paid.Distinct()];
        return tx.Do("""
            WITH found AS MATERIALIZED (
                SELECT t.shard, t.account_id, t.payment_id FROM unnest($1::uuid[], $2::text[]) AS k(account_id, address)
                JOIN payment_told t ON t.address = k.address AND t.account_id = k.account_id
                ORDER BY t.shard, t.account_id, t.payment_id FOR UPDATE OF t)
            UPDATE payment_told t SET look_at = '-infinity' FROM found f
            WHERE t.shard = f.shard AND t.account_id = f.account_id AND t.payment_id = f.payment_id
            """, ct, P(once, one => one.Account.Value), P(once, one => one.Address));
    }

    /// <summary>Locks what is due, passing over what others look at now. Changes beneath it wait until this transaction has ended.</summary>
    public static async Task<List<UntoldPayment>> LockUntold(this Tx tx, DateTimeOffset now, int most, CancellationToken ct)
    {
        await using var command = tx.Command("""
            SELECT shard, account_id, payment_id, told FROM payment_told WHERE look_at < $1 ORDER BY look_at LIMIT $2 FOR UPDATE SKIP LOCKED
            """, P(now.UtcDateTime), P(most));
        var untold = new List<UntoldPayment>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            untold.Add(new UntoldPayment(row.GetInt16(0), new AccountId(row.GetGuid(1)), row.GetGuid(2), row.GetString(3)));
        return untold;
    }

    /// <summary>What is told of these now, and when to look again; null for when something comes.</summary>
    public static Task KeepTold(
        this Tx tx, IReadOnlyList<(UntoldPayment Payment, string Told, DateTimeOffset? LookAt)> looked, CancellationToken ct)
    {
        var times = P(looked, one => one.LookAt?.UtcDateTime);
        times.NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz;
        return tx.Do("""
            UPDATE payment_told t SET told = k.told, look_at = k.look_at
            FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[]) AS k(shard, account_id, payment_id, told, look_at)
            WHERE t.shard = k.shard AND t.account_id = k.account_id AND t.payment_id = k.payment_id
            """, ct, P(looked, one => one.Payment.Shard), P(looked, one => one.Payment.Account.Value), P(looked, one => one.Payment.Id),
            P(looked, one => one.Told), times);
    }
}
