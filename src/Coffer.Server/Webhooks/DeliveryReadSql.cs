using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Webhooks;

/// <summary>Where a delivery stands; the numbers are those of the table.</summary>
internal enum DeliveryState : short
{
    /// <summary>It is tried when it is due.</summary>
    Waiting = 1,

    /// <summary>It was answered with 2xx.</summary>
    Delivered = 2,

    /// <summary>The last attempt failed too.</summary>
    GivenUp = 3,
}

/// <summary>One attempt to deliver, as its owner sees it.</summary>
/// <param name="Number">1, 2, 3, ... of the delivery.</param>
/// <param name="At">When it began.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Status">The HTTP status that came; null for none.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
/// <param name="Excerpt">The beginning of what was answered, or null.</param>
/// <param name="NextAt">When it was to be tried again; null for not.</param>
internal sealed record ListedAttempt(int Number, DateTimeOffset At, int Milliseconds, int? Status, string? Error, string? Excerpt,
    DateTimeOffset? NextAt);

/// <summary>One event for one endpoint, as its owner sees it.</summary>
/// <param name="Number">The event's number.</param>
/// <param name="Type">The event's type.</param>
/// <param name="At">When it happened.</param>
/// <param name="CallbackUrl">Where it is sent, when the endpoint is the account's callbacks.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Tried">Attempts in all.</param>
/// <param name="DueAt">When it is tried next, while it waits.</param>
/// <param name="FinishedAt">When it was delivered or given up.</param>
/// <param name="Attempts">The newest attempts, newest first.</param>
internal sealed record ListedDelivery(long Number, string Type, DateTimeOffset At, string? CallbackUrl, DeliveryState State, int Tried,
    DateTimeOffset DueAt, DateTimeOffset? FinishedAt, List<ListedAttempt> Attempts);

/// <summary>How an endpoint has been doing.</summary>
/// <param name="FailingSince">Since when nothing arrives there; null while something does.</param>
/// <param name="PausedUntil">Until when it asked to be left alone, or null.</param>
internal sealed record EndpointHealth(DateTimeOffset? FailingSince, DateTimeOffset? PausedUntil);

/// <summary>What owners ask about deliveries.</summary>
internal static class DeliveryReadSql
{
    // The state stands in the text, because a partial index is used for what the planner can see.
    private static string Page(string state) => $"""
        SELECT d.event_number, v.type, v.at, v.callback_url, d.state, d.tried, d.due_at, d.finished_at,
            a.number, a.at, a.milliseconds, a.status, a.error, a.excerpt, a.next_at
        FROM (SELECT * FROM delivery
            WHERE shard = $1 AND account_id = $2 AND endpoint_id = $3 AND event_number >= $4 AND event_number < $5 {state}
            ORDER BY event_number DESC LIMIT $6) d
        JOIN event v ON v.shard = d.shard AND v.account_id = d.account_id AND v.number = d.event_number
        LEFT JOIN LATERAL (
            SELECT * FROM delivery_attempt t
            WHERE t.shard = d.shard AND t.account_id = d.account_id AND t.endpoint_id = d.endpoint_id AND t.event_number = d.event_number
            ORDER BY t.number DESC LIMIT $7) a ON true
        ORDER BY d.event_number DESC, a.number DESC
        """;

    private static readonly string _all = Page("");

    private static readonly Dictionary<DeliveryState, string> _ofState =
        Enum.GetValues<DeliveryState>().ToDictionary(state => state, state => Page($"AND state = {(short)state}"));

    /// <summary>Deliveries to an endpoint, of the newest event first.</summary>
    /// <param name="db">The database.</param>
    /// <param name="endpoint">Whose.</param>
    /// <param name="state">Only those; null for all.</param>
    /// <param name="numbers">Of events from the first of these numbers to before the second.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="attempts">How many attempts of each at most.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<List<ListedDelivery>> Deliveries(this Db db, EndpointKey endpoint, DeliveryState? state,
        (long From, long Before) numbers, int limit, int attempts, CancellationToken ct)
    {
        await using var command = db.Command(state is { } only ? _ofState[only] : _all, P(endpoint.Shard), P(endpoint.Account.Value),
            P(endpoint.Id), P(numbers.From), P(numbers.Before), P(limit), P(attempts));
        await using var row = await command.ExecuteReaderAsync(ct);
        var deliveries = new List<ListedDelivery>();
        while (await row.ReadAsync(ct))
        {
            if (deliveries.Count == 0 || deliveries[^1].Number != row.GetInt64(0))
            {
                deliveries.Add(new ListedDelivery(row.GetInt64(0), row.GetString(1), row.GetDateTime(2), Text(row, 3),
                    (DeliveryState)row.GetInt16(4), row.GetInt32(5), row.GetDateTime(6), Time(row, 7), []));
            }

            if (!row.IsDBNull(8))
            {
                deliveries[^1].Attempts.Add(new ListedAttempt(row.GetInt32(8), row.GetDateTime(9), row.GetInt32(10),
                    row.IsDBNull(11) ? null : row.GetInt16(11), Text(row, 12), Text(row, 13), Time(row, 14)));
            }
        }

        return deliveries;
    }

    /// <summary>How the account's endpoints have been doing, by their ids; those that have been doing well are not among them.</summary>
    /// <param name="db">The database.</param>
    /// <param name="shard">The account's shard.</param>
    /// <param name="account">Whose.</param>
    /// <param name="only">Of this one alone; null for all.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<Dictionary<Guid, EndpointHealth>> EndpointHealths(this Db db, short shard, AccountId account, Guid? only,
        CancellationToken ct)
    {
        await using var command = db.Command("""
            SELECT endpoint_id, min(failing_since), max(slow_until) FROM webhook_lane
            WHERE shard = $1 AND account_id = $2 AND ($3::uuid IS NULL OR endpoint_id = $3) GROUP BY endpoint_id
            """, P(shard), P(account.Value), Maybe(only, NpgsqlDbType.Uuid));
        await using var row = await command.ExecuteReaderAsync(ct);
        var healths = new Dictionary<Guid, EndpointHealth>();
        while (await row.ReadAsync(ct))
            healths[row.GetGuid(0)] = new EndpointHealth(Time(row, 1), Time(row, 2));
        return healths;
    }

    /// <summary>The number of the account's first event that happened at this time or later; null for none.</summary>
    public static async Task<long?> FirstEventSince(this Db db, short shard, AccountId account, DateTimeOffset since, CancellationToken ct)
    {
        await using var command = db.Command(
            "SELECT number FROM event WHERE shard = $1 AND account_id = $2 AND at >= $3 ORDER BY number LIMIT 1",
            P(shard), P(account.Value), P(since.UtcDateTime));
        return await command.ExecuteScalarAsync(ct) as long?;
    }

    private static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);

    private static DateTimeOffset? Time(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetDateTime(at);
}
