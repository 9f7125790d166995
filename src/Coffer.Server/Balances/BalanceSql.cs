using Coffer.Server.Auth;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;

namespace Coffer.Server.Balances;

/// <summary>Which wallet is asked for, and by which credential.</summary>
internal readonly record struct WalletQuestion(byte[] Hash, Guid Wallet);

/// <summary>One line of <c>/wallets/balances</c>.</summary>
internal readonly record struct WalletLine(string Currency, Int128 Available, Int128 Incoming, Int128 Held);

/// <summary>What the database says about a credential and a wallet of its account.</summary>
internal sealed record WalletView(CredentialRow Credential, Guid? Wallet, string Name, List<WalletLine> Lines);

/// <summary>One wallet's holding of one currency, with the currency's current price.</summary>
internal sealed record AccountLine(string Currency, Guid Wallet, string WalletName, DateTimeOffset WalletCreatedAt, Int128 Available,
    Int128 Incoming, Int128 Held, Int128 Deposited, Int128 Withdrawn, Int128 Fees, DateTimeOffset LastMovementAt,
    UsdPrice? Price, DateTimeOffset PriceAt);

/// <summary>Everything that <c>/user/balances/</c> answers from.</summary>
internal sealed record AccountView(long Wallets, DateTimeOffset CreatedAt, List<AccountLine> Lines);

/// <summary>One currency's total, flows per hour and prices, read in one snapshot.</summary>
internal sealed record CurrencyView(Int128 Total, List<HourFlow> Flows, List<(DateTimeOffset At, UsdPrice Price)> Prices);

/// <summary>The statements behind the balance endpoints: one each, so that every answer is one snapshot.</summary>
internal static class BalanceSql
{
    // Credential, wallet and balances together, for all requests that wait: this is the endpoint that customers poll.
    private const string Wallets = $"""
        SELECT k.i, w.id, w.name, b.currency, b.available, b.incoming, b.held, {CredentialSql.Columns}
        FROM unnest($1::bytea[], $2::uuid[]) WITH ORDINALITY AS k(hash, wallet_id, i)
        CROSS JOIN LATERAL (SELECT * FROM credential WHERE hash = k.hash OFFSET 0) c
        LEFT JOIN LATERAL (
            SELECT id, name FROM wallet WHERE shard = c.shard AND account_id = c.account_id AND id = k.wallet_id OFFSET 0) w ON true
        LEFT JOIN LATERAL (
            SELECT currency, available, incoming, held FROM balance
            WHERE shard = c.shard AND account_id = c.account_id AND wallet_id = w.id OFFSET 0) b ON true
        """;

    // With $3 null: all currencies. The account's first wallet is as old as the account.
    private const string Account = """
        SELECT a.wallets, a.created_at, b.currency, b.wallet_id, w.name, w.created_at, b.available, b.incoming, b.held, b.deposited,
               b.withdrawn, b.fees, b.last_movement_at, r.usd, r.at
        FROM (SELECT count(*) AS wallets, min(created_at) AS created_at FROM wallet WHERE shard = $1 AND account_id = $2) a
        LEFT JOIN balance b ON b.shard = $1 AND b.account_id = $2 AND ($3::text IS NULL OR b.currency = $3)
        LEFT JOIN wallet w ON w.shard = $1 AND w.account_id = $2 AND w.id = b.wallet_id
        LEFT JOIN LATERAL (SELECT usd, at FROM rate_hour WHERE currency = b.currency ORDER BY hour DESC LIMIT 1) r ON true
        ORDER BY b.currency, w.name COLLATE "C", w.created_at, b.wallet_id
        """;

    // Currencies are named one by one, so that each is one range of flow_hour's key; the price before the window opens it.
    private const string History = """
        SELECT 1, currency, NULL::timestamptz, sum(available + incoming + held), 0::numeric, 0::bigint, 0::bigint
        FROM balance WHERE shard = $1 AND account_id = $2 AND currency = ANY($3)
        GROUP BY currency
        UNION ALL
        SELECT 2, currency, hour, sum(deposits), sum(withdrawals), sum(deposit_count)::bigint, sum(withdrawal_count)::bigint
        FROM flow_hour WHERE shard = $1 AND account_id = $2 AND currency = ANY($3) AND hour >= $4
        GROUP BY currency, hour
        UNION ALL
        SELECT 3, currency, at, usd, 0::numeric, 0::bigint, 0::bigint
        FROM rate_hour WHERE currency = ANY($3) AND hour >= $4
        UNION ALL
        SELECT 3, k.currency, r.at, r.usd, 0::numeric, 0::bigint, 0::bigint
        FROM unnest($3) AS k(currency)
        JOIN LATERAL (SELECT at, usd FROM rate_hour WHERE currency = k.currency AND hour < $4 ORDER BY hour DESC LIMIT 1) r ON true
        """;

