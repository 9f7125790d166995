using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Rates;

/// <summary>The newest price of a currency and what the last day looked like beside it.</summary>
/// <param name="At">When <paramref name="Price"/> was set.</param>
/// <param name="DayAgo">The price that was in force a day ago, and when it had been set; null when there was none.</param>
/// <param name="High">The highest closing price of an hour in the last day; null when none was set in it.</param>
/// <param name="Low">The lowest one.</param>
/// <param name="Source">Who said <paramref name="Price"/>.</param>
/// <param name="Spread">How far its sources were apart; null when one alone said it.</param>
internal sealed record RateRow(string Currency, UsdPrice Price, DateTimeOffset At, (UsdPrice Price, DateTimeOffset At)? DayAgo,
    UsdPrice? High, UsdPrice? Low, string Source, UsdPrice? Spread);

/// <summary>The statements on prices; the only writer of rate_hour.</summary>
internal static class RateSql
{
    /// <summary>Keeps a price as its hour's last one, unless the hour has a later one already.</summary>
    public static async Task SetRate(this Tx tx, string currency, UsdPrice price, DateTimeOffset at, string source, CancellationToken ct,
        UsdPrice? spread = null)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO rate_hour AS r (currency, hour, usd, at, source, spread) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (currency, hour) DO UPDATE
            SET usd = excluded.usd, at = excluded.at, source = excluded.source, spread = excluded.spread
            WHERE r.at <= excluded.at
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(currency), P(Hour(at)), Price(price), P(at.UtcDateTime), P(source), Maybe(spread?.Scaled, NpgsqlDbType.Numeric),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Keeps a price as what an hour closed with, if nothing is known of that hour.</summary>
    public static async Task FillHour(this Tx tx, string currency, DateTimeOffset hour, AgreedPrice price, string source, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO rate_hour (currency, hour, usd, at, source, spread)
            VALUES ($1, $2, $3, $2::timestamptz + interval '1 hour' - interval '1 second', $4, $5)
            ON CONFLICT (currency, hour) DO NOTHING
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(currency), P(hour.UtcDateTime), Price(price.Price), P(source), Price(price.Spread) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The prices of the hours from a time on, by the beginning of the hour.</summary>
    public static async Task<Dictionary<DateTimeOffset, UsdPrice>> HourRates(this Db db, string currency, DateTimeOffset from, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT hour, usd FROM rate_hour WHERE currency = $1 AND hour >= $2");
        command.Parameters.AddRange((NpgsqlParameter[])[P(currency), P(from.UtcDateTime)]);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var hours = new Dictionary<DateTimeOffset, UsdPrice>();
        while (await rows.ReadAsync(ct))
            hours.Add(rows.GetFieldValue<DateTime>(0), Read(rows, 1)!.Value);
        return hours;
    }

    /// <summary>The same for many prices of one currency, each of another hour.</summary>
    public static async Task SetRates(this Tx tx, string currency, IReadOnlyList<(DateTimeOffset At, UsdPrice Price)> prices, string source,
        CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO rate_hour AS r (currency, hour, usd, at, source)
            SELECT $1, u.hour, u.usd, u.at, $5 FROM unnest($2::timestamptz[], $3::numeric[], $4::timestamptz[]) AS u(hour, usd, at)
            ON CONFLICT (currency, hour) DO UPDATE SET usd = excluded.usd, at = excluded.at, source = excluded.source, spread = NULL
            WHERE r.at <= excluded.at
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(currency), P(prices.Select(p => Hour(p.At)).ToArray()),
                new NpgsqlParameter<Int128[]>
                {
                    TypedValue = [.. prices.Select(p => p.Price.Scaled)],
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Numeric,
                },
                P(prices.Select(p => p.At.UtcDateTime).ToArray()), P(source),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Keeps a price for a currency that has none yet.</summary>
    public static async Task SetFirstRate(this Tx tx, string currency, UsdPrice price, DateTimeOffset at, string source, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO rate_hour (currency, hour, usd, at, source)
            SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM rate_hour WHERE currency = $1)
            ON CONFLICT (currency, hour) DO NOTHING
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(currency), P(Hour(at)), Price(price), P(at.UtcDateTime), P(source) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The newest prices of these currencies, in the order given; those that never had one are left out.</summary>
    public static async Task<List<RateRow>> Rates(this Db db, IReadOnlyList<string> currencies, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT c.code, newest.usd, newest.at, before.usd, before.at, day.high, day.low, newest.source, newest.spread
            FROM unnest($1::text[]) WITH ORDINALITY AS c(code, i)
            CROSS JOIN LATERAL (
                SELECT r.usd, r.at, r.source, r.spread FROM rate_hour r WHERE r.currency = c.code ORDER BY r.hour DESC LIMIT 1
            ) newest
            LEFT JOIN LATERAL (
                SELECT r.usd, r.at FROM rate_hour r WHERE r.currency = c.code AND r.hour <= $2 AND r.at <= $2 ORDER BY r.hour DESC LIMIT 1
            ) before ON true
            LEFT JOIN LATERAL (
                SELECT max(r.usd) AS high, min(r.usd) AS low FROM rate_hour r
                WHERE r.currency = c.code AND r.hour >= $2 - interval '1 hour' AND r.at > $2
            ) day ON true
            ORDER BY c.i
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[P(currencies.ToArray()), P(now.AddDays(-1).UtcDateTime)]);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var rates = new List<RateRow>();
        while (await rows.ReadAsync(ct))
        {
            rates.Add(new RateRow(rows.GetString(0), Read(rows, 1)!.Value, rows.GetFieldValue<DateTime>(2),
                Read(rows, 3) is { } before ? (before, rows.GetFieldValue<DateTime>(4)) : null, Read(rows, 5), Read(rows, 6),
                rows.GetString(7), Read(rows, 8)));
        }

        return rates;
    }

    private static UsdPrice? Read(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : new UsdPrice(row.GetFieldValue<Int128>(at));

    private static DateTime Hour(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerHour), DateTimeKind.Utc);

    private static NpgsqlParameter Price(UsdPrice price) =>
        new NpgsqlParameter<Int128> { TypedValue = price.Scaled, NpgsqlDbType = NpgsqlDbType.Numeric };
}
