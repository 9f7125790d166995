using Coffer.Chains.Keys;

namespace Coffer.Chains.Bitcoin;

/// <summary>How one Bitcoin chain is read.</summary>
public sealed record BitcoinOptions
{
    /// <summary>Which Bitcoin; its nodes must have its first block.</summary>
    public required BitcoinNetwork Network { get; init; }

    /// <summary>
    /// Bitcoin Core (or a node that answers like it), the preferred one first; user name and password in the address. With
    /// <c>txindex=1</c> a node finds every transaction; without, those in its mempool and those with an unspent output.
    /// </summary>
    public required IReadOnlyList<Uri> Nodes { get; init; }

    /// <summary>
    /// The first block that can pay one of our addresses. Where a node cannot search its unspent outputs, holdings are counted from here,
    /// so a later block than the first payment would miss some, and an earlier one only costs time.
    /// </summary>
    public long HoldingsFrom { get; init; }

    /// <summary>What a virtual byte of a withdrawal costs where no node has an estimate, in satoshi for 1,000 of them.</summary>
    public long FeeFallback { get; init; } = 20_000;
}
