using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>What the operator has said of one account's withdrawals in one currency to one address.</summary>
/// <param name="Frozen">Whether this account is frozen.</param>
/// <param name="AddressesOnly">Whether only the addresses of its list may be paid.</param>
/// <param name="Own">Its own limits; null for those of the currency file.</param>
/// <param name="PayableAt">From when the address may be paid, which is on the list; null: it is not.</param>
internal sealed record AccountPolicy(bool Frozen, bool AddressesOnly, WithdrawalLimits? Own, DateTimeOffset? PayableAt);

/// <summary>Whose withdrawals, of what, to where: what a policy is looked up by.</summary>
internal readonly record struct PolicyKey(AccountId Account, string Currency, string Network, string Address);

/// <summary>What an account's withdrawals of a currency come to on the newest day.</summary>
internal readonly record struct DayKey(AccountId Account, string Currency);

/// <summary>What a day has seen, see <c>withdrawal_day</c>.</summary>
internal readonly record struct DaySum(DateOnly Day, Int128 Amount);

/// <summary>
/// The statements on what the operator allows that are part of the transactions which make withdrawals and plan their payment; the only
/// writer of <c>withdrawal_day</c>. See <c>0013_withdrawal_policy.sql</c> for the order of locks.
/// </summary>
internal static class PolicySql
{
    private const string Policies = """
        SELECT k.i, a.frozen, a.addresses_only, l.currency IS NOT NULL, l.maximum, l.day_maximum, l.approval_above, p.payable_at
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS k(account_id, currency, network, address, i)
        LEFT JOIN LATERAL (SELECT frozen, addresses_only FROM withdrawal_account
            WHERE shard = $1 AND account_id = k.account_id OFFSET 0) a ON true
        LEFT JOIN LATERAL (SELECT currency, maximum, day_maximum, approval_above FROM withdrawal_limit
            WHERE shard = $1 AND account_id = k.account_id AND currency = k.currency OFFSET 0) l ON true
        LEFT JOIN LATERAL (SELECT payable_at FROM withdrawal_address
            WHERE shard = $1 AND account_id = k.account_id AND network = k.network AND address = k.address OFFSET 0) p ON true
        WHERE a.frozen IS NOT NULL OR l.currency IS NOT NULL
        """;

    private const string InsertDayRows = """
        INSERT INTO withdrawal_day AS d (shard, account_id, currency, day, amount)
        SELECT $1, unnest($2::uuid[]), unnest($3::text[]), unnest($4::date[]), unnest($5::numeric[])
        """;

    /// <summary>Holds the shard's gate open, or finds it closed, until the transaction ends. Comes before <see cref="LoadPolicies"/>.</summary>
    public static void LockGate(this Round round, short shard, Action<bool> frozen) => round.Add(row => frozen(row.GetBoolean(0)),
        "SELECT frozen FROM withdrawal_gate WHERE shard = $1 FOR SHARE", P(shard));

    /// <summary>What is said about these; nothing for those about which nothing is.</summary>
    public static void LoadPolicies(this Round round, short shard, IReadOnlyList<PolicyKey> keys, Action<int, AccountPolicy> found) =>
        round.Add(row => found((int)row.GetInt64(0) - 1, Read(row)), Policies, P(shard), P(keys, k => k.Account.Value),
            P(keys, k => k.Currency), P(keys, k => k.Network), P(keys, k => k.Address));

    /// <summary>Locks the sums in the order given, which is that of their keys.</summary>
    public static void LockDays(this Round round, short shard, IReadOnlyList<DayKey> keys, Action<DayKey, DaySum> found) =>
        round.Add(row => found(keys[(int)row.GetInt64(0) - 1], new DaySum(row.GetFieldValue<DateOnly>(1), row.GetFieldValue<Int128>(2))), """
            SELECT k.i, d.day, d.amount FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS k(account_id, currency, i)
            CROSS JOIN LATERAL (
                SELECT day, amount FROM withdrawal_day WHERE shard = $1 AND account_id = k.account_id AND currency = k.currency FOR UPDATE) d
            """, P(shard), P(keys, k => k.Account.Value), P(keys, k => k.Currency));

