using System.Net.Http.Headers;
using System.Text.Json;

namespace Coffer.Tests.OpenApi;

/// <summary>One request of the description, filled in so that nothing in its path is there.</summary>
internal sealed record Asked(HttpMethod Method, string Path, JsonElement Operation, string Template = "")
{
    private const string Nobody = "550e8400-e29b-41d4-a716-446655440000";
    private const string Json = "application/json", Problem = "application/problem+json";

    /// <summary>All of them, except those below /o/, which have errors of their own.</summary>
    public static IEnumerable<Asked> All() => Description.Operations().Select(one => one.Key.Split(' ') switch
    {
        [var method, var path] => new Asked(new HttpMethod(method), Filled(path), one.Value, path),
        _ => throw new InvalidOperationException(one.Key),
    }).Where(asked => !asked.Path.StartsWith("/o/", StringComparison.Ordinal));

    public bool IsSecured => Operation.GetProperty("security").GetArrayLength() > 0;

    /// <summary>The scope that its access token holds; empty for the one that only the operator gives.</summary>
    public string Scope => Operation.GetProperty("security").EnumerateArray().SelectMany(one => one.EnumerateObject())
        .Where(one => one.Name == "oauth").SelectMany(one => one.Value.EnumerateArray()).Select(word => word.GetString()!).FirstOrDefault("");

    public IEnumerable<JsonElement> Parameters(string place) => !Operation.TryGetProperty("parameters", out var parameters) ? []
        : parameters.EnumerateArray().Select(Description.Resolved).Where(one => one.GetProperty("in").GetString() == place);

    /// <summary>Whether a path is one of those that it stands for.</summary>
    public bool Takes(string path) => Template.Split('/') is var steps && path.Split('/') is var parts && steps.Length == parts.Length
        && steps.Zip(parts).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second);

    /// <summary>The schema of its JSON body; null where it has none.</summary>
    public JsonElement? Body => Operation.TryGetProperty("requestBody", out var body)
        ? Description.Resolved(Description.Resolved(body).GetProperty("content").GetProperty(Json).GetProperty("schema")) : null;

    /// <summary>Asks, expects this refusal in both forms of an error, and that each is whole.</summary>
    public async Task Refused(World world, int status, string code, string? names = null, string query = "", Func<HttpContent>? body = null,
        string? token = null, HttpMethod? method = null)
    {
        foreach (var form in (string[])[Json, Problem])
        {
            using var request = new HttpRequestMessage(method ?? Method, Path + query) { Content = body?.Invoke() };
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(form));
            if (token is not null)
                request.Headers.Authorization = new("Bearer", token);
            var got = await world.Send(request);
            var what = $"{method ?? Method} {Path}{query} {form}: {got.Status} {got.Text}";
            Assert.True(got.Status == status && got.Header("Content-Type")!.Split(';')[0] == form, what);
            var error = form == Json ? got.Json.GetProperty("error") : got.Json;
            Assert.True(error.GetProperty("code").GetString() == code, what);
            Assert.True(error.GetProperty("request_id").GetString() == got.Header("Request-Id"), what);
            Assert.True(names is null || error.GetProperty("details").TryGetProperty(names, out _), what);
            Assert.True(status is not (429 or 503) || int.Parse(got.Header("Retry-After")!) > 0, what);
            Assert.True(status != 401 || got.Header("WWW-Authenticate") is not null, what);
            if (form != Problem)
                continue;
            Assert.True(error.GetProperty("status").GetInt32() == status && error.GetProperty("instance").GetString() == Path, what);
            Assert.True(status == 429 || error.GetProperty("type").GetString() == $"/docs#ErrorCode-{code}", what);
        }
    }

    private static string Filled(string path) => string.Join('/', path.Split('/').Select(part => part switch
    {
        "{currency}" => "BTC",
        "{txid}" => new string('a', 64),
        "{event_id}" => $"evt_{Nobody.Replace("-", "", StringComparison.Ordinal)}_1",
        _ when part.StartsWith('{') => Nobody,
        _ => part,
    }));
}
