using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>
/// A node that answers what a test says, over HTTP like a real one. For answers that only Bitcoin Core gives, recorded from its documentation
/// and source, and, with a real node behind, for a liar.
/// </summary>
internal sealed class AnsweringNode : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Dictionary<string, Func<JsonElement, Task<object?>>> answers = [];

    private AnsweringNode(WebApplication app) => this.app = app;

    /// <summary>The methods that were asked for, each call of a batch on its own.</summary>
    public List<string> Asked { get; } = [];

    public Uri Url => new(app.Urls.Single());

    /// <summary>What is said of a method that has no answer here; null: -32601.</summary>
    public Bcoin? Behind { get; private init; }

    /// <summary>Every request is answered with these bytes, <c>ID</c> in them replaced by the number of the request; null: as told.</summary>
    public byte[]? Body { get; set; }

    /// <summary>True: every request is answered with HTTP 503.</summary>
    public bool Away { get; set; }

    public static async Task<AnsweringNode> Start(Bcoin? behind = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var node = new AnsweringNode(builder.Build()) { Behind = behind };
        node.app.Run(node.Answer);
        await node.app.StartAsync();
        return node;
    }

    /// <summary>From now on the method answers so; <see cref="Refusal"/> for an error.</summary>
    public AnsweringNode On(string method, Func<JsonElement, object?> answer) =>
        On(method, parameters => Task.FromResult(answer(parameters)));

    public AnsweringNode On(string method, Func<JsonElement, Task<object?>> answer)
    {
        answers[method] = answer;
        return this;
    }

    /// <summary>From now on the method answers this JSON.</summary>
    public AnsweringNode On(string method, string json) => On(method, _ => JsonElement.Parse(json));

    /// <summary>From now on the method is not answered here.</summary>
    public void Off(string method) => answers.Remove(method);

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async Task Answer(HttpContext http)
    {
        if (Away)
        {
            http.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
            return;
        }

        var request = (await JsonDocument.ParseAsync(http.Request.Body)).RootElement;
        if (Body is not null)
        {
            var id = request.ValueKind == JsonValueKind.Object ? request.GetProperty("id").GetRawText() : "0";
            var text = Encoding.Latin1.GetString(Body).Replace("ID", id, StringComparison.Ordinal);
            await http.Response.Body.WriteAsync(Encoding.Latin1.GetBytes(text));
            return;
        }

        if (request.ValueKind != JsonValueKind.Array)
        {
            await http.Response.WriteAsJsonAsync(await Reply(request));
            return;
        }

        var replies = new List<object>();
        foreach (var call in request.EnumerateArray())
            replies.Add(await Reply(call));
        await http.Response.WriteAsJsonAsync(replies);
    }

    private async Task<object> Reply(JsonElement call)
    {
        var (id, method, parameters) = (call.GetProperty("id").GetInt64(), call.GetProperty("method").GetString()!, call.GetProperty("params"));
        lock (Asked)
            Asked.Add(method);
        try
        {
            var result = answers.TryGetValue(method, out var answer) ? await answer(parameters)
                : Behind is null ? throw new Refusal(-32601, "Method not found")
                : await Behind.Call(method, [.. parameters.EnumerateArray().Select(one => (object?)one)]);
            return new { result, error = (object?)null, id };
        }
        catch (Refusal refusal)
        {
            return new { result = (object?)null, error = new { code = refusal.Code, message = refusal.Message }, id };
        }
    }
}

/// <summary>What a node refuses with.</summary>
public sealed class Refusal(int code, string words) : Exception(words)
{
    public int Code { get; } = code;
}
