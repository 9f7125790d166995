using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Coffer.Server.Host;

/// <summary>
/// The only place that chooses a status and writes an error (contract 3). <see cref="Outer"/> calls it for what was thrown and
/// for what the framework answered without a body.
/// </summary>
internal static class Errors
{
    private const string RetrySeconds = "1";
    private static readonly Dictionary<string, object> _none = [];

    public static int Status(RefusalCode code) => code switch
    {
        RefusalCode.InvalidRequest or RefusalCode.InvalidCurrency or RefusalCode.InvalidAmount or RefusalCode.InvalidAddress => 400,
        RefusalCode.Unauthorized => 401,
        RefusalCode.Forbidden => 403,
        RefusalCode.NotFound => 404,
        RefusalCode.Conflict or RefusalCode.IdempotencyInFlight => 409,
        RefusalCode.InsufficientBalance or RefusalCode.LimitExceeded or RefusalCode.AccountFrozen or RefusalCode.AddressNotAllowed
            or RefusalCode.IdempotencyKeyReused => 422,
        RefusalCode.RateLimitExceeded => 429,
        RefusalCode.ServiceUnavailable => 503,
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "No status for this refusal."),
    };

    /// <summary>The code as the wire writes it, e.g. <c>insufficient_balance</c>.</summary>
    public static string Name(RefusalCode code) => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString());

    public static Task Write(HttpContext http, Refusal refusal)
    {
        var status = Status(refusal.Code);
        if (status == 401 && !http.Response.Headers.ContainsKey(HeaderNames.WWWAuthenticate))
            http.Response.Headers.WWWAuthenticate = "Bearer realm=\"coffer\", ApiKey realm=\"coffer\"";
        if ((status is 429 or 503 || refusal.Code == RefusalCode.IdempotencyInFlight) && http.Response.Headers.RetryAfter.Count == 0)
            http.Response.Headers.RetryAfter = RetrySeconds;
        return Write(http, status, Name(refusal.Code), refusal.Message, refusal.Details);
    }

    /// <summary>The envelope for a status that the framework chose: unknown path, 405, 413, 415 and the like.</summary>
    public static Task WriteStatus(HttpContext http, int status)
    {
        var (code, message) = status switch
        {
            401 => ("unauthorized", "Send an API key in X-API-Key or an access token in Authorization: Bearer."),
            403 => ("forbidden", "This credential may not do that."),
            404 => ("not_found", "There is nothing at this path. Check it against the documentation."),
            405 => ("invalid_request", "This path does not take this method; the Allow header lists those that it takes."),
            408 => ("invalid_request", "The request took too long to arrive. Send it again."),
            413 => ("invalid_request", $"The body is too large; at most {Input.BodyBytesMax} bytes are read."),
            415 => ("invalid_request", "Send the body as application/json."),
            429 => ("rate_limit_exceeded", "Too many requests; wait as long as Retry-After says."),
            503 => ("service_unavailable", "The service cannot answer now. Send the request again in a moment."),
            >= 500 => ("internal_error", "Something went wrong here; nothing about your request needs to change. Quote the request_id when you ask about it."),
            _ => ("invalid_request", "The request could not be read as HTTP. Check its headers and its body."),
        };
        if (status == 503 && http.Response.Headers.RetryAfter.Count == 0)
            http.Response.Headers.RetryAfter = RetrySeconds;
        return Write(http, status, code, message, null);
    }

    /// <summary>RFC 6749, 5.2: 400, except that a client that is not authenticated gets 401 with the scheme that it may use.</summary>
    public static Task Write(HttpContext http, OAuthRefused refused)
    {
        if (refused.Error == OAuthRefused.InvalidClient)
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"coffer\", charset=\"UTF-8\"";
        var status = refused.Error switch
        {
            OAuthRefused.InvalidClient => 401,
            OAuthRefused.TooMany => 429,
            _ => 400,
        };
        return WriteOAuth(http, status, refused.Error, refused.Message);
    }

    private static Task WriteOAuth(HttpContext http, int status, string error, string description)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
        return Answer.Json(http, status, json =>
        {
            json.WriteStartObject();
            json.WriteString("error"u8, error);
            json.WriteString("error_description"u8, description);
            json.WriteEndObject();
        });
    }

    private static async Task Write(HttpContext http, int status, string code, string message, IReadOnlyDictionary<string, object>? details)
    {
        if (http.Request.Path.StartsWithSegments("/o"))
        {
            await WriteOAuth(http, status, status switch
            {
                500 => "server_error",
                503 or 429 => OAuthRefused.TooMany,
                _ => OAuthRefused.InvalidRequest,
            }, message);
            return;
        }

        http.Response.StatusCode = status;
        http.Response.Headers.CacheControl = "no-store";
        if (Problem.IsAskedFor(http.Request))
        {
            await new Problem(status, code, message, details ?? _none).Write(http);
            return;
        }

        await Answer.Json(http, status, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("error"u8);
            json.WriteString("code"u8, code);
            json.WriteString("message"u8, message);
            json.WriteDetails(details ?? _none);
            json.WriteString("request_id"u8, http.RequestId());
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    /// <summary>The member <c>details</c>, the same in both forms.</summary>
    public static void WriteDetails(this Utf8JsonWriter json, IReadOnlyDictionary<string, object> details)
    {
        json.WriteStartObject("details"u8);
        foreach (var (name, value) in details)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, value.GetType());
        }

        json.WriteEndObject();
    }
}
