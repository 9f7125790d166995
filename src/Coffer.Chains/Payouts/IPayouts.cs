namespace Coffer.Chains.Payouts;

/// <summary>What a node said that a transaction needs now; each family keeps in its own kind what it asked for.</summary>
/// <param name="FeeExpected">What it will probably cost, in smallest units of the chain's coin.</param>
public abstract record PayoutTerms(Int128 FeeExpected);

/// <summary>What the hot wallet can give to one transaction.</summary>
/// <param name="Nonce">EVM: the nonce to use; null elsewhere.</param>
/// <param name="Coins">Bitcoin: the coins that no other transaction has; empty elsewhere.</param>
/// <param name="Change">Bitcoin: where the rest goes, an address of the hot wallet with its path; null elsewhere.</param>
/// <param name="FeeMax">The most that the transaction may cost, in smallest units of the chain's coin.</param>
/// <param name="Now">The time.</param>
public sealed record PayoutFunds(long? Nonce, IReadOnlyList<HotCoin> Coins, (string Address, string Path)? Change, Int128 FeeMax, DateTimeOffset Now);

/// <summary>An unsigned transaction that is ready to be stored, and then signed.</summary>
/// <param name="Unsigned">Its bytes: EVM the RLP to sign, Bitcoin a PSBT (BIP174), Tron raw_data.</param>
/// <param name="Reading">What those bytes say.</param>
public sealed record PayoutPlan(byte[] Unsigned, PayoutReading Reading);

/// <summary>A signed transaction that was held against its plan.</summary>
/// <param name="TxId">In the chain's own canonical spelling.</param>
/// <param name="Bytes">What is broadcast, the first time and every further time.</param>
public sealed record SignedPayout(string TxId, byte[] Bytes);

/// <summary>Why no transaction was planned.</summary>
public enum NoPlan
{
    /// <summary>The hot wallet has too little of what is paid.</summary>
    TooLittle,

    /// <summary>The hot wallet has too little of the coin that the network's fee is paid in.</summary>
    TooLittleForFee,

    /// <summary>It would cost more than it may.</summary>
    FeeAboveMax,
}

/// <summary>A plan, or why there is none.</summary>
public readonly record struct Planned(PayoutPlan? Plan, NoPlan? WhyNot);

/// <summary>What became of the transactions with one claim.</summary>
public enum FateKind
{
    /// <summary>One of them is in a block of the best chain and moved what it should.</summary>
    Mined,

    /// <summary>One of them is in a block of the best chain but moved nothing; its fee is gone.</summary>
    Reverted,

    /// <summary>A node has one of them waiting for a block.</summary>
    Waiting,

    /// <summary>No node knows them. No proof of anything: they may still be mined.</summary>
    Unknown,

    /// <summary>Proven never to be mined: what they use up is spent by another transaction too deep to return, or they have expired.</summary>
    Dead,
}

/// <summary>What became of the transactions with one claim.</summary>
/// <param name="Kind">Where they stand.</param>
/// <param name="TxId">Which of them; null when none is known.</param>
/// <param name="Height">The block's height when it is in a block.</param>
/// <param name="BlockHash">The block's hash when it is in a block.</param>
/// <param name="Fee">What it really cost, in smallest units of the chain's coin; null unless it is in a block.</param>
public sealed record PayoutFate(FateKind Kind, string? TxId = null, long? Height = null, string? BlockHash = null, Int128? Fee = null);

/// <summary>What the hot wallet holds of one asset.</summary>
/// <param name="Asset">A token's contract, or null for the chain's coin.</param>
/// <param name="Amount">Smallest units that could be paid now, as the node's latest state says.</param>
public sealed record HotHolding(string? Asset, Int128 Amount);

/// <summary>
/// How one chain is paid on: what to ask its nodes, and how its transactions are written. Holds no key and keeps nothing; the worker that
/// pays withdrawals stores each result before it goes on. Every call that asks a node may throw <see cref="ChainFault"/>. Safe for
/// concurrent callers.
/// </summary>
public interface IPayouts
{
    /// <summary>The most outputs that one transaction has: 1 except on chains whose transactions pay many.</summary>
    int OutputsMax { get; }

    /// <summary>
    /// Which of these coins of the hot wallet the node has unspent just now, in their order. Asked before a plan, because somebody else with
    /// the same key may have been faster.
    /// </summary>
    Task<IReadOnlyList<HotCoin>> Unspent(IReadOnlyList<HotCoin> coins, CancellationToken ct) => Task.FromResult(coins);

    /// <summary>Bitcoin: where the rest of the wallet's transaction with this number (from 0) goes; null elsewhere.</summary>
    (string Address, string Path)? Change(long number) => null;

    /// <summary>
    /// EVM: how many transactions of the hot wallet are in the chain, and how many with those that wait; null elsewhere. More than were
    /// planned here means that somebody else has the key.
    /// </summary>
    Task<(long Latest, long Waiting)?> Nonces(CancellationToken ct) => Task.FromResult<(long, long)?>(null);

    /// <summary>
    /// Asks what a transaction with these outputs needs now. Without outputs: one that only uses up a nonce. A <see cref="ChainFault"/>
    /// that is not retryable when the chain says that it would fail whatever is paid for it (a token that refuses the receiver).
    /// </summary>
    Task<PayoutTerms> Terms(IReadOnlyList<PayoutOutput> outputs, CancellationToken ct);

    /// <summary>Writes the unsigned transaction. Asks nobody, so it may run inside the transaction that stores it.</summary>
    Planned Plan(IReadOnlyList<PayoutOutput> outputs, PayoutTerms terms, PayoutFunds funds);

    /// <summary>The same payments under the same claim for a higher fee, enough to replace the last attempt. Asks nobody.</summary>
    Planned Bump(PayoutPlan last, PayoutTerms terms, PayoutFunds funds);

    /// <summary>What an unsigned transaction says. A <see cref="Keys.KeyFault"/> when it is none, or does anything beside paying.</summary>
    PayoutReading Read(ReadOnlyMemory<byte> unsigned);

    /// <summary>
    /// Holds a signed transaction against its plan: the same in everything but the signatures, and those of the hot wallet. A
    /// <see cref="Keys.KeyFault"/> otherwise.
    /// </summary>
    SignedPayout Accept(ReadOnlyMemory<byte> unsigned, ReadOnlyMemory<byte> signed);

    /// <summary>The id that an unsigned transaction will have, whoever signs it; null where that depends on the signature.</summary>
    string? TxIdOf(ReadOnlyMemory<byte> unsigned) => null;

    /// <summary>What became of the attempts that share a claim, the latest last.</summary>
    Task<PayoutFate> Fate(PayoutClaim claim, IReadOnlyList<string> txIds, CancellationToken ct);

    /// <summary>What the hot wallet holds of each asset, in their order.</summary>
    Task<IReadOnlyList<HotHolding>> Holdings(IReadOnlyList<string?> assets, CancellationToken ct);
}
