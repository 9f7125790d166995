using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Rates;

/// <summary>What a source said last of a currency, and whether the price was made of it.</summary>
internal sealed record KeptQuote(string Currency, PriceQuote Quote, bool Used);

/// <summary>How a question to a source ended; <paramref name="Error"/> is null when it was answered.</summary>
internal sealed record Asked(string Source, DateTimeOffset At, DateTimeOffset DueAt, string? Error);

/// <summary>The statements on what sources said and when they are asked; the only writer of rate_quote and rate_source.</summary>
internal static class QuoteSql
{
    /// <summary>Makes the rows of these sources, due at once, and forgets what others said before.</summary>
    public static async Task KeepSources(this Tx tx, IReadOnlyList<string> names, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            WITH gone AS (DELETE FROM rate_quote WHERE source <> ALL($1))
            INSERT INTO rate_source (name, due_at, failures) SELECT name, $2, 0 FROM unnest($1) AS name ORDER BY name ON CONFLICT DO NOTHING
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(names.ToArray()), P(now.UtcDateTime) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Takes the sources that are due, so that nobody else asks them before the lease ends; each with its failures so far.</summary>
    public static async Task<Dictionary<string, int>> TakeSources(
        this Tx tx, IReadOnlyList<string> names, DateTimeOffset now, DateTimeOffset leaseEnd, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE rate_source SET due_at = $3
            WHERE name IN (SELECT name FROM rate_source WHERE name = ANY($1) AND due_at <= $2 ORDER BY name FOR UPDATE SKIP LOCKED)
            RETURNING name, failures
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(names.ToArray()), P(now.UtcDateTime), P(leaseEnd.UtcDateTime) },
        };
        await using var rows = await command.ExecuteReaderAsync(ct);
        var taken = new Dictionary<string, int>();
        while (await rows.ReadAsync(ct))
            taken.Add(rows.GetString(0), rows.GetInt32(1));
        return taken;
    }

    /// <summary>Keeps how a question ended, and when the next one is due.</summary>
    public static async Task EndQuestion(this Tx tx, Asked asked, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE rate_source SET due_at = $2, last_error = $3, failures = CASE WHEN $3 IS NULL THEN 0 ELSE failures + 1 END,
                answered_at = CASE WHEN $3 IS NULL THEN $4 ELSE answered_at END
            WHERE name = $1
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(asked.Source), P(asked.DueAt.UtcDateTime), Maybe(asked.Error, NpgsqlTypes.NpgsqlDbType.Text), P(asked.At.UtcDateTime),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Keeps what sources said, unless something newer is kept. From here to the end of the transaction nobody else does, so that a price is
    /// never made without what another server has just learned.
    /// </summary>
    public static async Task KeepQuotes(this Tx tx, IReadOnlyList<(string Currency, PriceQuote Quote)> quotes, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("LOCK TABLE rate_quote IN SHARE ROW EXCLUSIVE MODE", tx.Connection, tx.Transaction);
        await command.ExecuteNonQueryAsync(ct);
        command.CommandText = """
            INSERT INTO rate_quote AS q (currency, source, usd, at, used)
            SELECT u.currency, u.source, u.usd, u.at, false
            FROM unnest($1::text[], $2::text[], $3::numeric[], $4::timestamptz[]) AS u(currency, source, usd, at)
            ON CONFLICT (currency, source) DO UPDATE SET usd = excluded.usd, at = excluded.at WHERE q.at <= excluded.at
            """;
        command.Parameters.AddRange((NpgsqlParameter[])
        [
            P(quotes, quote => quote.Currency), P(quotes, quote => quote.Quote.Source), P(quotes, quote => quote.Quote.Price.Scaled),
            P(quotes, quote => quote.Quote.At.UtcDateTime),
        ]);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Marks which quotes of a currency its price is made of.</summary>
    public static async Task MarkUsed(this Tx tx, string currency, IReadOnlyList<string> sources, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "UPDATE rate_quote SET used = (source = ANY($2)) WHERE currency = $1 AND used <> (source = ANY($2))", tx.Connection, tx.Transaction)
        {
            Parameters = { P(currency), P(sources.ToArray()) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What these sources said of these currencies since a time.</summary>
    public static async Task<List<KeptQuote>> Quotes(
        this Tx tx, IReadOnlyList<string> currencies, IReadOnlyList<string> sources, DateTimeOffset since, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            SELECT currency, source, usd, at, used FROM rate_quote WHERE currency = ANY($1) AND source = ANY($2) AND at >= $3
            """, tx.Connection, tx.Transaction)
        {
            Parameters = { P(currencies.ToArray()), P(sources.ToArray()), P(since.UtcDateTime) },
        };
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await Read(rows, ct);
    }

    /// <summary>What all sources said last of a currency, ordered by source.</summary>
    public static async Task<List<KeptQuote>> Quotes(this Db db, string currency, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand(
            "SELECT currency, source, usd, at, used FROM rate_quote WHERE currency = $1 ORDER BY source");
        command.Parameters.Add(P(currency));
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await Read(rows, ct);
    }

    private static async Task<List<KeptQuote>> Read(NpgsqlDataReader rows, CancellationToken ct)
    {
        var quotes = new List<KeptQuote>();
        while (await rows.ReadAsync(ct))
            quotes.Add(new KeptQuote(rows.GetString(0), new PriceQuote(rows.GetString(1), new UsdPrice(rows.GetFieldValue<Int128>(2)),
                rows.GetFieldValue<DateTime>(3)), rows.GetBoolean(4)));
        return quotes;
    }
}
