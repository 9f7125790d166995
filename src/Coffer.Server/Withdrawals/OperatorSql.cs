using Coffer.Server.Sql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>An account's own limits of a currency as the operator has set them; null where the currency file's hold.</summary>
internal sealed record OwnLimits(string Currency, WithdrawalLimits Limits, string ChangedBy, DateTimeOffset ChangedAt);

/// <summary>An address of an account's list.</summary>
internal sealed record ListedAddress(string Network, string Address, string Name, string AddedBy, DateTimeOffset AddedAt, DateTimeOffset PayableAt);

/// <summary>What is said about an account as a whole; see <c>withdrawal_account</c>.</summary>
internal sealed record AccountSwitches(bool Frozen, string? Reason, string? ChangedBy, DateTimeOffset? ChangedAt, bool AddressesOnly,
    int AddressWaitHours)
{
    /// <summary>The wait of an address that is added, when nothing was said.</summary>
    public const int WaitHoursUsual = 24;

    public static readonly AccountSwitches None = new(false, null, null, null, false, WaitHoursUsual);
}

/// <summary>
/// The statements by which the operator says what is allowed: the only writer of withdrawal_gate, withdrawal_account, withdrawal_limit and
/// withdrawal_address. Every change begins with <see cref="HoldGates"/>.
/// </summary>
internal static class OperatorSql
{
    /// <summary>Waits for what is under way in these shards, and lets nothing begin until the transaction ends; null for every shard.</summary>
    public static async Task HoldGates(this Tx tx, short? shard, CancellationToken ct)
    {
        await using var command = tx.Command("""
            SELECT shard FROM withdrawal_gate WHERE shard = coalesce($1, shard) ORDER BY shard FOR UPDATE
            """, Maybe(shard, NpgsqlDbType.Smallint));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Freezes all accounts, or opens them again; those that are frozen themselves stay so.</summary>
    public static Task SetGates(this Tx tx, bool frozen, string? reason, string by, DateTimeOffset now, CancellationToken ct) => tx.Do("""
        UPDATE withdrawal_gate SET frozen = $1, reason = $2, changed_by = $3, changed_at = $4
        """, ct, P(frozen), Maybe(reason, NpgsqlDbType.Text), P(by), P(now.UtcDateTime));

    /// <summary>Freezes an account, or opens it again.</summary>
    public static Task SetFrozen(this Tx tx, short shard, AccountId account, bool frozen, string? reason, string by, DateTimeOffset now,
        CancellationToken ct) => tx.Do("""
        INSERT INTO withdrawal_account AS a (shard, account_id, frozen, reason, changed_by, changed_at, addresses_only, address_wait_hours)
        VALUES ($1, $2, $3, $4, $5, $6, false, $7)
        ON CONFLICT (shard, account_id) DO UPDATE SET frozen = excluded.frozen, reason = excluded.reason, changed_by = excluded.changed_by,
            changed_at = excluded.changed_at
        """, ct, P(shard), P(account.Value), P(frozen), Maybe(reason, NpgsqlDbType.Text), P(by), P(now.UtcDateTime),
        P(AccountSwitches.WaitHoursUsual));

    /// <summary>Says whether an account pays only the addresses of its list, and how long new ones wait; null leaves the wait as it is.</summary>
    public static Task SetAddressesOnly(this Tx tx, short shard, AccountId account, bool only, int? waitHours, CancellationToken ct) => tx.Do("""
        INSERT INTO withdrawal_account AS a (shard, account_id, frozen, addresses_only, address_wait_hours)
        VALUES ($1, $2, false, $3, coalesce($4, $5))
        ON CONFLICT (shard, account_id) DO UPDATE SET addresses_only = excluded.addresses_only,
            address_wait_hours = coalesce($4, a.address_wait_hours)
        """, ct, P(shard), P(account.Value), P(only), Maybe(waitHours, NpgsqlDbType.Integer), P(AccountSwitches.WaitHoursUsual));

    /// <summary>How long an address that is added has to wait.</summary>
    public static async Task<int> AddressWaitHours(this Tx tx, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = tx.Command("SELECT address_wait_hours FROM withdrawal_account WHERE shard = $1 AND account_id = $2",
            P(shard), P(account.Value));
        return (int?)await command.ExecuteScalarAsync(ct) ?? AccountSwitches.WaitHoursUsual;
    }

    /// <summary>Puts an address on an account's list; false when it is there already, which changes nothing.</summary>
    public static async Task<bool> AddAddress(this Tx tx, short shard, AccountId account, ListedAddress address, CancellationToken ct) =>
        await tx.Do("""
            INSERT INTO withdrawal_address (shard, account_id, network, address, name, added_by, added_at, payable_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (shard, account_id, network, address) DO NOTHING
            """, ct, P(shard), P(account.Value), P(address.Network), P(address.Address), P(address.Name), P(address.AddedBy),
            P(address.AddedAt.UtcDateTime), P(address.PayableAt.UtcDateTime)) == 1;

    /// <summary>Takes an address off an account's list; false when it is not there.</summary>
    public static async Task<bool> RemoveAddress(
        this Tx tx, short shard, AccountId account, string network, string address, CancellationToken ct) => await tx.Do("""
            DELETE FROM withdrawal_address WHERE shard = $1 AND account_id = $2 AND network = $3 AND address = $4
            """, ct, P(shard), P(account.Value), P(network), P(address)) == 1;

    /// <summary>Sets an account's own limits; those that are null are the currency file's again.</summary>
    public static Task SetLimits(this Tx tx, short shard, AccountId account, OwnLimits own, CancellationToken ct) => tx.Do("""
        INSERT INTO withdrawal_limit (shard, account_id, currency, maximum, day_maximum, approval_above, changed_by, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (shard, account_id, currency) DO UPDATE SET maximum = excluded.maximum, day_maximum = excluded.day_maximum,
            approval_above = excluded.approval_above, changed_by = excluded.changed_by, changed_at = excluded.changed_at
        """, ct, P(shard), P(account.Value), P(own.Currency), Maybe(own.Limits.Maximum, NpgsqlDbType.Numeric),
        Maybe(own.Limits.DayMaximum, NpgsqlDbType.Numeric), Maybe(own.Limits.ApprovalAbove, NpgsqlDbType.Numeric), P(own.ChangedBy),
        P(own.ChangedAt.UtcDateTime));
}
