using System.Globalization;
using System.Numerics;
using Coffer.Chains;
using Coffer.Chains.Bitcoin;

namespace Coffer.Server.Chain;

/// <summary>A chain and what the follower must know to credit what it finds there.</summary>
/// <param name="Chain">The chain.</param>
/// <param name="Family">The chains on which one key is one address; see <c>chain_address</c>.</param>
/// <param name="Start">
/// The first block is taken as given: nothing in it or below is credited, and no reorg goes below it. Null: a little below the tip, when
/// the chain is first seen.
/// </param>
/// <param name="CurrencyOf">Which currency a transfer moves; null when this server does not keep it.</param>
internal sealed record FollowedChain(IChain Chain, string Family, long? Start, Func<ChainTransfer, Currency?> CurrencyOf)
{
    /// <summary>The currencies on this chain, each with its <see cref="ChainTransfer.Asset"/>.</summary>
    public required IReadOnlyList<(Currency Currency, string? Asset)> Assets { get; init; }

    /// <summary>Bitcoin: the addresses of the hot wallet, whose coins are written down; null elsewhere, and where it has none.</summary>
    public HotAddresses? Hot { get; init; }
}

/// <summary>How far a chain is followed.</summary>
internal sealed record ChainCursor(long Height, string Hash);

/// <summary>What the chain itself calls final.</summary>
/// <param name="IsOffered">Whether the chain says anything about it; if not, confirmations are counted.</param>
/// <param name="Height">Nothing at or below it can change; below 0 when it is not known whether our blocks are the node's.</param>
/// <param name="At">A block of ours that the node has too: what is below it is the same for both.</param>
internal sealed record Finality(bool IsOffered, long Height, ChainCursor At);

/// <summary>One of our addresses.</summary>
internal sealed record WatchedAddress(string Address, short Shard, AccountId Account, WalletId Wallet, string Network, long Index);

/// <summary>Where an observed deposit stands. Stored as its number.</summary>
internal enum ObservationState : short
{
    Seen = 1,
    Confirmed = 2,
    Orphaned = 3,
}

/// <summary>One row of <c>chain_deposit</c>: a transfer to one of our addresses, and what the ledger knows of it.</summary>
internal sealed record Observation
{
    public required string TxId { get; init; }

    public required TransferKind Kind { get; init; }

    public required int Ordinal { get; init; }

    public ObservationState State { get; init; } = ObservationState.Seen;

    public int Sighting { get; init; } = 1;

    public required long Height { get; init; }

    public required string BlockHash { get; init; }

    public required DateTimeOffset BlockTime { get; init; }

    public required string Address { get; init; }

    public required short Shard { get; init; }

    public required AccountId Account { get; init; }

    public required WalletId Wallet { get; init; }

    public string? Asset { get; init; }

    public string? Currency { get; init; }

    public required BigInteger Amount { get; init; }

    /// <summary>Why it is not credited; null when it is.</summary>
    public string? Reason { get; init; }

    /// <summary>What makes the deposit happen once in the ledger.</summary>
    public string Reference(string chain) =>
        string.Create(CultureInfo.InvariantCulture, $"{chain}:{TxId}:{Kind.Word()}:{Ordinal}");

    /// <summary>What a transfer to one of our addresses is worth to us. Everything is kept; what has a reason is not credited.</summary>
    public static Observation Of(ChainBlock block, ChainTransfer transfer, WatchedAddress ours, Currency? currency) => new()
    {
        TxId = transfer.TxId,
        Kind = transfer.Kind,
        Ordinal = transfer.Ordinal,
        Height = block.Height,
        BlockHash = block.Hash,
        BlockTime = block.Time,
        Address = transfer.Address,
        Shard = ours.Shard,
        Account = ours.Account,
        Wallet = ours.Wallet,
        Asset = transfer.Asset,
        Currency = currency?.Code,
        Amount = transfer.Amount,
        Reason = WhyNot(transfer.Amount, ours, currency),
    };

    private static string? WhyNot(BigInteger amount, WatchedAddress ours, Currency? currency)
    {
        if (currency is null)
            return "unknown_currency";
        if (currency.Network != ours.Network)
            return "other_network";
        if (amount <= 0)
            return "zero_amount";
        if (amount > (BigInteger)Coffer.Amount.Max)
            return "amount_too_large";
        return amount < (BigInteger)currency.DepositMinimum ? "below_minimum" : null;
    }
}
