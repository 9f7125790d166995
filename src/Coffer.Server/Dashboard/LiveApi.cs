using System.Collections.Concurrent;
using System.Globalization;
using Coffer.Server.Auth;
using Coffer.Server.Sql;

namespace Coffer.Server.Dashboard;

/// <summary>
/// <c>GET /dashboard/live</c>: tells an open page that its account has new events, and nothing else; the page then asks for itself again.
/// The id of each message is the number of the account's last event, so a page that was away learns of what it missed; one that comes for
/// the first time names what it was made with (<c>?after=</c>). Ends with its session. If the process dies here the browser dials again.
/// </summary>
internal sealed class LiveApi(Db db, CredentialUse use, TimeProvider time, CancellationToken stopping)
{
    /// <summary>How often other processes' events are looked for, and whether the session is still valid.</summary>
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(2);

    /// <summary>After this long something is sent, so that both ends notice a dead line.</summary>
    private static readonly TimeSpan _beat = TimeSpan.FromSeconds(12);

    /// <summary>Streams of one session at a time: its open windows. Each costs two small statements now and then.</summary>
    private const int StreamsMax = 16;

    private readonly ConcurrentDictionary<Guid, int> _streams = new();

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet(Sessions.LivePath, Run).Public().WithMetadata(new PageAccess(Role.Viewer));

    private async Task Run(HttpContext http)
    {
        var session = http.Features.Get<Session>()!;
        if (_streams.AddOrUpdate(session.Credential, 1, (_, open) => open + 1) > StreamsMax)
        {
            Leave(session);
            throw new Refused(new(RefusalCode.RateLimitExceeded, "Too many windows are open; close some."));
        }

        try
        {
            await Tell(http, session);
        }
        finally
        {
            Leave(session);
        }
    }

    private void Leave(Session session)
    {
        if (_streams.AddOrUpdate(session.Credential, 0, (_, open) => open - 1) == 0)
            _streams.TryRemove(KeyValuePair.Create(session.Credential, 0));
    }

    private async Task Tell(HttpContext http, Session session)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        // Never disposed: a ring that is under way when the page goes must not fail in the transaction that rang.
        var rung = new SemaphoreSlim(0);
        using var bell = db.Bell.Listen(account =>
        {
            if (account == session.Account)
                rung.Release();
        });
        http.Response.ContentType = "text/event-stream";
        var told = Number(http.Request.Headers["Last-Event-ID"]) ?? Number(http.Request.Query["after"]) ?? session.LastEvent;
        await Say(http, "retry: 2000\n\n", ends.Token);
        var said = time.GetTimestamp();
        try
        {
            while (await db.SessionByHash(session.Hash, ends.Token) is { } row && row.IsValid(time.GetUtcNow(), use.LastUse(session.Hash)))
            {
                if (row.Session.LastEvent is var now && now != told)
                {
                    told = now;
                    await Say(http, $"id: {now}\nevent: change\ndata: {now}\n\n", ends.Token);
                    said = time.GetTimestamp();
                }
                else if (time.GetElapsedTime(said) >= _beat)
                {
                    await Say(http, "event: beat\ndata: 1\n\n", ends.Token);
                    said = time.GetTimestamp();
                }

                await rung.WaitAsync(_look, ends.Token);
            }
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // The page was closed, or the server ends.
        }
    }

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static async Task Say(HttpContext http, string text, CancellationToken ct)
    {
        await http.Response.WriteAsync(text, ct);
        await http.Response.Body.FlushAsync(ct);
    }
}
