using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;

namespace Coffer.Server;

/// <summary>
/// What a supervisor and a load balancer ask. Live touches nothing: a process that answers must not be killed because its database is
/// away. Ready says whether a request could be answered now; it ends as soon as the process is asked to stop. It also lists the chains,
/// which change nothing about it: while a chain is behind, balances are served as far as it was followed; and the hot wallets, for while one
/// lacks funds withdrawals wait and nothing else does.
/// </summary>
internal static class HealthApi
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    public static void MapHealth(this IEndpointRouteBuilder routes, Db db, RealChains chains, WatchHotWallets wallets, CancellationToken stopping)
    {
        routes.MapGet("/health/live", http => Answer.Json(http, StatusCodes.Status200OK, new State("live"))).Public();
        routes.MapGet("/health/ready", async http =>
        {
            await Check(db, stopping, http.RequestAborted);
            await Answer.Json(http, StatusCodes.Status200OK, new Readiness("ready", [.. chains.All.Select(Line)], [.. wallets.Standing.Select(Line)]));
        }).Public();
    }

    private static async Task Check(Db db, CancellationToken stopping, CancellationToken ct)
    {
        if (stopping.IsCancellationRequested)
            throw Away("This server is stopping. Send the request to another one.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_patience);
        try
        {
            if (await Migrations.Applied(db, limit.Token) < Migrations.Newest)
                throw Away("The database is older than this server. Run `coffer migrate`.");
        }
        catch (Exception fault) when (SqlFaults.IsConnectionLoss(fault)
            || (fault is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw Away("The database does not answer. Ask again in a moment.");
        }
    }

    private static Refused Away(string message) => new(new(RefusalCode.ServiceUnavailable, message));

    private static ChainLine Line(RealChain chain)
    {
        var now = chain.Progress.Standing();
        var state = JsonNamingPolicy.SnakeCaseLower.ConvertName(now.State.ToString());
        return new ChainLine(now.Chain, now.Height, now.Tip, now.Behind, state, now.Message);
    }

    // Anybody may ask: what is lacking, and how much, is for the operator's own eyes.
    private static HotLine Line((string Chain, bool Alarm) wallet) => new(wallet.Chain, wallet.Alarm ? "alarm" : "ok",
        wallet.Alarm ? "The hot wallet needs its operator: see `coffer hot status`." : null);

    private sealed record State(string Status);

    private sealed record Readiness(string Status, IReadOnlyList<ChainLine> Chains, IReadOnlyList<HotLine> HotWallets);

    private sealed record HotLine(string Chain, string State, string? Message);

    private sealed record ChainLine(string Chain, long? Height, long? Tip, long? Behind, string State, string? Message);
}
