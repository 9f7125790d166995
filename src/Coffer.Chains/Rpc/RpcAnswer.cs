using System.Net;
using System.Text.Json;

namespace Coffer.Chains.Rpc;

/// <summary>What came back over HTTP, and what it means as JSON-RPC 1.0 or 2.0.</summary>
/// <param name="Node">Host and port of the node.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="RetryAfter">How long the node wants to be left alone, if it said so.</param>
/// <param name="Json">The body; null when it is not JSON.</param>
internal sealed record RpcAnswer(string Node, HttpStatusCode Status, TimeSpan? RetryAfter, JsonElement? Json)
{
    /// <summary>The body of a successful answer that need not be JSON-RPC.</summary>
    public JsonElement Plain()
    {
        RefuseBusy();
        return Json is { } json && (int)Status is >= 200 and < 300 ? json : throw NoAnswer();
    }

    /// <summary>The reply to the one call with this id.</summary>
    public RpcReply Reply(RpcCall call, long id, Func<string, string> hide)
    {
        RefuseBusy();
        if (Json is not { ValueKind: JsonValueKind.Object } json || !IsEnvelope(json))
            throw NoAnswer();
        var reply = Read(json, call.Method, hide);

        // An error without an id says that the request as a whole was not understood.
        return Id(json) == id || (reply.Error is not null && Id(json) is null)
            ? reply : throw new RpcFault($"{Node} answers {call.Method} under another number.");
    }

    /// <summary>The replies to a batch, in the order of its calls, which were numbered upwards from <paramref name="first"/>.</summary>
    public RpcReply[] Replies(IReadOnlyList<RpcCall> calls, long first, Func<string, string> hide)
    {
        RefuseBusy();
        if (Json is { ValueKind: JsonValueKind.Object } whole && IsEnvelope(whole) && Read(whole, "a batch", hide).Error is { } refused)
            throw refused;
        if (Json is not { ValueKind: JsonValueKind.Array } json)
            throw NoAnswer();
        if (json.GetArrayLength() != calls.Count)
            throw new RpcFault($"{Node} answers {json.GetArrayLength()} of {calls.Count} calls.");
        var replies = new RpcReply?[calls.Count];
        foreach (var one in json.EnumerateArray())
        {
            if (one.ValueKind != JsonValueKind.Object || !IsEnvelope(one))
                throw new RpcFault($"{Node} answers a batch with something that is no reply.");
            if (Id(one) - first is not { } index || index < 0 || index >= calls.Count || replies[index] is not null)
                throw new RpcFault($"{Node} answers a batch with other numbers than it was asked with.");
            replies[index] = Read(one, calls[(int)index].Method, hide);
        }
        return [.. replies.Select(reply => reply!.Value)];
    }

    private static bool IsEnvelope(JsonElement json) => json.TryGetProperty("result", out _) || json.TryGetProperty("error", out _);

    private static long? Id(JsonElement json) =>
        json.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out var number) ? number : null;

    private RpcReply Read(JsonElement json, string method, Func<string, string> hide)
    {
        if (json.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null)
        {
            var shaped = error.ValueKind == JsonValueKind.Object;
            var code = shaped && error.TryGetProperty("code", out var given) && given.ValueKind == JsonValueKind.Number
                && given.TryGetInt32(out var number) ? number : 0;
            var words = shaped && error.TryGetProperty("message", out var message) ? Words(message) : Words(error);
            return new RpcReply(new RpcError(Node, method, code, hide(words)));
        }
        return json.TryGetProperty("result", out var result)
            ? new RpcReply(result) : throw new RpcFault($"{Node} answers {method} with neither result nor error.");
    }

    // Half of a surrogate pair, escaped, is valid JSON that is no text; what a contract says when it fails may hold one.
    private static string Words(JsonElement words)
    {
        try
        {
            return words.ToString();
        }
        catch (InvalidOperationException)
        {
            return "(no text)";
        }
    }

    private void RefuseBusy()
    {
        if (Status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
            throw new RpcFault($"{Node} has too much to do (HTTP {(int)Status}).", RetryAfter ?? RpcLimits.BusyTime);
    }

    // java-tron and some gateways refuse under load with HTTP 200 and a line of text outside the envelope.
    private RpcFault NoAnswer() => (int)Status is >= 200 and < 300
        ? new RpcFault($"{Node} answers with something that is no JSON-RPC reply.", RpcLimits.BusyTime)
        : new RpcFault($"{Node} answers HTTP {(int)Status}.");
}
