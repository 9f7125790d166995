namespace Coffer.Server.Dashboard;

/// <summary>
/// What the operator's page does beside the API, which has no words for it: the switch that stops all withdrawals, the
/// proofs, what hot wallets hold, and which nodes are asked.
/// </summary>
/// <param name="Frozen">Why, by whom and since when all withdrawals are stopped; null while they go on.</param>
/// <param name="Freeze">Stops them, with a reason, or lets them go on; in the name of whoever is signed in.</param>
/// <param name="Proofs">The last proof of everything that can be proven, and those that are asked for.</param>
/// <param name="Prove">Asks for a proof of everything, in the name of whoever is signed in.</param>
/// <param name="HotWallets">How this server saw each of them last.</param>
/// <param name="Nodes">Of each chain its nodes, and what is wrong with them, null for nothing known.</param>
internal sealed record OperatorDesk(Func<CancellationToken, Task<(string Reason, string By, DateTimeOffset At)?>> Frozen,
    Func<bool, string?, string, CancellationToken, Task> Freeze, Func<CancellationToken, Task<IReadOnlyList<ProofLine>>> Proofs,
    Func<string, CancellationToken, Task> Prove, Func<IReadOnlyList<HotWalletLine>> HotWallets,
    Func<string, IReadOnlyList<(string Node, string? Fault)>> Nodes);

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

/// <summary>One hot wallet as the operator's page shows it.</summary>
/// <param name="Chain">Which chain.</param>
/// <param name="Address">The address to fund it.</param>
/// <param name="Assets">What it pays.</param>
/// <param name="Notes">What has to be done, cannot be told, or waits; a sentence each.</param>
/// <param name="IsAlarm">Whether something has to be done.</param>
internal sealed record HotWalletLine(
    string Chain, string Address, IReadOnlyList<HotAssetLine> Assets, IReadOnlyList<string> Notes, bool IsAlarm);

/// <summary>What a hot wallet has of one asset and needs of it; amounts as `coffer hot status` writes them, empty for unknown.</summary>
internal sealed record HotAssetLine(string Currency, string Held, string Queued, string Leaving, string Fees, string Low, string Missing);
