using Coffer.Chains.Payouts;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>Where a payout stands. Stored as its number; see <c>0012_payouts.sql</c>.</summary>
internal enum PayoutState : short
{
    /// <summary>One of its attempts may still be mined, or is mined and not deep enough.</summary>
    Open = 1,

    /// <summary>Mined deep enough; what it paid is settled.</summary>
    Mined = 2,

    /// <summary>Mined deep enough, but it moved nothing; what it should have paid is given back.</summary>
    Reverted = 3,

    /// <summary>Proven never to be mined.</summary>
    Dead = 4,

    /// <summary>Given up before anything of it was signed.</summary>
    Dropped = 5,
}

/// <summary>One transaction of a payout.</summary>
internal sealed record Attempt
{
    /// <summary>From 1; a later one pays a higher fee.</summary>
    public required int Number { get; init; }

    public required byte[] Unsigned { get; init; }

    /// <summary>The most that it can cost, in smallest units of the chain's coin.</summary>
    public required Int128 FeeMax { get; init; }

    /// <summary>What is broadcast, each time the same; null until it is signed.</summary>
    public byte[]? Signed { get; init; }

    public string? TxId { get; init; }

    public required DateTimeOffset PlannedAt { get; init; }

    /// <summary>When its bytes were last about to be sent; from then on somebody may have them.</summary>
    public DateTimeOffset? TriedAt { get; init; }

    public int Tries { get; init; }

    /// <summary>When a node said that it has them; null: it may or it may not.</summary>
    public DateTimeOffset? SentAt { get; init; }
}

/// <summary>One claim on a chain, its attempts in their order, and the withdrawals that it pays.</summary>
internal sealed record Payout
{
    public required Guid Id { get; init; }

    public required string Chain { get; init; }

    public required PayoutState State { get; init; }

    /// <summary>EVM: the nonce; null elsewhere.</summary>
    public long? Nonce { get; init; }

    /// <summary>Tron: the end of its time; null elsewhere.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The attempt that is in a block, with that block; null for none.</summary>
    public string? TxId { get; init; }

    public long? Height { get; init; }

    public string? BlockHash { get; init; }

    /// <summary>What it really cost, in smallest units of the chain's coin; null until it is in a block.</summary>
    public Int128? Fee { get; init; }

    public required IReadOnlyList<Attempt> Attempts { get; init; }

    /// <summary>In the order of the transaction's outputs; none when it only frees a nonce.</summary>
    public required IReadOnlyList<Withdrawal> Withdrawals { get; init; }

    /// <summary>The latest attempt.</summary>
    public Attempt Last => Attempts[^1];

    /// <summary>The latest attempt that is signed; null for none.</summary>
    public Attempt? LastSigned => Attempts.LastOrDefault(attempt => attempt.Signed is not null);

    /// <summary>Whether any bytes of it may be in somebody's hands.</summary>
    public bool WasTried => Attempts.Any(attempt => attempt.TriedAt is not null);
}

/// <summary>A payout that is about to be stored.</summary>
internal sealed record NewPayout(Guid Id, string Chain, PayoutPlan Plan, IReadOnlyList<Withdrawal> Withdrawals, DateTimeOffset Now);
