using System.Numerics;

namespace Coffer.Chains;

/// <summary>
/// Which of these addresses are watched. A chain whose nodes make transfers expensive to check asks before it checks; whoever reads the
/// blocks still decides on its own. Safe for concurrent callers.
/// </summary>
public delegate Task<IReadOnlySet<string>> Watch(IReadOnlyCollection<string> addresses, CancellationToken ct);

/// <summary>
/// One chain as seen through one or several nodes: a Bitcoin-like, an EVM, Tron or the simulated one (design 5). Every call may throw
/// <see cref="ChainFault"/>; "not there (yet)" is an answer, not a fault. Safe for concurrent callers.
/// </summary>
public interface IChain
{
    /// <summary>The chain's name in cursors and references, e.g. <c>ethereum</c>, <c>sim:ACCOUNT</c>. Never changes.</summary>
    string Id { get; }

    /// <summary>Per node its name, without credentials, and what is wrong with it, null for nothing known; empty where there are none.</summary>
    IReadOnlyList<(string Node, string? Fault)> Nodes => [];

    /// <summary>The node's best block now. May go down or sideways between two calls.</summary>
    Task<ChainTip> Tip(CancellationToken ct);

    /// <summary>
    /// Consecutive blocks upwards from <paramref name="height"/>, at most <paramref name="countMax"/>, fewer or none where the node has no
    /// more. Reading several at once lets an implementation ask for a range; the reader still checks every parent hash.
    /// </summary>
    Task<IReadOnlyList<ChainBlock>> Blocks(long height, int countMax, CancellationToken ct);

    /// <summary>The block at a height; null when the node does not have it.</summary>
    async Task<ChainBlock?> BlockAt(long height, CancellationToken ct)
    {
        var blocks = await Blocks(height, 1, ct);
        return blocks.Count == 0 ? null : blocks[0];
    }

    /// <summary>Transfers that wait for a block; empty where the chain has no public mempool. A hint to show, never to credit.</summary>
    Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct);

    /// <summary>
    /// Hands over finished transaction bytes and answers their transaction id. Doing it again with the same bytes is harmless and
    /// answers the same id. A <see cref="ChainFault"/> says whether the chain will never take them or may later.
    /// </summary>
    Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct);

    /// <summary>Where a transaction is now.</summary>
    Task<TransactionStatus> Status(string txId, CancellationToken ct);

    /// <summary>The chain's own canonical spelling of a transaction id; null for a text that is none.</summary>
    string? ReadTxId(string text);

    /// <summary>
    /// All that the node says of one transaction, whoever it pays; null when the node does not know it. For explaining, never for
    /// crediting: what is credited comes from <see cref="Blocks"/>.
    /// </summary>
    Task<ChainTransaction?> Transaction(string txId, CancellationToken ct);

    /// <summary>
    /// What each address holds of one asset (see <see cref="ChainTransfer.Asset"/>) after the block with this height and hash, in the order
    /// of the addresses, in smallest units. Asked of the chain's state alone, so that it can be held against what was followed. A
    /// <see cref="ChainFault"/> when the node does not have that block, or the state after it, any more.
    /// </summary>
    Task<IReadOnlyList<BigInteger>> Holdings(
        long height, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct);

    /// <summary>What one transfer of an asset (see <see cref="ChainTransfer.Asset"/>) costs, in smallest units of the chain's coin.</summary>
    Task<Int128> FeeEstimate(string? asset, CancellationToken ct);
}
