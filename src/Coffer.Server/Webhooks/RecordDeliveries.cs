using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Outbound;
using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>
/// Writes down how attempts went, many in one transaction: the deliveries, the attempts, how their lanes have been doing, and what follows of
/// it: an endpoint whose ping was answered is enabled, one that wants no more or has failed for too long is disabled, with an event.
/// Called by the delivery loop, which calls again with the same until it has committed.
/// </summary>
internal sealed partial class RecordDeliveries(Db db, TimeProvider time, RandomBytes random, ILogger log)
{
    private const int Gone = 410;

    // The receiver, or what stands before it, has too much to do.
    private static readonly int[] _overloaded = [429, 502, 503, 504];

    public async Task Run(IReadOnlyList<(DueDelivery Due, Attempt? Attempt, DateTimeOffset At)> ended, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        List<DueDelivery> untried = [.. ended.Where(one => one.Attempt is null).Select(one => one.Due)];
        List<TriedDelivery> tried = [.. ended.Where(one => one.Attempt is not null).Select(one => Judge(one.Due, one.Attempt!, one.At, now))];
        var disabled = await db.Transaction((tx, token) => Write(tx, untried, tried, now, token), ct, repeatable: true);
        foreach (var (endpoint, reason) in disabled)
            Disabled(log, endpoint.Key.Id, endpoint.Key.Account, reason);
    }

    private TriedDelivery Judge(DueDelivery due, Attempt attempt, DateTimeOffset at, DateTimeOffset now)
    {
        if (attempt.Succeeded)
            return new TriedDelivery(due, attempt, at, DeliveryState.Delivered, null);
        var next = attempt.Status == Gone ? null : RetrySchedule.Next(due.Attempts + 1, now, Chance());
        if (next is { } planned && Pause(attempt) is { } pause && planned < now + pause)
            next = now + pause;
        return new TriedDelivery(due, attempt, at, next is null ? DeliveryState.GivenUp : DeliveryState.Waiting, next);
    }

    private static async Task<List<(WebhookEndpoint Endpoint, string Reason)>> Write(
        Tx tx, List<DueDelivery> untried, List<TriedDelivery> tried, DateTimeOffset now, CancellationToken ct)
    {
        if (untried.Count > 0)
            await tx.Release(untried, ct);
        if (tried.Count > 0)
            await tx.Record(tried, now, ct);
        var dead = await Lanes(tx, tried, now, ct);
        List<(EndpointKey, string)> answered = [.. tried
            .Where(one => one.State == DeliveryState.Delivered && one.Due is { Type: EventType.EndpointPing, Endpoint.State: EndpointState.Pending })
            .Select(one => (one.Due.Endpoint.Key, one.Due.Url)).Distinct()];
        if (answered.Count > 0)
            await tx.EnableEndpoints(answered, now, ct);
        foreach (var (key, _) in answered)
            tx.RingFor(key.Account);

        var disabled = new List<(WebhookEndpoint, string)>();
        var events = new List<(short, NewEvent)>();
        foreach (var (key, url, reason, since) in dead.OrderBy(one => one.Key.Id))
        {
            if (await tx.DisableEndpoint(key, url, reason, now, ct) is not { } endpoint)
                continue;
            disabled.Add((endpoint, reason));
            events.Add((key.Shard, Told(endpoint, reason, since, now)));
        }

        await tx.Write(events, ct);
        return disabled;
    }

    /// <summary>Brings in line how the lanes have been doing; answers which endpoints are to be disabled.</summary>
    private static async Task<List<(EndpointKey Key, string Url, string Reason, DateTimeOffset? Since)>> Lanes(
        Tx tx, List<TriedDelivery> tried, DateTimeOffset now, CancellationToken ct)
    {
        // Lanes that do well and did well are not looked at.
        var lanes = tried.Where(one => one.State != DeliveryState.Delivered || one.Due.Failing).GroupBy(one => one.Due.Lane).ToList();
        if (lanes.Count == 0)
            return [];
        var before = await tx.LockLanes([.. lanes.Select(lane => lane.Key)], ct);
        var after = new List<(LaneKey Lane, LaneHealth Health)>();
        var dead = new List<(EndpointKey, string, string, DateTimeOffset?)>();
        foreach (var lane in lanes)
        {
            var health = before.GetValueOrDefault(lane.Key, LaneHealth.Good);
            foreach (var one in lane)
                health = one.State == DeliveryState.Delivered ? health.Succeeded(now) : health.Failed(now, Pause(one.Attempt));
            after.Add((lane.Key, health));
            // Callbacks have no endpoint of their own that could be disabled.
            if (lane.Key.Name.Length > 0)
                continue;
            if (lane.LastOrDefault(one => one.Attempt.Status == Gone) is { } gone)
                dead.Add((lane.Key.Endpoint, gone.Due.Url, "gone", health.FirstFailure));
            else if (health.IsDead(now))
                dead.Add((lane.Key.Endpoint, lane.Last().Due.Url, "failing", health.FailingSince));
        }

        await tx.WriteLanes([.. after.OrderBy(one => one.Lane)], ct);
        return dead;
    }

    private static NewEvent Told(WebhookEndpoint endpoint, string reason, DateTimeOffset? since, DateTimeOffset now) =>
        NewEvent.Of(endpoint.Key.Account, now, EventType.EndpointDisabled, json =>
        {
            json.WriteStartObject();
            json.WriteString("endpoint_id"u8, endpoint.Key.Id);
            json.WriteString("url"u8, endpoint.Url);
            json.WriteString("reason"u8, reason);
            json.WriteTime("failing_since"u8, since);
            json.WriteEndObject();
        });

    /// <summary>The pause that this answer asks for; null for none.</summary>
    public static TimeSpan? Pause(Attempt attempt)
    {
        if (attempt.Status is not { } status || !_overloaded.Contains(status))
            return null;
        var asked = attempt.RetryAfter ?? RetrySchedule.SlowPause;
        return asked < RetrySchedule.RetryAfterMax ? asked : RetrySchedule.RetryAfterMax;
    }

    private double Chance()
    {
        Span<byte> bytes = stackalloc byte[4];
        random(bytes);
        return BitConverter.ToUInt32(bytes) / (uint.MaxValue + 1.0);
    }

    [LoggerMessage(62, LogLevel.Warning, "Endpoint {Endpoint} of account {Account} is disabled: {Reason}")]
    private static partial void Disabled(ILogger log, Guid endpoint, AccountId account, string reason);
}
