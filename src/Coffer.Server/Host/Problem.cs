using Microsoft.Net.Http.Headers;

namespace Coffer.Server.Host;

/// <summary>
/// The same error in the form of RFC 9457, for callers whose <c>Accept</c> names <c>application/problem+json</c>. Its type leads to the
/// word in our own reference, except that a used-up quota has the type that everybody knows it by (draft-ietf-httpapi-ratelimit-headers).
/// </summary>
internal sealed record Problem(int Status, string Code, string Message, IReadOnlyDictionary<string, object> Details)
{
    /// <summary>The detail of a refusal that names the quota which is used up, as <c>RateLimit-Policy</c> names it.</summary>
    public const string Policy = "policy";

    private const string MediaType = "application/problem+json";
    private const string QuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    private const string Reference = "/docs#ErrorCode-";

    /// <summary>Whether this form is named, and not liked less than the usual one.</summary>
    public static bool IsAskedFor(HttpRequest request)
    {
        if (request.Headers.Accept.Count == 0 || !MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
            return false;
        var quality = Quality(accepted, MediaType);
        return quality > 0 && quality >= Quality(accepted, "application/json");
    }

    public Task Write(HttpContext http)
    {
        var quota = Details.GetValueOrDefault(Policy) as string;
        return Answer.Json(http, Status, json =>
        {
            json.WriteStartObject();
            json.WriteString("type"u8, quota is null ? Reference + Code : QuotaExceeded);
            json.WriteString("title"u8, $"{char.ToUpperInvariant(Code[0])}{Code[1..].Replace('_', ' ')}");
            json.WriteNumber("status"u8, Status);
            json.WriteString("detail"u8, Message);
            json.WriteString("instance"u8, http.Request.Path.ToUriComponent());
            json.WriteString("code"u8, Code);
            json.WriteDetails(Details);
            if (quota is not null)
            {
                json.WriteStartArray("violated-policies"u8);
                json.WriteStringValue(quota);
                json.WriteEndArray();
            }

            json.WriteString("request_id"u8, http.RequestId());
            json.WriteEndObject();
        }, MediaType);
    }

    private static double Quality(IList<MediaTypeHeaderValue> accepted, string type) => accepted
        .Where(one => one.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase)).Select(one => one.Quality ?? 1).DefaultIfEmpty(0).Max();
}
