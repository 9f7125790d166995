namespace Coffer.Server.Proofs;

/// <summary>How a proof ended. Stored as its number.</summary>
internal enum ProofResult : short
{
    /// <summary>Everything is as it must be.</summary>
    Holds = 1,

    /// <summary>Something is wrong; the findings say what.</summary>
    Wrong = 2,

    /// <summary>Nothing is known to be wrong, and not all to be right, e.g. because no node answers.</summary>
    CannotTell = 3,
}

/// <summary>What a proof came to.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Summary">What was read, or why it cannot be told; a sentence.</param>
/// <param name="Wrong">How many rows or facts are wrong.</param>
/// <param name="Findings">The first of them, a sentence each.</param>
internal sealed record Proven(ProofResult Result, string Summary, long Wrong, IReadOnlyList<string> Findings);

/// <summary>Something that can be proven.</summary>
/// <param name="Name"><c>ledger</c>, <c>chain:ID</c> or <c>hot_wallet:ID</c>.</param>
/// <param name="Prove">Reads only; takes from a moment to hours.</param>
internal sealed record ProofSubject(string Name, Func<CancellationToken, Task<Proven>> Prove);

/// <summary>A proof that was asked for.</summary>
/// <param name="Id">Which.</param>
/// <param name="Subject">Of what.</param>
/// <param name="AskedBy">A user's name, or <see cref="RunProofs.Schedule"/>.</param>
/// <param name="AskedAt">When.</param>
/// <param name="IsRunning">Whether a process has taken it; it may have died since.</param>
/// <param name="FinishedAt">When it ended; null before.</param>
/// <param name="Proven">With what; null before.</param>
internal sealed record Proof(Guid Id, string Subject, string AskedBy, DateTimeOffset AskedAt, bool IsRunning, DateTimeOffset? FinishedAt,
    Proven? Proven);
