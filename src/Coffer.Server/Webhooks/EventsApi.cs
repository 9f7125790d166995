using System.Globalization;
using System.Text;
using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using EventId = Coffer.Server.Events.EventId;

namespace Coffer.Server.Webhooks;

/// <summary>
/// Everything that an account was told, in order and without a gap: page by page, or as a stream (server-sent events) that begins after any
/// number. A stream lives for some minutes and is opened again by its caller, so that a credential that was revoked sees no more.
/// </summary>
internal sealed class EventsApi(Db db, EventStreams streams, CancellationToken stopping)
{
    /// <summary>Nothing is said for at most this long: a line that is down is noticed, and nobody between takes it for idle.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    /// <summary>How long a stream lives.</summary>
    public static readonly TimeSpan StreamMax = TimeSpan.FromMinutes(10);

    private const int PageDefault = 100;
    private const int PageMax = 500;
    private const int StreamPage = 100;
    private const int RetryMilliseconds = 2_000;
    private const string LastEventId = "Last-Event-ID";

    private static readonly Dictionary<string, string> _types = EventType.All.ToDictionary(type => type);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/events", List).RequireRead();
        routes.MapGet("/events/stream", Stream).RequireRead();
    }

    private async Task List(HttpContext http)
    {
        var query = Input.Query(http);
        var after = Number(query, "after", query.OptionalText("after"));
        var limit = query.Number("limit", PageDefault, 1, PageMax);
        var question = Question(http.Caller(), after ?? 0, Types(query));
        query.Check();
        var page = await db.Events(question, limit, http.RequestAborted);
        CheckNumber("after", after, page.Last);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("events"u8);
            foreach (var one in page.Events)
                Write(json, question.Account, one);
            json.WriteEndArray();
            json.WriteBoolean("has_more"u8, page.Next < page.Last);
            json.WriteNumber("next_cursor"u8, page.Next);
            json.WriteEndObject();
        });
    }

    private async Task Stream(HttpContext http)
    {
        var query = Input.Query(http);
        var after = Number(query, "after", query.OptionalText("after"));
        // What a browser sends when it comes again is newer than what its page was made with.
        var seen = http.Request.Headers[LastEventId].ToString();
        if (seen.Length > 0)
            after = Number(query, LastEventId, seen);
        var question = Question(http.Caller(), after ?? 0, Types(query));
        query.Check();
        using var stream = streams.Open(question.Shard, question.Account) ?? throw new Refused(new(RefusalCode.RateLimitExceeded,
            $"Too many streams are open; an account may have {EventStreams.PerAccountMax}. Close one, or read GET /events/ instead."));
        // Read after the stream was opened: what is written from here on wakes it.
        var newest = (await db.Events(question with { After = long.MaxValue - EventReadSql.LookedAtMax }, 1, http.RequestAborted)).Last;
        CheckNumber(seen.Length > 0 ? LastEventId : "after", after, newest);
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache, no-store";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        ending.CancelAfter(StreamMax);
        try
        {
            await Send(http.Response, stream, question with { After = after ?? newest }, ending.Token);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            // Its time is over, or the server's: the answer ends in order and the caller comes again.
        }
    }

    /// <summary>Sends until it is ended. The number goes out first, so that a caller who comes again misses nothing even if nothing came.</summary>
    private async Task Send(HttpResponse response, EventStream stream, EventQuestion question, CancellationToken ct)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"retry: {RetryMilliseconds}\nid: {question.After}\n\n");
        while (true)
        {
            var page = await db.Events(question, StreamPage, ct);
            foreach (var one in page.Events)
                text.Append(CultureInfo.InvariantCulture, $"id: {one.Number}\nevent: {one.Type}\ndata: ")
                    .Append(Encoding.UTF8.GetString(Answer.Bytes(json => Write(json, question.Account, one)))).Append("\n\n");
            // What was passed over need not be looked at again. Without data a browser keeps the number and tells nobody.
            if (page.Next > question.After && (page.Events.Count == 0 || page.Events[^1].Number != page.Next))
                text.Append(CultureInfo.InvariantCulture, $"id: {page.Next}\n\n");
            await Flush(response, text, ct);
            question = question with { After = page.Next };
            stream.Seen = page.Next;
            while (page.Next >= page.Last && !await stream.Wait(Heartbeat, ct))
                await Flush(response, text.Append(":\n\n"), ct);
        }
    }

    private static async Task Flush(HttpResponse response, StringBuilder text, CancellationToken ct)
    {
        await response.WriteAsync(text.ToString(), ct);
        await response.Body.FlushAsync(ct);
        text.Clear();
    }

    private static void Write(Utf8JsonWriter json, AccountId account, KeptEvent one)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, EventId.Of(account, one.Number));
        json.WriteNumber("sequence"u8, one.Number);
        json.WriteString("type"u8, one.Type);
        json.WriteTime("timestamp"u8, one.At);
        json.WritePropertyName("data"u8);
        json.WriteRawValue(one.Data);
        json.WriteEndObject();
    }

    private static EventQuestion Question(Caller caller, long after, string[]? types) =>
        new(caller.Shard, caller.Account, after, types, caller.Wallets?.ToArray());

    private static string[]? Types(Input query)
    {
        var types = query.OptionalText("types")?.Split(',', StringSplitOptions.TrimEntries);
        if (types?.All(_types.ContainsKey) is false)
            query.Fault("types", $"Send some of {string.Join(", ", EventType.All)}, with commas between.");
        return types;
    }

    private static long? Number(Input query, string name, string? text)
    {
        if (text is null)
            return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue / 2)
            return number;
        query.Fault(name, "Send the sequence of an event, a whole number, or 0 for the beginning.");
        return 0;
    }

    /// <summary>Who has seen what this server has not written was here before a backup was restored, or is somebody else: he must not wait.</summary>
    private static void CheckNumber(string name, long? after, long last)
    {
        if (after > last)
            throw new Refused(new(RefusalCode.InvalidRequest, $"There is no event {after} yet; the newest is {last}.",
                new Dictionary<string, object> { [name] = new[] { $"Send at most {last}." } }));
    }
}