    /// <summary>When the withdrawals were made whose movements have these references.</summary>
    public static void LoadCreations(this Round round, short shard, IReadOnlyList<Guid> digests, Action<int, DateTimeOffset> found) =>
        round.Add(row => found((int)row.GetInt64(0) - 1, row.GetFieldValue<DateTime>(1)), """
            SELECT k.i, w.created_at FROM unnest($2::uuid[]) WITH ORDINALITY AS k(reference, i)
            CROSS JOIN LATERAL (SELECT account_id, id FROM movement WHERE shard = $1 AND reference = k.reference OFFSET 0) m
            CROSS JOIN LATERAL (SELECT created_at FROM withdrawal WHERE shard = $1 AND account_id = m.account_id AND id = m.id OFFSET 0) w
            """, P(shard), P(digests, digest => digest));

    /// <summary>Sums that were not there: if somebody else has added one meanwhile, its key refuses ours.</summary>
    public static void InsertDays(this Round round, short shard, IReadOnlyList<(DayKey Key, DaySum Sum)> rows) =>
        round.Add(InsertDayRows, DayColumns(shard, rows));

    /// <summary>Sums that were locked.</summary>
    public static void UpdateDays(this Round round, short shard, IReadOnlyList<(DayKey Key, DaySum Sum)> rows) => round.Add($"""
        {InsertDayRows} ON CONFLICT (shard, account_id, currency) DO UPDATE SET day = excluded.day, amount = excluded.amount
        """, DayColumns(shard, rows));

    /// <summary>
    /// Which of these accounts may not withdraw now; until the transaction ends, no other becomes frozen. For the transaction that plans.
    /// </summary>
    public static async Task<HashSet<AccountId>> LockFrozen(
        this Tx tx, IReadOnlyCollection<(short Shard, AccountId Account)> accounts, CancellationToken ct)
    {
        short[] shards = [.. accounts.Select(a => a.Shard).Distinct().Order()];
        var closed = new HashSet<short>();
        var frozen = new HashSet<AccountId>();
        await using var round = new Round(tx);
        // Every row is read here: a condition would let the planner lock only those that are frozen already.
        round.Add(row => _ = row.GetBoolean(1) && closed.Add(row.GetInt16(0)), """
            SELECT g.shard, g.frozen FROM unnest($1::smallint[]) AS k(shard)
            CROSS JOIN LATERAL (SELECT shard, frozen FROM withdrawal_gate WHERE shard = k.shard FOR SHARE) g
            """, P(shards));
        round.Add(row => frozen.Add(new AccountId(row.GetGuid(0))), """
            SELECT a.account_id FROM unnest($1::smallint[], $2::uuid[]) AS k(shard, account_id)
            CROSS JOIN LATERAL (
                SELECT account_id, frozen FROM withdrawal_account WHERE shard = k.shard AND account_id = k.account_id OFFSET 0) a WHERE a.frozen
            """, P(accounts.Select(a => a.Shard).ToArray()), P(accounts.Select(a => a.Account.Value).ToArray()));
        await round.Run(ct);
        frozen.UnionWith(accounts.Where(a => closed.Contains(a.Shard)).Select(a => a.Account));
        return frozen;
    }

    private static AccountPolicy Read(NpgsqlDataReader row) => new(!row.IsDBNull(1) && row.GetBoolean(1), !row.IsDBNull(2) && row.GetBoolean(2),
        row.GetBoolean(3) ? new WithdrawalLimits(Units(row, 4), Units(row, 5), Units(row, 6)) : null,
        row.IsDBNull(7) ? null : row.GetFieldValue<DateTime>(7));

    private static Int128? Units(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetFieldValue<Int128>(at);

    private static NpgsqlParameter[] DayColumns(short shard, IReadOnlyList<(DayKey Key, DaySum Sum)> rows) =>
    [
        P(shard), P(rows, r => r.Key.Account.Value), P(rows, r => r.Key.Currency), P(rows, r => r.Sum.Day),
        P(rows, r => r.Sum.Amount),
    ];
}
