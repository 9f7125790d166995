using Coffer.Server.Sql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Webhooks;

/// <summary>The statements on deliveries, the only writer of webhook_progress, delivery, delivery_attempt and webhook_lane.</summary>
internal static class DeliverySql
{
    /// <summary>Forgets how an endpoint has been doing: it was enabled again.</summary>
    public static Task ClearFailures(this Tx tx, EndpointKey endpoint, CancellationToken ct) => tx.Do(
        "DELETE FROM webhook_lane WHERE shard = $1 AND account_id = $2 AND endpoint_id = $3", ct,
        P(endpoint.Shard), P(endpoint.Account.Value), P(endpoint.Id));

    /// <summary>Forgets everything of an endpoint that is deleted.</summary>
    public static async Task DropDeliveries(this Tx tx, EndpointKey endpoint, CancellationToken ct)
    {
        foreach (var sql in (string[])
            [
                "DELETE FROM webhook_progress", "DELETE FROM webhook_lane", "DELETE FROM delivery_attempt", "DELETE FROM delivery",
            ])
            await tx.Do($"{sql} WHERE shard = $1 AND account_id = $2 AND endpoint_id = $3", ct,
                P(endpoint.Shard), P(endpoint.Account.Value), P(endpoint.Id));
    }

    /// <summary>Sends one delivery again from the start of the schedule, whatever became of it; false when there is none.</summary>
    public static async Task<bool> Resend(this Tx tx, EndpointKey endpoint, long number, DateTimeOffset now, CancellationToken ct) =>
        await tx.Do("""
            UPDATE delivery SET state = 1, attempts = 0, due_at = $5, leased_until = NULL, finished_at = NULL
            WHERE shard = $1 AND account_id = $2 AND endpoint_id = $3 AND event_number = $4
            """, ct, P(endpoint.Shard), P(endpoint.Account.Value), P(endpoint.Id), P(number), P(now.UtcDateTime)) == 1;

    /// <summary>
    /// Sends again, each from the start of its schedule, the oldest deliveries that have not arrived: given up, or not tried again for a
    /// while yet. Answers how many, and the number of the last event among them.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="endpoint">Whose.</param>
    /// <param name="from">Of events from this number on.</param>
    /// <param name="delivered">Also those that have arrived.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="now">The present.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<(int Count, long Last)> Replay(this Tx tx, EndpointKey endpoint, long from, bool delivered, int limit,
        DateTimeOffset now, CancellationToken ct)
    {
        await using var command = tx.Command("""
            WITH these AS (
                SELECT event_number FROM delivery
                WHERE shard = $1 AND account_id = $2 AND endpoint_id = $3 AND event_number >= $4
                    AND (state = 3 OR (state = 1 AND due_at > $7) OR (state = 2 AND $5))
                ORDER BY event_number LIMIT $6 FOR UPDATE),
            sent AS (
                UPDATE delivery d SET state = 1, attempts = 0, due_at = $7, leased_until = NULL, finished_at = NULL FROM these
                WHERE d.shard = $1 AND d.account_id = $2 AND d.endpoint_id = $3 AND d.event_number = these.event_number)
            SELECT count(*)::integer, coalesce(max(event_number), 0) FROM these
            """, P(endpoint.Shard), P(endpoint.Account.Value), P(endpoint.Id), P(from), P(delivered), P(limit), P(now.UtcDateTime));
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return (row.GetInt32(0), row.GetInt64(1));
    }
}
