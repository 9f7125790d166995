using System.Globalization;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using EventId = Coffer.Server.Events.EventId;

namespace Coffer.Server.Webhooks;

/// <summary>
/// What was sent to an endpoint and how that went, over HTTP; and sending it again. A delivery is named by its event, and keeps that name
/// however often it is sent: a receiver that had it recognises it.
/// </summary>
internal sealed class DeliveriesApi(Db db, ChangeEndpoints change, TimeProvider time)
{
    /// <summary>Deliveries that one request sends again.</summary>
    public const int ReplayMax = 10_000;

    private const string Root = "/user/webhooks/{webhook_id}";
    private const string All = Root + "/deliveries";
    private const string One = All + "/{event_id}";
    private const int PageDefault = 20;
    private const int PageMax = 100;
    private const int AttemptsListed = 10;
    private const int AttemptsShown = 100;

    public void Map(IEndpointRouteBuilder web)
    {
        web.MapGet(All, List).RequireToken(Scopes.Read);
        web.MapGet(One, Show).RequireToken(Scopes.Read);
        web.MapPost(One + "/resend", Resend).RequireToken(Scopes.Write);
        web.MapPost(Root + "/replay", Replay).RequireToken(Scopes.Write);
    }

    private async Task List(HttpContext http)
    {
        var query = Input.Query(http);
        var limit = query.Number("limit", PageDefault, 1, PageMax);
        var before = EventNumber(query, "starting_after", http.Caller().Account) ?? long.MaxValue;
        DeliveryState? state = query.OptionalChoice("status", DeliveryJson.Statuses, out var known) ? known : null;
        query.Check();
        var endpoint = await WebhooksApi.Named(http, db, change);
        var page = await db.Deliveries(endpoint.Key, state, (1, before), limit + 1, AttemptsListed, http.RequestAborted);
        var more = page.Count > limit;
        if (more)
            page.RemoveAt(limit);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("deliveries"u8);
            foreach (var delivery in page)
                json.Write(delivery, endpoint);
            json.WriteEndArray();
            json.WriteBoolean("has_more"u8, more);
            json.WriteString("next_cursor"u8, more ? EventId.Of(endpoint.Key.Account, page[^1].Number) : null);
            json.WriteEndObject();
        });
    }

    private async Task Show(HttpContext http)
    {
        Input.Query(http).Check();
        var endpoint = await WebhooksApi.Named(http, db, change);
        await Show(http, endpoint, Number(http), StatusCodes.Status200OK);
    }

    /// <summary>From the start of the schedule, also what had arrived.</summary>
    private async Task Resend(HttpContext http)
    {
        Input.Query(http).Check();
        (await Input.Body(http)).Check();
        var endpoint = On(await WebhooksApi.Named(http, db, change));
        var number = Number(http);
        if (!await db.Transaction((tx, ct) => tx.Resend(endpoint.Key, number, time.GetUtcNow(), ct), http.RequestAborted, repeatable: true))
            throw NotFound();
        await Show(http, endpoint, number, StatusCodes.Status202Accepted);
    }

    /// <summary>Sends again what happened since a time and has not arrived; if wanted, also what has. Oldest first, so many at once.</summary>
    private async Task Replay(HttpContext http)
    {
        Input.Query(http).Check();
        var caller = http.Caller();
        var body = await Input.Body(http);
        var after = EventNumber(body, "after", caller.Account);
        var since = Time(body, "since");
        if (since is null && after is null)
            body.Fault("since", "Send a time such as 2026-01-15T09:30:00Z, or in after the next_after of the answer before.");
        else if (since is not null && after is not null)
            body.Fault("after", "Send since or after, not both.");
        var delivered = body.Flag("delivered");
        body.Check();
        var endpoint = On(await WebhooksApi.Named(http, db, change));
        var from = after + 1 ?? await db.FirstEventSince(caller.Shard, caller.Account, since!.Value, http.RequestAborted) ?? long.MaxValue;
        var (count, last) = await db.Transaction(
            (tx, ct) => tx.Replay(endpoint.Key, from, delivered, ReplayMax, time.GetUtcNow(), ct), http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status202Accepted, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("count"u8, count);
            json.WriteString("next_after"u8, count == ReplayMax ? EventId.Of(caller.Account, last) : null);
            json.WriteEndObject();
        });
    }

    private async Task Show(HttpContext http, WebhookEndpoint endpoint, long number, int status)
    {
        var found = await db.Deliveries(endpoint.Key, null, (number, number + 1), 1, AttemptsShown, http.RequestAborted);
        var delivery = found is [var one] ? one : throw NotFound();
        await Answer.Json(http, status, json => json.Write(delivery, endpoint));
    }

    private static long Number(HttpContext http) =>
        EventId.Read(http.GetRouteValue("event_id") as string ?? "", http.Caller().Account) is { } number and < long.MaxValue
            ? number : throw NotFound();

    private static long? EventNumber(Input input, string name, AccountId account)
    {
        if (input.OptionalText(name) is not { } text)
            return null;
        if (EventId.Read(text, account) is { } number and < long.MaxValue)
            return number;
        input.Fault(name, "Send the id of one of the account's events, such as evt_019469212e0770008799aaa0c9d163ca_17.");
        return null;
    }

    private static DateTimeOffset? Time(Input body, string name)
    {
        string[] forms = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (body.OptionalText(name) is not { } text)
            return null;
        if (DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, utc, out var time))
            return time;
        body.Fault(name, "Send a time such as 2026-01-15T09:30:00Z, in UTC.");
        return null;
    }

    private static WebhookEndpoint On(WebhookEndpoint endpoint) => endpoint.IsOn ? endpoint : throw new Refused(new(RefusalCode.Conflict,
        "The endpoint is disabled and nothing is sent there; POST .../enable/ first. What it was not told meanwhile it is told then."));

    private static Refused NotFound() => new(Refusal.NotFound("delivery"));
}
