using System.Numerics;
using Coffer.Chains;

namespace Coffer.Server.Chain;

/// <summary>What reconciling one chain came to.</summary>
/// <param name="Chain">Which chain.</param>
/// <param name="Height">The block after which everything was counted; null when it is not known.</param>
/// <param name="BlockHash">Its hash.</param>
/// <param name="Why">Why it cannot be told whether anything is equal; null when it was told.</param>
/// <param name="Currencies">One for each currency of the chain.</param>
/// <param name="LedgerDifferences">How many deposits the books of the chain and the ledger tell differently.</param>
/// <param name="Ledger">The first of them, up to <see cref="Reconcile.NamedMax"/>.</param>
internal sealed record ReconciledChain(string Chain, long? Height, string? BlockHash, string? Why,
    IReadOnlyList<ReconciledCurrency> Currencies, long LedgerDifferences, IReadOnlyList<LedgerDifference> Ledger)
{
    /// <summary>True when all is equal, false when something differs; null when it cannot be told.</summary>
    public bool? Equal => Currencies.Any(currency => currency.Differences > 0) || LedgerDifferences > 0 ? false
        : Why is null ? true : null;
}

/// <summary>One currency on one chain. Amounts are smallest units.</summary>
/// <param name="Currency">Which.</param>
/// <param name="Addresses">How many addresses were asked for.</param>
/// <param name="OnChain">What they hold on the chain.</param>
/// <param name="Credited">What the books say was paid to them and is credited.</param>
/// <param name="Kept">What the books say was paid to them and is kept for a reason, not credited.</param>
/// <param name="Differences">How many addresses hold something else than what is credited and kept.</param>
/// <param name="Different">The first of them, up to <see cref="Reconcile.NamedMax"/>.</param>
internal sealed record ReconciledCurrency(Currency Currency, long Addresses, BigInteger OnChain, BigInteger Credited, BigInteger Kept,
    long Differences, IReadOnlyList<AddressDifference> Different)
{
    public BigInteger Difference => OnChain - Credited - Kept;
}

/// <summary>One address that holds something else than the books say.</summary>
/// <param name="Address">The address, and whose it is.</param>
/// <param name="OnChain">What it holds, in smallest units.</param>
/// <param name="Credited">Of what was paid to it, what is credited.</param>
/// <param name="Kept">Of what was paid to it, what is kept for a reason.</param>
/// <param name="Deposits">What the books know of it, newest first, up to <see cref="Reconcile.DepositsMax"/>.</param>
internal sealed record AddressDifference(
    WatchedAddress Address, BigInteger OnChain, BigInteger Credited, BigInteger Kept, IReadOnlyList<BookedDeposit> Deposits)
{
    public BigInteger Difference => OnChain - Credited - Kept;
}

/// <summary>A payment to one of our addresses as the books of the chain have it.</summary>
internal sealed record BookedDeposit(string TxId, TransferKind Kind, int Ordinal, long Height, BigInteger Amount, string? Reason);

/// <summary>What the books say was paid to one address in one currency up to a block.</summary>
internal sealed record BookedSum(string Address, string Currency, BigInteger Credited, BigInteger Kept);

/// <summary>A deposit that the books of the chain and the ledger tell differently.</summary>
/// <param name="Reference">Chain, transaction, kind and ordinal.</param>
/// <param name="Address">The address; null where the books of the chain have no such deposit.</param>
/// <param name="Problem">What is wrong, as the end of a sentence.</param>
internal sealed record LedgerDifference(string Reference, string? Address, string Problem);
