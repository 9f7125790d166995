using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;

namespace Coffer.Tests.Ledger;

/// <summary>The bodies that the endpoints must answer, from the auditor's book and a list of prices; written from contract 1 and 2.</summary>
internal sealed class AuditorAnswers(AuditorModel book, IReadOnlyList<(string Currency, DateTimeOffset At, BigInteger Usd18)> prices,
    IReadOnlyList<(WalletId Id, string Name)> wallets, DateTimeOffset opened)
{
    public JsonObject Wallet(WalletId wallet) => new()
    {
        ["result"] = new JsonObject
        {
            ["id"] = wallet.ToString(),
            ["name"] = wallets.Single(w => w.Id == wallet).Name,
            ["balances"] = Array(book.Purses.Where(p => p.Key.Wallet == wallet.Value).Select(p => new JsonObject
            {
                ["currency"] = p.Key.Currency.ToLowerInvariant(),
                ["amount"] = Short(p.Value.Total, Of(p.Key.Currency).Decimals),
                ["pendingAmount"] = Short(p.Value.Coming + p.Value.Reserved, Of(p.Key.Currency).Decimals),
            })),
        },
    };

    public JsonObject Account(DateTimeOffset now, string? only = null)
    {
        var (total, update) = (BigInteger.Zero, opened);
        var lines = new List<JsonObject>();
        foreach (var currency in book.Purses.GroupBy(p => p.Key.Currency).Where(g => only is null || g.Key == only))
        {
            var decimals = Of(currency.Key).Decimals;
            string Sum(Func<AuditedPurse, BigInteger> part) => Fixed(All(part), decimals);
            BigInteger All(Func<AuditedPurse, BigInteger> part) => currency.Aggregate(BigInteger.Zero, (sum, p) => sum + part(p.Value));
            var last = currency.Max(p => p.Value.Last);
            var price = Price(currency.Key, now);
            var cents = price is { } known ? Cents(All(p => p.Total), decimals, known.Usd18) : null;
            total += cents ?? 0;
            update = new[] { update, last, price?.At ?? default }.Max();
            lines.Add(new JsonObject
            {
                ["currency"] = currency.Key,
                ["currency_name"] = Of(currency.Key).Name,
                ["network"] = Of(currency.Key).Network,
                ["total_balance"] = Sum(p => p.Total),
                ["available_balance"] = Sum(p => p.Free),
                ["pending_balance"] = Sum(p => p.Coming + p.Reserved),
                ["total_deposited"] = Sum(p => p.Received),
                ["total_withdrawn"] = Sum(p => p.Gone),
                ["total_fees_paid"] = Sum(p => p.Fees),
                ["usd_value"] = cents is { } worth ? Fixed(worth, 2) : null,
                ["last_transaction"] = Time(last),
                ["wallets"] = Array(wallets.Where(w => currency.Any(p => p.Key.Wallet == w.Id.Value))
                    .OrderBy(w => w.Name, StringComparer.Ordinal)
                    .Select(w => (w, Purse: currency.Single(p => p.Key.Wallet == w.Id.Value).Value)).Select(w => new JsonObject
                    {
                        ["wallet_id"] = w.w.Id.ToString(),
                        ["wallet_name"] = w.w.Name,
                        ["balance"] = Fixed(w.Purse.Free, decimals),
                        ["pending"] = Fixed(w.Purse.Coming + w.Purse.Reserved, decimals),
                    })),
            });
        }

        return new JsonObject
        {
            ["balances"] = Array(lines),
            ["summary"] = new JsonObject
            {
                ["total_usd_value"] = Fixed(total, 2),
                ["total_currencies"] = lines.Count,
                ["total_wallets"] = wallets.Count,
                ["last_update"] = Time(update),
            },
        };
    }

    /// <summary>Every page of the movements, newest first, and the path that it is at.</summary>
    public IEnumerable<(string Path, JsonObject Page)> Transactions(Dictionary<string, (MovementId Id, DateTimeOffset MadeAt)> names, int limit)
    {
        var all = book.Movements.Values.OrderByDescending(m => names[m.Reference].Id.Value).ToList();
        for (var at = 0; at == 0 || at < all.Count; at += limit)
        {
            var page = all.Skip(at).Take(limit).ToList();
            var more = all.Count > at + limit;
            yield return ($"/transactions/?limit={limit}{(at == 0 ? "" : $"&starting_after={names[all[at - 1].Reference].Id}")}", new JsonObject
            {
                ["transactions"] = Array(page.Select(m => Transaction(m, names[m.Reference].Id, names[m.Reference].MadeAt))),
                ["has_more"] = more,
                ["next_cursor"] = more ? names[page[^1].Reference].Id.ToString() : null,
            });
        }
    }

    private static JsonObject Transaction(AuditedMovement m, MovementId id, DateTimeOffset madeAt) => new()
    {
        ["id"] = id.ToString(),
        ["type"] = m.Kind.ToLowerInvariant(),
        ["status"] = m.State switch { "Seen" or "Requested" => "pending", "Failed" => "failed", "Reversed" => "reversed", _ => "completed" },
        ["wallet_id"] = m.Wallet.ToString(),
        ["to_wallet_id"] = m.To?.ToString(),
        ["currency"] = m.Currency,
        ["amount"] = Fixed(m.Amount, Of(m.Currency).Decimals),
        ["fee_amount"] = Fixed(m.Fee, Of(m.Currency).Decimals),
        ["net_amount"] = Fixed(m.Kind == "Withdrawal" ? m.Amount : m.Amount - m.Fee, Of(m.Currency).Decimals),
        ["transaction_hash"] = null,
        ["address"] = m.Kind == "Withdrawal" ? m.Words : null,
        ["description"] = m.Kind == "Withdrawal" ? null : m.Words,
        ["effective_at"] = Time(m.Effective),
        ["created_at"] = Time(madeAt),
        ["updated_at"] = Time(m.Updated),
    };

    public JsonObject History(string? currency, string period, string interval, DateTimeOffset now)
    {
        var days = period switch { "24h" => 1, "7d" => 7, _ => 30 };
        var (width, count) = interval == "daily" ? (TimeSpan.FromDays(1), days) : (TimeSpan.FromHours(1), days * 24);
        var current = interval == "daily" ? new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero)
            : new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero);
        var starts = Enumerable.Range(0, count).Select(i => current - ((count - 1 - i) * width)).ToList();
        string[] codes = currency is not null ? [currency] : [.. book.Purses.Select(p => p.Key.Currency).Distinct()];
        var decimals = currency is not null ? Of(currency).Decimals : 2;
        var (sums, balances) = (new Sums(), new BigInteger[count]);
        var books = codes.ToDictionary(code => code, code => Buckets(code, starts[0], width, count));
        var rows = new List<JsonObject>();
        for (var i = 0; i < count; i++)
        {
            var close = i == count - 1 ? now : starts[i] + width;
            var (row, held, valued) = (new Sums(), false, false);
            BigInteger? usd = 0;
            foreach (var code in codes)
            {
                var (balance, mine) = books[code][i];
                var price = Price(code, close);
                BigInteger? Worth(BigInteger amount) => price is { } known ? Cents(amount, Of(code).Decimals, known.Usd18) : null;
                held |= balance != 0;
                valued |= balance != 0 && price is not null;
                row = row.Plus(currency is not null ? mine.In : Worth(mine.In) ?? 0, currency is not null ? mine.Out : Worth(mine.Out) ?? 0,
                    mine.InCount, mine.OutCount);
                balances[i] += currency is not null ? balance : Worth(balance) ?? 0;
                usd = currency is not null ? Worth(balance) : balances[i];
            }

            usd = currency is null && held && !valued ? null : usd;
            sums = sums.Plus(row.In, row.Out, row.InCount, row.OutCount);
            rows.Add(new JsonObject
            {
                ["timestamp"] = Time(starts[i]),
                ["balance"] = Fixed(balances[i], decimals),
                ["deposits"] = Fixed(row.In, decimals),
                ["withdrawals"] = Fixed(row.Out, decimals),
                ["deposit_count"] = row.InCount,
                ["withdrawal_count"] = row.OutCount,
                ["usd_value"] = usd is { } known ? Fixed(known, 2) : null,
            });
        }

        var net = sums.In - sums.Out;
        return new JsonObject
        {
            ["currency"] = currency ?? "ALL",
            ["period"] = period,
            ["interval"] = interval,
            ["history"] = Array(rows),
            ["summary"] = new JsonObject
            {
                ["starting_balance"] = Fixed(balances[^1] - net, decimals),
                ["ending_balance"] = Fixed(balances[^1], decimals),
                ["total_deposits"] = Fixed(sums.In, decimals),
                ["total_withdrawals"] = Fixed(sums.Out, decimals),
                ["net_change"] = Fixed(net, decimals),
                ["total_deposit_count"] = sums.InCount,
                ["total_withdrawal_count"] = sums.OutCount,
                ["average_daily_deposits"] = Fixed(HalfUp(sums.In, days), decimals),
                ["average_daily_withdrawals"] = Fixed(HalfUp(sums.Out, days), decimals),
            },
        };
    }

    /// <summary>Forwards from nothing: what an account holds at a close is all that came in and went out until then.</summary>
    private (BigInteger Close, Sums Flows)[] Buckets(string code, DateTimeOffset first, TimeSpan width, int count)
    {
        var (opening, flows) = (BigInteger.Zero, new Sums[count]);
        foreach (var flow in book.Flows.Where(f => f.Currency == code))
        {
            var bucket = flow.At < first ? -1 : (int)Math.Min((flow.At - first) / width, count - 1);
            if (bucket < 0) opening += flow.In - flow.Out;
            else flows[bucket] = flows[bucket].Plus(flow.In, flow.Out, flow.InCount, flow.OutCount);
        }

        return [.. flows.Select(f => (opening += f.In - f.Out, f))];
    }

    private (DateTimeOffset At, BigInteger Usd18)? Price(string currency, DateTimeOffset when)
    {
        (string? Currency, DateTimeOffset At, BigInteger Usd18) known = default;
        foreach (var price in prices)
        {
            if (price.Currency == currency && price.At <= when && price.At > known.At) known = price;
        }

        return known.Currency is null || when - known.At > Of(currency).PriceAgeMax ? null : (known.At, known.Usd18);
    }

    private static BigInteger? Cents(BigInteger amount, int decimals, BigInteger usd18) =>
        HalfUp(amount * usd18 * 100, BigInteger.Pow(10, decimals + 18));

    private static BigInteger HalfUp(BigInteger value, BigInteger by) =>
        value.Sign * BigInteger.Divide((BigInteger.Abs(value) * 2) + by, by * 2);

    private static string Fixed(BigInteger amount, int decimals)
    {
        var digits = BigInteger.Abs(amount).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        return (amount.Sign < 0 ? "-" : "") + digits[..^decimals] + (decimals == 0 ? "" : "." + digits[^decimals..]);
    }

    private static string Short(BigInteger amount, int decimals)
    {
        var text = Fixed(amount, decimals);
        text += decimals == 0 ? "." : "";
        var point = text.IndexOf('.', StringComparison.Ordinal);
        return text.TrimEnd('0').PadRight(point + 3, '0');
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static JsonArray Array(IEnumerable<JsonObject> items) => [.. items];

    private static Currency Of(string code) => World.AllCurrencies.Find(code);

    private readonly record struct Sums(BigInteger In, BigInteger Out, int InCount, int OutCount)
    {
        public Sums Plus(BigInteger @in, BigInteger @out, int inCount, int outCount) =>
            new(In + @in, Out + @out, InCount + inCount, OutCount + outCount);
    }
}
