namespace Coffer.Server.Dashboard;

/// <summary>What the operator's page does beside the API, which has no words for it: the switch that stops all withdrawals.</summary>
/// <param name="Frozen">Why, by whom and since when all withdrawals are stopped; null while they go on.</param>
/// <param name="Freeze">Stops them, with a reason, or lets them go on; in the name of whoever is signed in.</param>
internal sealed record OperatorDesk(Func<CancellationToken, Task<(string Reason, string By, DateTimeOffset At)?>> Frozen,
    Func<bool, string?, string, CancellationToken, Task> Freeze);
