using System.Text.Json;

namespace Coffer.Chains.Rpc;

/// <summary>One call, alone or in a batch.</summary>
/// <param name="Method">The method's name.</param>
/// <param name="Parameters">Its positional parameters: whatever <see cref="JsonSerializer"/> writes.</param>
public sealed record RpcCall(string Method, params object?[] Parameters)
{
    /// <summary>How long the answer may take when it is called alone; in a batch it is <see cref="RpcLimits.AnswerTime"/>.</summary>
    public TimeSpan AnswerTime { get; init; } = RpcLimits.AnswerTime;
}

/// <summary>The answer to one call of a batch: a result (which may be JSON null) or the node's error.</summary>
public readonly record struct RpcReply
{
    private readonly JsonElement result;

    /// <summary>A result, JSON null included.</summary>
    public RpcReply(JsonElement result) => this.result = result;

    /// <summary>An error.</summary>
    public RpcReply(RpcError error) => Error = error;

    /// <summary>Null when there is a result.</summary>
    public RpcError? Error { get; }

    /// <summary>The result; throws <see cref="Error"/> when there is none.</summary>
    public JsonElement Result => Error is null ? result : throw Error;
}