    /// <summary>
    /// For each question the credential with that hash and, of its account, the wallet and what it holds, ordered by currency; null where
    /// there is no such credential.
    /// </summary>
    public static async Task<WalletView?[]> WalletBalances(this Db db, IReadOnlyList<WalletQuestion> questions)
    {
        await using var command = db.Lanes.CreateCommand(Wallets);
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. questions.Select(q => q.Hash)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. questions.Select(q => q.Wallet)] });
        await using var rows = await command.ExecuteReaderAsync();
        var views = new WalletView?[questions.Count];
        while (await rows.ReadAsync())
        {
            ref var view = ref views[rows.GetInt64(0) - 1];
            view ??= rows.IsDBNull(1)
                ? new WalletView(CredentialSql.Read(rows, 7), null, "", [])
                : new WalletView(CredentialSql.Read(rows, 7), rows.GetGuid(1), rows.GetString(2), []);
            if (!rows.IsDBNull(3))
                view.Lines.Add(new WalletLine(rows.GetString(3), rows.GetFieldValue<Int128>(4), rows.GetFieldValue<Int128>(5),
                    rows.GetFieldValue<Int128>(6)));
        }

        foreach (var view in views)
            view?.Lines.Sort(static (a, b) => string.CompareOrdinal(a.Currency, b.Currency));
        return views;
    }

    /// <summary>What the account holds, of one currency or of all, ordered by currency, wallet name and wallet age.</summary>
    public static async Task<AccountView> AccountBalances(this Db db, Caller caller, string? currency, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(Account);
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = caller.Shard });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = caller.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = currency, NpgsqlDbType = NpgsqlDbType.Text });
        await using var rows = await command.ExecuteReaderAsync(ct);
        AccountView? view = null;
        while (await rows.ReadAsync(ct))
        {
            view ??= new AccountView(rows.GetInt64(0), rows.GetFieldValue<DateTime>(1), []);
            if (rows.IsDBNull(2))
                continue;
            var priced = !rows.IsDBNull(13);
            view.Lines.Add(new AccountLine(rows.GetString(2), rows.GetGuid(3), rows.GetString(4), rows.GetFieldValue<DateTime>(5),
                rows.GetFieldValue<Int128>(6), rows.GetFieldValue<Int128>(7), rows.GetFieldValue<Int128>(8),
                rows.GetFieldValue<Int128>(9), rows.GetFieldValue<Int128>(10), rows.GetFieldValue<Int128>(11),
                rows.GetFieldValue<DateTime>(12), priced ? new UsdPrice(rows.GetFieldValue<Int128>(13)) : null,
                priced ? rows.GetFieldValue<DateTime>(14) : default));
        }

        return view ?? throw new InvalidOperationException("The account has no wallet; every account has one from the start.");
    }

    /// <summary>Totals now, flows since <paramref name="from"/> and the prices for them; currencies that never moved are left out.</summary>
    public static async Task<SortedDictionary<string, CurrencyView>> AccountHistory(this Db db, Caller caller, string[] currencies,
        DateTimeOffset from, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(History);
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = caller.Shard });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = caller.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = currencies });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = from.UtcDateTime });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var views = new SortedDictionary<string, CurrencyView>(StringComparer.Ordinal);
        var prices = new Dictionary<string, List<(DateTimeOffset, UsdPrice)>>(StringComparer.Ordinal);
        var flows = new Dictionary<string, List<HourFlow>>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            var currency = rows.GetString(1);
            var value = rows.GetFieldValue<Int128>(3);
            switch (rows.GetInt32(0))
            {
                case 1:
                    views[currency] = new CurrencyView(value, ListOf(flows, currency), ListOf(prices, currency));
                    break;
                case 2:
                    ListOf(flows, currency).Add(new HourFlow(rows.GetFieldValue<DateTime>(2), value, rows.GetFieldValue<Int128>(4),
                        rows.GetInt64(5), rows.GetInt64(6)));
                    break;
                default:
                    ListOf(prices, currency).Add((rows.GetFieldValue<DateTime>(2), new UsdPrice(value)));
                    break;
            }
        }

        foreach (var list in prices.Values)
            list.Sort(static (a, b) => a.Item1.CompareTo(b.Item1));
        return views;
    }

    private static List<T> ListOf<T>(Dictionary<string, List<T>> lists, string currency)
    {
        if (!lists.TryGetValue(currency, out var list))
            lists[currency] = list = [];
        return list;
    }
}
