using System.Data;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>What a wallet could withdraw of a currency, but for the fees.</summary>
/// <param name="Currency">The currency.</param>
/// <param name="Available">What the wallet has.</param>
/// <param name="Own">The account's own limits; null for those of the currency file.</param>
/// <param name="Today">What the account's withdrawals of the newest day come to; null before the first.</param>
internal sealed record Withdrawable(string Currency, Int128 Available, WithdrawalLimits? Own, DaySum? Today);

/// <summary>The statements that only read what the operator allows: to show it, never to decide by it.</summary>
internal static class PolicyReadSql
{
    /// <summary>Why everybody is frozen, and who said so; null when nobody is but for himself.</summary>
    public static async Task<(string Reason, string By, DateTimeOffset At)?> FrozenAll(this Db db, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(
            "SELECT reason, changed_by, changed_at FROM withdrawal_gate WHERE shard = 0 AND frozen");
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await row.ReadAsync(ct) ? (row.GetString(0), row.GetString(1), row.GetFieldValue<DateTime>(2)) : null;
    }

    public static async Task<AccountSwitches> Switches(this Db db, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT frozen, reason, changed_by, changed_at, addresses_only, address_wait_hours FROM withdrawal_account
            WHERE shard = $1 AND account_id = $2
            """, P(shard), P(account.Value));
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return !await row.ReadAsync(ct) ? AccountSwitches.None : new(row.GetBoolean(0), row.IsDBNull(1) ? null : row.GetString(1),
            row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : row.GetFieldValue<DateTime>(3), row.GetBoolean(4), row.GetInt32(5));
    }

    /// <summary>The account's own limits, by currency.</summary>
    public static async Task<List<OwnLimits>> Limits(this Db db, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT currency, maximum, day_maximum, approval_above, changed_by, changed_at FROM withdrawal_limit
            WHERE shard = $1 AND account_id = $2 ORDER BY currency
            """, P(shard), P(account.Value));
        await using var row = await command.ExecuteReaderAsync(ct);
        var limits = new List<OwnLimits>();
        while (await row.ReadAsync(ct))
            limits.Add(new OwnLimits(row.GetString(0), ReadLimits(row, 1), row.GetString(4), row.GetFieldValue<DateTime>(5)));
        return limits;
    }

    /// <summary>The account's list of addresses.</summary>
    public static async Task<List<ListedAddress>> ListedAddresses(this Db db, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT network, address, name, added_by, added_at, payable_at FROM withdrawal_address
            WHERE shard = $1 AND account_id = $2 ORDER BY network, address
            """, P(shard), P(account.Value));
        await using var row = await command.ExecuteReaderAsync(ct);
        var list = new List<ListedAddress>();
        while (await row.ReadAsync(ct))
        {
            list.Add(new ListedAddress(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetFieldValue<DateTime>(4),
                row.GetFieldValue<DateTime>(5)));
        }

        return list;
    }

    /// <summary>What an account's withdrawals of a currency come to on the newest day; null before the first.</summary>
    public static async Task<DaySum?> DayOf(this Db db, short shard, AccountId account, string currency, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT day, amount FROM withdrawal_day WHERE shard = $1 AND account_id = $2 AND currency = $3
            """, P(shard), P(account.Value), P(currency));
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await row.ReadAsync(ct) ? new DaySum(row.GetFieldValue<DateOnly>(0), row.GetFieldValue<Int128>(1)) : null;
    }

    /// <summary>What a wallet has above zero, with what limits it, by currency.</summary>
    public static async Task<List<Withdrawable>> Withdrawables(this Db db, short shard, AccountId account, Guid wallet, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT b.currency, b.available, l.currency IS NOT NULL, l.maximum, l.day_maximum, l.approval_above, d.day, d.amount
            FROM balance b
            LEFT JOIN withdrawal_limit l ON l.shard = b.shard AND l.account_id = b.account_id AND l.currency = b.currency
            LEFT JOIN withdrawal_day d ON d.shard = b.shard AND d.account_id = b.account_id AND d.currency = b.currency
            WHERE b.shard = $1 AND b.account_id = $2 AND b.wallet_id = $3 AND b.available > 0 ORDER BY b.currency
            """, P(shard), P(account.Value), P(wallet));
        await using var row = await command.ExecuteReaderAsync(ct);
        var list = new List<Withdrawable>();
        while (await row.ReadAsync(ct))
        {
            list.Add(new Withdrawable(row.GetString(0), row.GetFieldValue<Int128>(1), row.GetBoolean(2) ? ReadLimits(row, 3) : null,
                row.IsDBNull(6) ? null : new DaySum(row.GetFieldValue<DateOnly>(6), row.GetFieldValue<Int128>(7))));
        }

        return list;
    }

    private static WithdrawalLimits ReadLimits(NpgsqlDataReader row, int at) => new(Units(row, at), Units(row, at + 1), Units(row, at + 2));

    private static Int128? Units(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetFieldValue<Int128>(at);
}
