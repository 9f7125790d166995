namespace Coffer.Chains.Payouts;

/// <summary>One payment that a transaction of the hot wallet makes.</summary>
/// <param name="Address">The receiver, in the chain's own canonical spelling.</param>
/// <param name="Asset">What is paid: a token's contract, null for the chain's own coin; see <see cref="ChainTransfer.Asset"/>.</param>
/// <param name="Amount">Smallest units, above 0.</param>
public sealed record PayoutOutput(string Address, string? Asset, Int128 Amount);

/// <summary>One unspent output of the hot wallet (chains that pay with coins: Bitcoin).</summary>
/// <param name="TxId">The transaction that made it, in the chain's own canonical spelling.</param>
/// <param name="Ordinal">Its position among the outputs, from 0.</param>
/// <param name="Address">The address of the hot wallet that it pays.</param>
/// <param name="Path">The two last steps of the key's derivation, e.g. <c>1/7</c> (BIP44: change, index).</param>
/// <param name="Amount">Smallest units, above 0.</param>
public sealed record HotCoin(string TxId, int Ordinal, string Address, string Path, Int128 Amount);

/// <summary>
/// What a transaction uses up. Of all transactions with the same claim at most one can ever be in the chain, so every further attempt to
/// pay the same withdrawals carries the claim of the first.
/// </summary>
/// <param name="Nonce">EVM: the sender's nonce; null elsewhere.</param>
/// <param name="Coins">Bitcoin: the outputs that are spent; empty elsewhere.</param>
/// <param name="ExpiresAt">Tron: after this no block takes it any more; null where transactions never expire.</param>
/// <param name="BornAt">Tron: no block with an earlier time holds it; null elsewhere.</param>
public sealed record PayoutClaim(long? Nonce, IReadOnlyList<HotCoin> Coins, DateTimeOffset? ExpiresAt, DateTimeOffset? BornAt = null);

/// <summary>What an unsigned transaction does, read from nothing but its own bytes.</summary>
/// <param name="From">EVM and Tron: the sender's address where the bytes name it (Tron), else null.</param>
/// <param name="Outputs">What it pays, in its order, without what returns to the hot wallet.</param>
/// <param name="Change">Bitcoin: what returns to the hot wallet, with the path that the bytes claim for it.</param>
/// <param name="FeeMax">The most that it can cost, in smallest units of the chain's coin.</param>
/// <param name="Claim">What it uses up.</param>
/// <param name="ChainId">EVM: the chain it is for; null elsewhere.</param>
public sealed record PayoutReading(string? From, IReadOnlyList<PayoutOutput> Outputs, IReadOnlyList<HotCoin> Change, Int128 FeeMax,
    PayoutClaim Claim, long? ChainId);
