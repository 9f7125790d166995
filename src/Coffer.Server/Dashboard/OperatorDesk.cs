namespace Coffer.Server.Dashboard;

/// <summary>
/// What the operator's page does beside the API, which has no words for it: the switch that stops all withdrawals, and the proofs.
/// </summary>
/// <param name="Frozen">Why, by whom and since when all withdrawals are stopped; null while they go on.</param>
/// <param name="Freeze">Stops them, with a reason, or lets them go on; in the name of whoever is signed in.</param>
/// <param name="Proofs">The last proof of everything that can be proven, and those that are asked for.</param>
/// <param name="Prove">Asks for a proof of everything, in the name of whoever is signed in.</param>
internal sealed record OperatorDesk(Func<CancellationToken, Task<(string Reason, string By, DateTimeOffset At)?>> Frozen,
    Func<bool, string?, string, CancellationToken, Task> Freeze, Func<CancellationToken, Task<IReadOnlyList<ProofLine>>> Proofs,
    Func<string, CancellationToken, Task> Prove);

/// <summary>One proof as the operator's page shows it.</summary>
/// <param name="Subject">Of what, in words.</param>
/// <param name="Status"><c>holds</c>, <c>wrong</c>, <c>cannot_tell</c>; <c>waiting</c> or <c>running</c> before its end.</param>
/// <param name="At">When it ended; when it was asked for before that.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="Summary">What was read, or why it cannot be told.</param>
/// <param name="Wrong">How much is wrong.</param>
/// <param name="Findings">The first of that.</param>
internal sealed record ProofLine(
    string Subject, string Status, DateTimeOffset At, string By, string Summary, long Wrong, IReadOnlyList<string> Findings);
