using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Server.Ledger;

/// <summary>The statements on what is fixed in a database; the only writer of ledger_setting and ledger_currency.</summary>
internal static class LedgerSettingSql
{
    /// <summary>The number of shards that the database has; what is given here counts only if nobody said so before.</summary>
    public static async Task<int> FixShards(this Tx tx, int shards, CancellationToken ct)
    {
        await using (var insert = new NpgsqlCommand(
            "INSERT INTO ledger_setting (only_row, shards) VALUES (true, $1) ON CONFLICT DO NOTHING", tx.Connection, tx.Transaction))
        {
            insert.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)shards });
            await insert.ExecuteNonQueryAsync(ct);
        }

        await using var select = new NpgsqlCommand("SELECT shards FROM ledger_setting", tx.Connection, tx.Transaction);
        return (short)(await select.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The currencies that the database was used with, and their decimals.</summary>
    public static async Task<Dictionary<string, int>> KnownCurrencies(this Tx tx, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT code, decimals FROM ledger_currency", tx.Connection, tx.Transaction);
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            known.Add(rows.GetString(0), rows.GetInt16(1));
        return known;
    }

    /// <summary>Which of these currencies somebody has a balance in. Reads until it finds one of each: fast for those in use.</summary>
    public static async Task<List<string>> UsedCurrencies(this Tx tx, IReadOnlyList<string> codes, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            SELECT c.code FROM unnest($1::text[]) AS c(code)
            WHERE EXISTS (SELECT FROM balance b WHERE b.currency = c.code) ORDER BY c.code
            """, tx.Connection, tx.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. codes] });
        var used = new List<string>();
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            used.Add(rows.GetString(0));
        return used;
    }

    /// <summary>Remembers currencies with the decimals that their amounts are written with from now on.</summary>
    public static async Task RememberCurrencies(this Tx tx, IReadOnlyList<Currency> currencies, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            INSERT INTO ledger_currency (code, decimals) SELECT * FROM unnest($1::text[], $2::smallint[])
            ON CONFLICT (code) DO UPDATE SET decimals = excluded.decimals
            """, tx.Connection, tx.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. currencies.Select(c => c.Code)] });
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. currencies.Select(c => (short)c.Decimals)] });
        await command.ExecuteNonQueryAsync(ct);
    }
}
