namespace Coffer.Chains.Rpc;

/// <summary>The bounds of what is asked of one node, and how long one that failed is left alone.</summary>
public static class RpcLimits
{
    /// <summary>How long a connection may take to be made.</summary>
    public static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);

    /// <summary>How long one answer may take, from the request to its last byte.</summary>
    public static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(30);

    /// <summary>How long a node may take to say which chain it is on.</summary>
    public static readonly TimeSpan CheckTime = TimeSpan.FromSeconds(10);

    /// <summary>How long a node that answers well is used before it is asked again which chain it is on.</summary>
    public static readonly TimeSpan CheckEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long a node rests after its first failure; doubled with each further one.</summary>
    public static readonly TimeSpan RestMin = TimeSpan.FromSeconds(5);

    /// <summary>The longest rest, also for one that names a time itself (Retry-After).</summary>
    public static readonly TimeSpan RestMax = TimeSpan.FromMinutes(2);

    /// <summary>How long a node is left alone that says it has too much to do, but not for how long.</summary>
    public static readonly TimeSpan BusyTime = TimeSpan.FromSeconds(2);

    /// <summary>The largest answer that is read, in bytes.</summary>
    public const int AnswerBytesMax = 128 * 1024 * 1024;

    /// <summary>The most calls in one request; java-tron takes no more than 100, hosted nodes about as many.</summary>
    public const int BatchMax = 50;

    /// <summary>Requests of one long batch that are under way together: while one answer is read the next is made.</summary>
    public const int RequestsAtOnce = 2;

    /// <summary>A node this many blocks behind the best of its fellows is asked after them.</summary>
    public const int LagBlocksMax = 10;

    /// <summary>The most characters of a node's own words that are repeated.</summary>
    public const int WordsMax = 200;

    /// <summary>Connections to one node at a time.</summary>
    public const int ConnectionsMax = 8;
}
