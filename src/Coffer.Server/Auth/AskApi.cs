using System.Text.Json;

namespace Coffer.Server.Auth;

/// <summary>An answer of the API to the dashboard.</summary>
/// <param name="Body">An empty object where it had none.</param>
internal sealed record ApiReply(int Status, JsonElement Body)
{
    public bool Ok => Status < 300;

    /// <summary>What the envelope of an error says; empty for an answer that is none.</summary>
    public string Message => Body.TryGetProperty("error", out var error) && error.TryGetProperty("message", out var message)
        ? message.GetString() ?? "" : "";

    /// <summary>The sentences of the details, which name what is wrong with a form.</summary>
    public IEnumerable<string> Details => !Body.TryGetProperty("error", out var error) || !error.TryGetProperty("details", out var details)
        ? [] : details.EnumerateObject().Where(one => one.Value.ValueKind == JsonValueKind.Array)
            .SelectMany(one => one.Value.EnumerateArray().Select(text => $"{one.Name}: {text}"));
}

/// <summary>
/// The dashboard's way to everything that it shows and does: the server's own API, asked within the process in the name of the session.
/// So a page shows the API's figures to the digit, and may nothing that the API would not let this user do.
/// </summary>
internal sealed class AskApi(Visit visit, ApiPipeline pipeline)
{
    private static readonly JsonElement _nothing = JsonDocument.Parse("{}").RootElement;

    /// <summary>Reads; whatever is not there or may not be seen ends the page with the API's own sentence.</summary>
    /// <exception cref="Refused">The API's refusal.</exception>
    public async Task<JsonElement> Get(string path)
    {
        var reply = await Send(HttpMethods.Get, path, null);
        return reply.Ok ? reply.Body : throw new Refused(new(Code(reply.Status), reply.Message));
    }

    /// <summary>Asks and returns whatever is answered.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">What is sent as JSON; null for nothing.</param>
    /// <param name="idempotencyKey">For what moves money: the key of the form, so that it is done once however often it is sent.</param>
    public async Task<ApiReply> Send(string method, string path, object? body, string? idempotencyKey = null)
    {
        var page = visit.Http;
        var inner = new DefaultHttpContext { RequestServices = page.RequestServices, RequestAborted = page.RequestAborted };
        inner.Features.Set(visit.Own);
        inner.Connection.RemoteIpAddress = page.Connection.RemoteIpAddress;
        var query = path.IndexOf('?');
        // The wire does not let such a path in either.
        if (path.AsSpan(0, query < 0 ? path.Length : query).Contains("%00", StringComparison.Ordinal))
            throw new Refused(new(RefusalCode.InvalidRequest, "This is no id of anything."));
        inner.Request.Method = method;
        (inner.Request.Scheme, inner.Request.Host) = (page.Request.Scheme, page.Request.Host);
        // As from the wire: a slash that a form has sent in an id stays escaped and names no other route.
        inner.Request.Path = PathString.FromUriComponent(query < 0 ? path : path[..query]);
        inner.Request.QueryString = query < 0 ? QueryString.Empty : new QueryString(path[query..]);
        if (idempotencyKey is not null)
            inner.Request.Headers["Idempotency-Key"] = idempotencyKey;
        if (body is not null)
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(body);
            inner.Request.Body = new MemoryStream(bytes);
            (inner.Request.ContentType, inner.Request.ContentLength) = ("application/json", bytes.Length);
        }

        var answer = new MemoryStream();
        inner.Response.Body = answer;
        await pipeline.Run!(inner);
        return new ApiReply(inner.Response.StatusCode, answer.Length == 0 ? _nothing : Parse(answer));
    }

    private static JsonElement Parse(MemoryStream answer)
    {
        answer.Position = 0;
        return JsonDocument.Parse(answer).RootElement;
    }

    private static RefusalCode Code(int status) => status switch
    {
        401 => RefusalCode.Unauthorized,
        403 => RefusalCode.Forbidden,
        404 => RefusalCode.NotFound,
        409 => RefusalCode.Conflict,
        429 => RefusalCode.RateLimitExceeded,
        >= 500 => RefusalCode.ServiceUnavailable,
        _ => RefusalCode.InvalidRequest,
    };
}

/// <summary>What a request of the API goes through; filled where the server is composed, before it listens.</summary>
internal sealed class ApiPipeline
{
    public RequestDelegate? Run { get; set; }
}
