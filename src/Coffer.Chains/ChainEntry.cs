namespace Coffer.Chains;

/// <summary>The families of chains that Coffer can follow.</summary>
public enum ChainKind
{
    /// <summary>Ethereum and its like, over JSON-RPC.</summary>
    Evm,

    /// <summary>Bitcoin, over the JSON-RPC of Bitcoin Core.</summary>
    Bitcoin,

    /// <summary>Tron, over its JSON-RPC and HTTP interfaces.</summary>
    Tron,
}

/// <summary>How transfers of an EVM chain's coin by contracts are found.</summary>
public enum TraceKind
{
    /// <summary>Not at all: the nodes do not trace.</summary>
    None,

    /// <summary><c>debug_traceBlockByHash</c> with the call tracer.</summary>
    Debug,

    /// <summary><c>trace_block</c>.</summary>
    Trace,
}

/// <summary>One chain as the operator's file describes it; <see cref="ChainsFile"/> reads it.</summary>
public sealed record ChainEntry
{
    /// <summary>The chain's name in cursors, references and commands, e.g. <c>ethereum</c>; never changes.</summary>
    public required string Id { get; init; }

    /// <summary>How to speak to its nodes.</summary>
    public required ChainKind Kind { get; init; }

    /// <summary>The network of its currencies, e.g. <c>ETH</c>; see <see cref="Currency.Network"/>.</summary>
    public required string Network { get; init; }

    /// <summary>Its nodes, the preferred one first; may hold credentials, so none is ever shown whole.</summary>
    public required IReadOnlyList<Uri> Nodes { get; init; }

    /// <summary>The account-level extended public key that its deposit addresses come from; null: it gives out none.</summary>
    public string? Xpub { get; init; }

    /// <summary>EVM, Tron: the chain id that every node must have; null: not asked (Tron only).</summary>
    public long? ChainId { get; init; }

    /// <summary>The block to begin after; null: a little below the tip, when the chain is first seen.</summary>
    public long? Start { get; init; }

    /// <summary>EVM: how transfers by contracts are found.</summary>
    public TraceKind Traces { get; init; }

    /// <summary>Bitcoin: <c>main</c>, <c>test</c> or <c>regtest</c>.</summary>
    public string BitcoinNetwork { get; init; } = "main";

    /// <summary>Tron: API key that its nodes ask for, sent as <c>TRON-PRO-API-KEY</c>; null: none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The pause between two looks at the tip.</summary>
    public required TimeSpan Poll { get; init; }

    /// <summary>The wallet that pays withdrawals on it; null: nothing is paid out there.</summary>
    public HotEntry? Hot { get; init; }

    /// <summary>Digits after the point of the chain's own coin, as its protocol has them.</summary>
    public int CoinDecimals => DecimalsOf(Kind);

    /// <inheritdoc cref="CoinDecimals"/>
    public static int DecimalsOf(ChainKind kind) => kind switch
    {
        ChainKind.Bitcoin => 8,
        ChainKind.Tron => 6,
        _ => 18,
    };

    /// <summary>Up to how many blocks below the tip the chain still counts as followed: what a few looks at it may leave.</summary>
    public int BehindMax => Kind switch
    {
        ChainKind.Bitcoin => 1,
        ChainKind.Tron => 10,
        _ => 40,
    };

    /// <summary>A node as it may be shown: scheme, host and port, without user, password, path and query.</summary>
    public static string Shown(Uri node) => node.GetComponents(UriComponents.SchemeAndServer, UriFormat.Unescaped);
}
