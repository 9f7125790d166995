namespace Coffer.Chains.Rpc;

/// <summary>A node understood the call and refused it with a JSON-RPC error. The code decides, the words are for the operator.</summary>
/// <param name="node">Host and port of the node.</param>
/// <param name="method">The method that was called.</param>
/// <param name="code">The error's code; what it means differs between kinds of node.</param>
/// <param name="words">The node's own words, shortened.</param>
public sealed class RpcError(string node, string method, int code, string words) : Exception($"{node} refuses {method}: {code} {words}")
{
    /// <summary>No such method; every kind of node agrees on this one.</summary>
    public const int NoSuchMethod = -32601;

    /// <summary>The code that the node gave; 0 when it gave none.</summary>
    public int Code { get; } = code;

    /// <summary>The node's own words, shortened, without credentials. Never a reason to decide anything.</summary>
    public string Words { get; } = words;
}

/// <summary>
/// A node gave no answer, or one that is none: unreachable, too slow, too busy, cut short, not JSON-RPC. The call may have been done.
/// </summary>
/// <param name="message">For the operator; names the node, never a credential.</param>
/// <param name="busyFor">How long the node wants to be left alone; null unless it said that it has too much to do.</param>
/// <param name="cause">What happened below; null for none.</param>
public sealed class RpcFault(string message, TimeSpan? busyFor = null, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>How long the node wants to be left alone; null unless it said that it has too much to do.</summary>
    public TimeSpan? BusyFor { get; } = busyFor;
}
