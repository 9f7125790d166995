using System.Numerics;

namespace Coffer.Chains;

/// <summary>How a transfer moved value. Part of a deposit's identity, so a number once given keeps its meaning.</summary>
public enum TransferKind : short
{
    /// <summary>The chain's own coin, moved by a transaction itself (Bitcoin: each output).</summary>
    Native = 0,

    /// <summary>A token, moved by a contract and told in a log.</summary>
    Token = 1,

    /// <summary>The chain's own coin, moved by a contract inside a transaction (seen in traces only).</summary>
    Internal = 2,
}

/// <summary>The words for <see cref="TransferKind"/> in references, SQL and on the wire.</summary>
public static class TransferKinds
{
    /// <summary>The lower-case word, e.g. <c>token</c>. Throws on a value outside the enum.</summary>
    public static string Word(this TransferKind kind) => kind switch
    {
        TransferKind.Native => "native",
        TransferKind.Token => "token",
        TransferKind.Internal => "internal",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <summary>
/// Value that arrived at one address. (chain, <paramref name="TxId"/>, <paramref name="Kind"/>, <paramref name="Ordinal"/>) is the
/// identity of a deposit: it survives being mined again at another place, which a block-wide log index would not.
/// </summary>
/// <param name="TxId">The transaction, in the chain's own canonical spelling.</param>
/// <param name="Kind">How the value moved.</param>
/// <param name="Ordinal">Position among the transfers of this kind inside the transaction, from 0: output, log or trace number.</param>
/// <param name="Address">The receiver, in the chain's own canonical spelling.</param>
/// <param name="Asset">What moved: a token's contract, null for the chain's own coin; the currency code on the simulated chain.</param>
/// <param name="Amount">Smallest units, at least 0. Wider than the ledger's 38 digits on purpose: a node may report any uint256.</param>
public sealed record ChainTransfer(string TxId, TransferKind Kind, int Ordinal, string Address, string? Asset, BigInteger Amount);

/// <summary>
/// One block with the successful transfers in it: all to watched addresses, and perhaps others. Whose addresses they are is for the reader
/// to know.
/// </summary>
/// <param name="Height">From 0 (genesis).</param>
/// <param name="Hash">Its hash, in the chain's own canonical spelling.</param>
/// <param name="ParentHash">The hash of the block below; at height 0 whatever the chain says.</param>
/// <param name="Time">The time that the block claims.</param>
/// <param name="Transfers">In block order; failed and reverted transfers are left out.</param>
public sealed record ChainBlock(long Height, string Hash, string ParentHash, DateTimeOffset Time, IReadOnlyList<ChainTransfer> Transfers);

/// <summary>The highest block that a node has.</summary>
/// <param name="Height">From 0.</param>
/// <param name="Hash">The hash of that block.</param>
/// <param name="Finalized">The height up to which the chain itself says that nothing can change; null where it says no such thing.</param>
public readonly record struct ChainTip(long Height, string Hash, long? Finalized);

/// <summary>Where a transaction is.</summary>
public enum TransactionState
{
    /// <summary>The node does not know it. That is not proof that it never will.</summary>
    Unknown,

    /// <summary>Waiting for a block.</summary>
    Mempool,

    /// <summary>In a block of the node's present best chain, and successful.</summary>
    Included,

    /// <summary>In a block of the node's present best chain, but it moved nothing.</summary>
    Failed,
}

/// <summary>What a node says about one transaction now.</summary>
/// <param name="State">Where it is.</param>
/// <param name="Height">The block's height; null unless it is in a block.</param>
/// <param name="BlockHash">The block's hash; null unless it is in a block.</param>
public readonly record struct TransactionStatus(TransactionState State, long? Height, string? BlockHash);

/// <summary>All that a node says of one transaction.</summary>
/// <param name="TxId">The transaction, in the chain's own canonical spelling.</param>
/// <param name="Status">Where it is now.</param>
/// <param name="BlockTime">The time that its block claims; null unless it is in a block.</param>
/// <param name="Transfers">Every transfer in it, to whomever and of whatever asset; of a failed one, what it would have moved.</param>
/// <param name="Node">The node that said so, without credentials.</param>
public sealed record ChainTransaction(
    string TxId, TransactionStatus Status, DateTimeOffset? BlockTime, IReadOnlyList<ChainTransfer> Transfers, string Node);
