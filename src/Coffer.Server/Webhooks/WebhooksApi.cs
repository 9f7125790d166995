using Coffer.Server.Auth;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Outbound;
using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>
/// The account's endpoints over HTTP (contract 6); with access tokens only, like all of <c>/user/</c>. Where an endpoint's id may stand,
/// <c>callbacks</c> stands for what signs the callback_url of payments and withdrawals.
/// </summary>
internal sealed class WebhooksApi(Db db, ChangeEndpoints change, NetworkRules targets, TimeProvider time)
{
    private const string Root = "/user/webhooks";
    private const string One = Root + "/{webhook_id}";

    public void Map(IEndpointRouteBuilder web)
    {
        web.MapGet(Root, List).RequireToken(Scopes.Read);
        web.MapPost(Root, Create).RequireToken(Scopes.Write);
        web.MapGet(One, Show).RequireToken(Scopes.Read);
        web.MapPatch(One, Change).RequireToken(Scopes.Write);
        web.MapDelete(One, Delete).RequireToken(Scopes.Write);
        web.MapPost(One + "/enable", http => Do(http, change.Enable)).RequireToken(Scopes.Write);
        web.MapPost(One + "/disable", http => Do(http, change.Disable)).RequireToken(Scopes.Write);
        web.MapPost(One + "/ping", http => Do(http, change.SendPing, StatusCodes.Status202Accepted)).RequireToken(Scopes.Write);
        web.MapPost(One + "/rotate-secret", RotateSecret).RequireToken(Scopes.Write);
    }

    /// <summary>The endpoint that the path names.</summary>
    /// <exception cref="Refused">The account has no such endpoint.</exception>
    public static async Task<WebhookEndpoint> Named(HttpContext http, Db db, ChangeEndpoints change)
    {
        var caller = http.Caller();
        if (http.GetRouteValue("webhook_id") is WebhookJson.Callbacks)
            return await change.Callbacks(caller, http.RequestAborted);
        var key = new EndpointKey(caller.Shard, caller.Account, http.RouteUuid("webhook_id"));
        return await db.FindEndpoint(key, http.RequestAborted) is { Kind: EndpointKind.Endpoint } endpoint ? endpoint : throw NotFound();
    }

    private async Task List(HttpContext http)
    {
        Input.Query(http).Check();
        var caller = http.Caller();
        var all = await db.WebhookEndpoints(caller.Shard, caller.Account, http.RequestAborted);
        var endpoints = all.FindAll(one => one.Kind == EndpointKind.Endpoint);
        var healths = await db.EndpointHealths(caller.Shard, caller.Account, null, http.RequestAborted);
        var now = time.GetUtcNow();
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("webhooks"u8);
            foreach (var endpoint in endpoints)
                json.Write(endpoint, healths.GetValueOrDefault(endpoint.Key.Id), now);
            json.WriteEndArray();
            json.WritePropertyName("callbacks"u8);
            if (all.Find(one => one.Kind == EndpointKind.Callbacks) is { } callbacks)
                json.Write(callbacks, healths.GetValueOrDefault(callbacks.Key.Id), now);
            else
                json.WriteNullValue();
            json.WriteNumber("total"u8, endpoints.Count);
            json.WriteNumber("limit"u8, WebhookEndpoint.CountMax);
            json.WriteEndObject();
        });
    }

    private async Task Create(HttpContext http)
    {
        var caller = http.Caller();
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var wish = new EndpointWish(body.OptionalTarget("url", caller.Mode, targets) ?? body.Text("url"), Description(body), Types(body));
        body.Check();
        var (endpoint, secret) = await change.Create(caller, wish, http.RequestAborted);
        await Show(http, endpoint, StatusCodes.Status201Created, secret);
    }

    private async Task Show(HttpContext http)
    {
        Input.Query(http).Check();
        await Show(http, await Named(http, db, change));
    }

    /// <summary>What is not sent stays; <c>null</c> takes a description away, and as types it means all.</summary>
    private async Task Change(HttpContext http)
    {
        Input.Query(http).Check();
        var key = (await Named(http, db, change)).Key;
        var body = await Input.Body(http);
        var (url, description, types) = (body.OptionalTarget("url", http.Caller().Mode, targets), Description(body), Types(body));
        if (body.Has("url") && url is null)
            body.Fault("url", "Send a URL, or leave it out to keep the one that is there.");
        body.Check();
        await Show(http, await change.Change(key, old => new EndpointWish(url ?? old.Url, body.Has("description") ? description : old.Description,
            body.Has("types") ? types : old.Types), http.RequestAborted));
    }

    private async Task Delete(HttpContext http)
    {
        Input.Query(http).Check();
        if (http.GetRouteValue("webhook_id") is WebhookJson.Callbacks)
            throw new Refused(new(RefusalCode.Conflict, "Callbacks cannot be deleted; POST .../disable/ ends what is sent to them."));
        var caller = http.Caller();
        if (!await change.Delete(new EndpointKey(caller.Shard, caller.Account, http.RouteUuid("webhook_id")), http.RequestAborted))
            throw NotFound();
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task Do(HttpContext http, Func<EndpointKey, CancellationToken, Task<WebhookEndpoint?>> work, int status = 200)
    {
        Input.Query(http).Check();
        (await Input.Body(http)).Check();
        await Show(http, await work((await Named(http, db, change)).Key, http.RequestAborted), status);
    }

    private async Task RotateSecret(HttpContext http)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var hours = body.Number("overlap_hours", WebhookEndpoint.OverlapHoursDefault, 0, WebhookEndpoint.OverlapHoursMax);
        body.Check();
        var key = (await Named(http, db, change)).Key;
        var (endpoint, secret) = await change.RotateSecret(key, TimeSpan.FromHours(hours), http.RequestAborted) ?? throw NotFound();
        await Show(http, endpoint, StatusCodes.Status200OK, secret);
    }

    private async Task Show(HttpContext http, WebhookEndpoint? endpoint, int status = 200, string? secret = null)
    {
        if (endpoint is null)
            throw NotFound();
        var key = endpoint.Key;
        var health = (await db.EndpointHealths(key.Shard, key.Account, key.Id, http.RequestAborted)).GetValueOrDefault(key.Id);
        http.Response.Headers.CacheControl = "no-store";
        await Answer.Json(http, status, json => json.Write(endpoint, health, time.GetUtcNow(), secret));
    }

    private static string? Description(Input body) => body.OptionalText("description", WebhookEndpoint.DescriptionMax);

    /// <summary>Types of events, each once; null for all.</summary>
    private static IReadOnlyList<string>? Types(Input body)
    {
        var types = body.OptionalTexts("types", EventType.All.Count);
        if (types is not null && (types.Count == 0 || types.Any(type => !EventType.All.Contains(type))))
            body.Fault("types", $"Send a list of {string.Join(", ", EventType.All)}, or leave it out for all.");
        return types?.Distinct().ToList();
    }

    private static Refused NotFound() => new(Refusal.NotFound("webhook"));
}
