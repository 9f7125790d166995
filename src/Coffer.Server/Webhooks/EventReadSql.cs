using Coffer.Server.Sql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Webhooks;

/// <summary>Which events of an account are wanted.</summary>
/// <param name="After">Only those with a higher number.</param>
/// <param name="Types">Null for all.</param>
/// <param name="Wallets">Those that a credential is limited to, and so sees events of these alone; null for all.</param>
internal sealed record EventQuestion(short Shard, AccountId Account, long After, string[]? Types, Guid[]? Wallets);

/// <summary>An event as it is kept.</summary>
internal sealed record KeptEvent(long Number, DateTimeOffset At, string Type, string Data);

/// <summary>Some events, in their order.</summary>
/// <param name="Next">After this number it goes on: everything up to it was looked at.</param>
/// <param name="Last">The number of the account's newest event; 0 while there is none.</param>
internal sealed record EventPage(IReadOnlyList<KeptEvent> Events, long Next, long Last);

/// <summary>The questions about events: nothing here writes.</summary>
internal static class EventReadSql
{
    /// <summary>
    /// Events looked at for one answer, so that a filter that hardly matches does not read them all. Numbers have no gap, so this is a
    /// range of them.
    /// </summary>
    public const int LookedAtMax = 5_000;

    /// <summary>The next events. Whoever sees one sees all before it: numbers are given under a lock that is held to the commit.</summary>
    public static async Task<EventPage> Events(this Db db, EventQuestion question, int limit, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT h.last, e.number, e.at, e.type, e.data
            FROM (SELECT coalesce((SELECT last FROM event_head WHERE shard = $1 AND account_id = $2), 0) AS last) h
            LEFT JOIN LATERAL (
                SELECT number, at, type, data FROM event
                WHERE shard = $1 AND account_id = $2 AND number > $3 AND number <= $3 + $6 AND ($4::text[] IS NULL OR type = ANY($4))
                    AND ($5::uuid[] IS NULL
                        OR (data::json ->> CASE type WHEN 'withdrawal.updated' THEN 'account_id' ELSE 'wallet_id' END)::uuid = ANY($5))
                ORDER BY number LIMIT $7) e ON true
            ORDER BY e.number
            """, P(question.Shard), P(question.Account.Value), P(question.After), Maybe(question.Types, NpgsqlDbType.Array | NpgsqlDbType.Text),
            Maybe(question.Wallets, NpgsqlDbType.Array | NpgsqlDbType.Uuid), P((long)LookedAtMax), P(limit));
        var events = new List<KeptEvent>();
        long last = 0;
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            last = row.GetInt64(0);
            if (!row.IsDBNull(1))
                events.Add(new KeptEvent(row.GetInt64(1), row.GetFieldValue<DateTime>(2), row.GetString(3), row.GetString(4)));
        }

        var next = events.Count == limit ? events[^1].Number : Math.Max(question.After, Math.Min(last, question.After + LookedAtMax));
        return new EventPage(events, next, last);
    }

    /// <summary>The numbers of the newest events of these accounts; those that have none are left out.</summary>
    public static async Task<Dictionary<AccountId, long>> NewestEvents(
        this Db db, IReadOnlyList<(short Shard, AccountId Account)> accounts, CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT h.account_id, h.last FROM unnest($1::smallint[], $2::uuid[]) AS k(shard, account_id)
            JOIN event_head h ON h.shard = k.shard AND h.account_id = k.account_id
            """, P(accounts, one => one.Shard), P(accounts, one => one.Account.Value));
        var newest = new Dictionary<AccountId, long>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            newest[new AccountId(row.GetGuid(0))] = row.GetInt64(1);
        return newest;
    }
}
