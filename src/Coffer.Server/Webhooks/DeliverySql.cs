using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Webhooks;

/// <summary>
/// The statements on deliveries, the only writer of webhook_progress, delivery, delivery_attempt and webhook_lane.
///
/// Each endpoint has a cursor over its account's events; what it passes and the endpoint wants becomes a row of delivery in the same
/// transaction, so nothing is left out or made twice, by however many servers. Events of accounts without endpoints cost nothing. A row that
/// is due is leased to one server at a time; one that dies leaves it to whoever looks after the lease.
/// </summary>
internal static class DeliverySql
{
    /// <summary>Gives endpoints that have none their cursor.</summary>
    public static Task StartProgress(this Tx tx, CancellationToken ct) => tx.Do("""
        INSERT INTO webhook_progress (shard, account_id, endpoint_id, fanned_to)
        SELECT shard, account_id, id, first_number FROM webhook_endpoint e
        WHERE NOT EXISTS (SELECT FROM webhook_progress WHERE shard = e.shard AND account_id = e.account_id AND endpoint_id = e.id)
        ON CONFLICT DO NOTHING
        """, ct);

    /// <summary>Moves cursors on; answers how many events were passed.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="accounts">Whose; null for everybody's.</param>
    /// <param name="endpoints">How many cursors at most.</param>
    /// <param name="events">How many events at most for each.</param>
    /// <param name="now">The present.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<long> FanOut(this Tx tx, Guid[]? accounts, int endpoints, int events, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = tx.Command("""
            WITH late AS (
                SELECT p.shard, p.account_id, p.endpoint_id, p.fanned_to, e.kind, e.types
                FROM webhook_progress p
                JOIN webhook_endpoint e ON e.shard = p.shard AND e.account_id = p.account_id AND e.id = p.endpoint_id
                JOIN event_head h ON h.shard = p.shard AND h.account_id = p.account_id
                WHERE e.state = 2 AND h.last > p.fanned_to AND ($1::uuid[] IS NULL OR p.account_id = ANY($1))
                LIMIT $2 FOR UPDATE OF p SKIP LOCKED),
            passed AS MATERIALIZED (
                SELECT late.*, v.number, v.type, v.callback_url, v.only_endpoint
                FROM late CROSS JOIN LATERAL (
                    SELECT number, type, callback_url, only_endpoint FROM event
                    WHERE shard = late.shard AND account_id = late.account_id AND number > late.fanned_to ORDER BY number LIMIT $3) v),
            moved AS (
                UPDATE webhook_progress p SET fanned_to = m.last
                FROM (SELECT shard, account_id, endpoint_id, max(number) AS last FROM passed GROUP BY 1, 2, 3) m
                WHERE p.shard = m.shard AND p.account_id = m.account_id AND p.endpoint_id = m.endpoint_id),
            made AS (
                INSERT INTO delivery (shard, account_id, endpoint_id, event_number, lane, state, attempts, tried, due_at, created_at)
                SELECT shard, account_id, endpoint_id, number, CASE WHEN kind = 2 THEN lower(split_part(callback_url, '/', 3)) ELSE '' END,
                    1, 0, 0, $4, $4
                FROM passed
                WHERE CASE WHEN only_endpoint IS NOT NULL THEN only_endpoint = endpoint_id
                    WHEN kind = 2 THEN callback_url IS NOT NULL
                    ELSE types IS NULL OR type = ANY(types) END
                ON CONFLICT DO NOTHING)
            SELECT count(*) FROM passed
            """, Maybe(accounts, NpgsqlDbType.Array | NpgsqlDbType.Uuid), P(endpoints), P(events), P(now.UtcDateTime));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>
    /// Endpoints that wait for the answer to a ping get their pings, and nothing else yet; their cursor stays. One that is just being changed
    /// or deleted is left for the next time, so that nothing is made for an endpoint that is not there any more.
    /// </summary>
    public static Task<int> FanOutPings(this Tx tx, DateTimeOffset now, CancellationToken ct) => tx.Do("""
        INSERT INTO delivery (shard, account_id, endpoint_id, event_number, lane, state, attempts, tried, due_at, created_at)
        SELECT v.shard, v.account_id, e.id, v.number, '', 1, 0, 0, $1, $1
        FROM webhook_endpoint e JOIN event v ON v.only_endpoint = e.id AND v.shard = e.shard AND v.account_id = e.account_id
        WHERE e.state = 1 AND NOT EXISTS (SELECT FROM delivery d
            WHERE d.shard = e.shard AND d.account_id = e.account_id AND d.endpoint_id = e.id AND d.event_number = v.number)
        FOR KEY SHARE OF e SKIP LOCKED
        ON CONFLICT DO NOTHING
        """, ct, P(now.UtcDateTime));

    /// <summary>
    /// Leases what is due, the oldest of each lane first, so that no lane takes another's turn. Lanes that were asked to pause are left
    /// alone, and so is all but pings for an endpoint that has not answered one.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="busy">Lanes of which this server has something already, and how many more it would take of each.</param>
    /// <param name="limits">How many of any other lane, of one that fails, and in all.</param>
    /// <param name="now">The present.</param>
    /// <param name="until">The end of the lease.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<List<DueDelivery>> Claim(this Tx tx, IReadOnlyList<(LaneKey Lane, int Free)> busy,
        (int OfLane, int OfFailing, int InAll) limits, DateTimeOffset now, DateTimeOffset until, CancellationToken ct)
    {
        await using var command = tx.Command($"""
            WITH RECURSIVE lane AS (
                (SELECT shard, account_id, endpoint_id, lane FROM delivery WHERE state = 1 ORDER BY 1, 2, 3, 4 LIMIT 1)
                UNION ALL
                SELECT n.* FROM lane l CROSS JOIN LATERAL (
                    SELECT shard, account_id, endpoint_id, lane FROM delivery
                    WHERE state = 1 AND (shard, account_id, endpoint_id, lane) > (l.shard, l.account_id, l.endpoint_id, l.lane)
                    ORDER BY 1, 2, 3, 4 LIMIT 1) n),
            due AS (
                SELECT l.shard, l.account_id, l.endpoint_id, d.event_number
                FROM lane l
                JOIN webhook_endpoint e ON e.shard = l.shard AND e.account_id = l.account_id AND e.id = l.endpoint_id AND e.state IN (1, 2)
                LEFT JOIN webhook_lane w ON w.shard = l.shard AND w.account_id = l.account_id AND w.endpoint_id = l.endpoint_id AND w.lane = l.lane
                LEFT JOIN unnest($1::uuid[], $2::text[], $3::integer[]) AS b(endpoint_id, lane, free)
                    ON b.endpoint_id = l.endpoint_id AND b.lane = l.lane
                CROSS JOIN LATERAL (
                    SELECT event_number FROM delivery t
                    WHERE shard = l.shard AND account_id = l.account_id AND endpoint_id = l.endpoint_id AND lane = l.lane
                        AND state = 1 AND due_at <= $7 AND (leased_until IS NULL OR leased_until <= $7)
                        AND (e.state = 2 OR EXISTS (SELECT FROM event WHERE shard = l.shard AND account_id = l.account_id
                            AND number = t.event_number AND only_endpoint = l.endpoint_id))
                    ORDER BY due_at, event_number
                    LIMIT greatest(0, least(coalesce(b.free, $4), CASE WHEN w.failures > 0 THEN $5 ELSE $4 END))
                    FOR UPDATE SKIP LOCKED) d
                WHERE coalesce(w.slow_until <= $7, true)
                LIMIT $6),
            leased AS (
                UPDATE delivery d SET leased_until = $8 FROM due
                WHERE d.shard = due.shard AND d.account_id = due.account_id AND d.endpoint_id = due.endpoint_id
                    AND d.event_number = due.event_number
                RETURNING d.shard, d.account_id, d.endpoint_id, d.lane, d.event_number, d.attempts, d.tried, d.due_at)
            SELECT e.*, d.lane, d.event_number, d.attempts, d.tried, v.type, v.at, v.data, coalesce(e.url, v.callback_url),
                coalesce(w.failures, 0), a.mode
            FROM leased d
            JOIN account a ON a.id = d.account_id
            JOIN event v ON v.shard = d.shard AND v.account_id = d.account_id AND v.number = d.event_number
            CROSS JOIN LATERAL (
                SELECT {WebhookSql.Columns} FROM webhook_endpoint
                WHERE shard = d.shard AND account_id = d.account_id AND id = d.endpoint_id OFFSET 0) e
            LEFT JOIN webhook_lane w ON w.shard = d.shard AND w.account_id = d.account_id AND w.endpoint_id = d.endpoint_id AND w.lane = d.lane
            ORDER BY d.due_at, d.event_number
            """, P(busy, b => b.Lane.Endpoint.Id), P(busy, b => b.Lane.Name), P(busy, b => b.Free), P(limits.OfLane), P(limits.OfFailing),
            P(limits.InAll), P(now.UtcDateTime), P(until.UtcDateTime));
        var due = new List<DueDelivery>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            const int at = WebhookSql.ColumnCount;
            var endpoint = WebhookSql.Read(row);
            due.Add(new DueDelivery(endpoint, new LaneKey(endpoint.Key, row.GetString(at)), row.GetInt64(at + 1), row.GetInt32(at + 2),
                row.GetInt32(at + 3), row.GetString(at + 4), row.GetFieldValue<DateTime>(at + 5), row.GetString(at + 6), row.GetString(at + 7),
                row.GetInt32(at + 8) > 0, (Mode)row.GetInt16(at + 9), until));
        }

        return due;
    }

    /// <summary>The end of the lease of what was not tried after all.</summary>
    public static Task Release(this Tx tx, IReadOnlyList<DueDelivery> rows, CancellationToken ct) => tx.Do($"""
        UPDATE delivery d SET leased_until = NULL {These} AND d.state = 1 AND d.leased_until = k.until
        """, ct, [.. Keys(rows), P(rows, r => r.LeasedUntil.UtcDateTime)]);

    /// <summary>
    /// How attempts went. One whose lease is no longer its own, because another server has made it meanwhile or it was sent again by hand,
    /// counts only if it succeeded.
    /// </summary>
    public static Task Record(this Tx tx, IReadOnlyList<TriedDelivery> rows, DateTimeOffset now, CancellationToken ct)
    {
        List<DueDelivery> due = [.. rows.Select(row => row.Due)];
        var status = P(rows, r => (short?)r.Attempt.Status);
        return tx.Do($"""
            WITH done AS (
                UPDATE delivery d SET state = k.state, attempts = d.attempts + 1, tried = d.tried + 1, due_at = coalesce(k.next_at, d.due_at),
                    leased_until = NULL, finished_at = CASE WHEN k.state <> 1 THEN $12::timestamptz END
                FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::bigint[], $5::integer[], $6::smallint[], $7::timestamptz[],
                    $8::integer[], $9::smallint[], $10::text[], $11::text[], $13::timestamptz[], $14::timestamptz[])
                    AS k(shard, account_id, endpoint_id, event_number, tried, state, next_at, milliseconds, status, error, excerpt, at, until)
                WHERE {Same} AND d.state = 1 AND ((d.tried = k.tried AND d.leased_until = k.until) OR k.state = 2)
                RETURNING d.shard, d.account_id, d.endpoint_id, d.event_number, d.tried, k.at, k.milliseconds, k.status, k.error, k.excerpt, k.next_at)
            INSERT INTO delivery_attempt (shard, account_id, endpoint_id, event_number, number, at, milliseconds, status, error, excerpt, next_at)
            SELECT * FROM done
            """, ct, [.. Keys(due), P(due, r => r.Tried), P(rows, r => (short)r.State), P(rows, r => r.NextAt?.UtcDateTime),
            P(rows, r => r.Attempt.Milliseconds), status, P(rows, r => r.Error), P(rows, r => r.Attempt.Excerpt), P(now.UtcDateTime),
            P(rows, r => r.At.UtcDateTime), P(rows, r => r.Due.LeasedUntil.UtcDateTime)]);
    }

    /// <summary>How lanes have been doing, locked in their order; those that have been doing well are not among them.</summary>
    public static async Task<Dictionary<LaneKey, LaneHealth>> LockLanes(this Tx tx, IReadOnlyList<LaneKey> lanes, CancellationToken ct)
    {
        await using var command = tx.Command("""
            SELECT w.shard, w.account_id, w.endpoint_id, w.lane, w.failures, w.first_failure, w.failing_since, w.slow_until
            FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[]) AS k(shard, account_id, endpoint_id, lane)
            JOIN webhook_lane w ON w.shard = k.shard AND w.account_id = k.account_id AND w.endpoint_id = k.endpoint_id AND w.lane = k.lane
            ORDER BY 1, 2, 3, 4 FOR UPDATE OF w
            """, Lanes(lanes));
        var found = new Dictionary<LaneKey, LaneHealth>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found[new LaneKey(new EndpointKey(row.GetInt16(0), new AccountId(row.GetGuid(1)), row.GetGuid(2)), row.GetString(3))] =
                new LaneHealth(row.GetInt32(4), Time(row, 5), Time(row, 6), Time(row, 7));
        return found;
    }

    /// <summary>Writes how lanes have been doing, in the order given.</summary>
    public static Task WriteLanes(this Tx tx, IReadOnlyList<(LaneKey Lane, LaneHealth Health)> lanes, CancellationToken ct) => tx.Do("""
        INSERT INTO webhook_lane (shard, account_id, endpoint_id, lane, failures, first_failure, failing_since, slow_until)
        SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[])
        ON CONFLICT (shard, account_id, endpoint_id, lane) DO UPDATE SET failures = excluded.failures, first_failure = excluded.first_failure,
            failing_since = excluded.failing_since, slow_until = excluded.slow_until
        """, ct, [.. Lanes([.. lanes.Select(one => one.Lane)]), P(lanes, l => l.Health.Failures),
        P(lanes, l => l.Health.FirstFailure?.UtcDateTime), P(lanes, l => l.Health.FailingSince?.UtcDateTime),
        P(lanes, l => l.Health.SlowUntil?.UtcDateTime)]);

    /// <summary>Forgets how an endpoint has been doing: it was enabled again.</summary>
    public static Task ClearFailures(this Tx tx, EndpointKey endpoint, CancellationToken ct) => tx.Do(
        "DELETE FROM webhook_lane WHERE shard = $1 AND account_id = $2 AND endpoint_id = $3", ct,
        P(endpoint.Shard), P(endpoint.Account.Value), P(endpoint.Id));

    /// <summary>
    /// Forgets everything of an endpoint that is deleted. Whoever makes deliveries, or writes down how one went, has locked the progress or
    /// the delivery: after they are gone, nothing is added to the rest.
    /// </summary>
    public static async Task DropDeliveries(this Tx tx, EndpointKey endpoint, CancellationToken ct)
    {
        foreach (var sql in (string[])
            [
                "DELETE FROM webhook_progress", "DELETE FROM delivery", "DELETE FROM delivery_attempt", "DELETE FROM webhook_lane",
            ])
            await tx.Do($"{sql} WHERE shard = $1 AND account_id = $2 AND endpoint_id = $3", ct,
                P(endpoint.Shard), P(endpoint.Account.Value), P(endpoint.Id));
    }

    /// <summary>
    /// Deletes some deliveries that were finished before a time, with their attempts, the oldest of each endpoint first; answers how many.
    /// Those that wait stay, and so do the pings of an endpoint that has not answered one: its cursor has yet to pass them.
    /// </summary>
    public static async Task<long> DeleteFinished(this Tx tx, DateTimeOffset before, int ofEndpoint, int limit, CancellationToken ct)
    {
        await using var command = tx.Command("""
            WITH old AS (
                SELECT p.shard, p.account_id, p.endpoint_id, o.event_number
                FROM webhook_progress p CROSS JOIN LATERAL (
                    SELECT event_number, finished_at FROM delivery
                    WHERE shard = p.shard AND account_id = p.account_id AND endpoint_id = p.endpoint_id AND event_number <= p.fanned_to
                    ORDER BY event_number LIMIT $2) o
                WHERE o.finished_at < $1 LIMIT $3),
            done AS (
                DELETE FROM delivery d USING old k
                WHERE d.shard = k.shard AND d.account_id = k.account_id AND d.endpoint_id = k.endpoint_id AND d.event_number = k.event_number
                    AND d.finished_at < $1
                RETURNING d.shard, d.account_id, d.endpoint_id, d.event_number),
            attempts AS (
                DELETE FROM delivery_attempt a USING done k
                WHERE a.shard = k.shard AND a.account_id = k.account_id AND a.endpoint_id = k.endpoint_id AND a.event_number = k.event_number)
            SELECT count(*) FROM done
            """, P(before.UtcDateTime), P(ofEndpoint), P(limit));
        return (long)(await command.ExecuteScalarAsync(ct))!;
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

    private const string Same =
        "d.shard = k.shard AND d.account_id = k.account_id AND d.endpoint_id = k.endpoint_id AND d.event_number = k.event_number";

    private const string These = $"""
        FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[])
            AS k(shard, account_id, endpoint_id, event_number, until)
        WHERE {Same}
        """;

    private static NpgsqlParameter[] Keys(IReadOnlyList<DueDelivery> rows) =>
        [P(rows, r => r.Lane.Endpoint.Shard), P(rows, r => r.Lane.Endpoint.Account.Value), P(rows, r => r.Lane.Endpoint.Id), P(rows, r => r.Number)];

    private static NpgsqlParameter[] Lanes(IReadOnlyList<LaneKey> lanes) =>
        [P(lanes, l => l.Endpoint.Shard), P(lanes, l => l.Endpoint.Account.Value), P(lanes, l => l.Endpoint.Id), P(lanes, l => l.Name)];

    private static DateTimeOffset? Time(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetFieldValue<DateTime>(at);
}
