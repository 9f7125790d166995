using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coffer.Tests.Chains.Evm;

/// <summary>
/// A node in front of a real one that passes calls on and changes what comes back as the test tells it, or answers a request as a whole
/// itself: busy, cut off, no JSON-RPC.
/// </summary>
internal sealed class FaultyRpc : IAsyncDisposable
{
    private readonly HttpClient http = new();
    private readonly WebApplication app;

    private FaultyRpc(WebApplication app) => this.app = app;

    public Uri Url => new(app.Urls.First());

    /// <summary>Per call, with the reply of the real node; answers the reply to give, null to leave it out.</summary>
    public Func<string, JsonArray, JsonObject, JsonObject?> Alter { get; set; } = (_, _, reply) => reply;

    /// <summary>Answers a whole request; false passes it on.</summary>
    public Func<HttpContext, Task<bool>> Instead { get; set; } = _ => Task.FromResult(false);

    /// <summary>Changes the replies to a batch as a whole.</summary>
    public Func<JsonArray, JsonNode> Batch { get; set; } = replies => replies;

    /// <summary>How often each method was called.</summary>
    public ConcurrentDictionary<string, int> Calls { get; } = [];

    /// <summary>HTTP requests so far.</summary>
    public int Requests { get; private set; }

    public static async Task<FaultyRpc> Start(Uri behind)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var node = new FaultyRpc(builder.Build());
        node.app.Run(context => node.Answer(context, behind));
        await node.app.StartAsync();
        return node;
    }

    /// <summary>A reply with an error in place of a result.</summary>
    public static JsonObject Error(JsonObject reply, int code, string message) => new()
    {
        ["jsonrpc"] = "2.0",
        ["id"] = reply["id"]!.DeepClone(),
        ["error"] = new JsonObject { ["code"] = code, ["message"] = message },
    };

    /// <summary>A reply with another result.</summary>
    public static JsonObject Result(JsonObject reply, JsonNode? result) =>
        new() { ["jsonrpc"] = "2.0", ["id"] = reply["id"]!.DeepClone(), ["result"] = result };

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task Answer(HttpContext context, Uri behind)
    {
        Requests++;
        if (await Instead(context))
            return;
        var body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
        content.Headers.ContentType = new("application/json");
        using var response = await http.PostAsync(behind, content, context.RequestAborted);
        var answer = await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(), documentOptions: new() { MaxDepth = 1_000 });
        JsonNode? changed = answer is JsonArray replies
            ? Batch([.. replies.Zip(body!.AsArray(), One).Where(reply => reply is not null)])
            : One(answer, body);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(changed?.ToJsonString(new JsonSerializerOptions { MaxDepth = 1_000 }) ?? "");
    }

    private JsonObject? One(JsonNode? reply, JsonNode? call)
    {
        var method = call!["method"]!.GetValue<string>();
        Calls.AddOrUpdate(method, 1, (_, count) => count + 1);
        return Alter(method, call["params"]!.AsArray(), reply!.DeepClone().AsObject());
    }
}
