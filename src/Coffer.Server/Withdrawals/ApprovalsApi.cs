using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>The second pair of eyes over HTTP, for credentials that the operator has made for it.</summary>
internal sealed class ApprovalsApi(Db db, DecideWithdrawal decide, Currencies currencies)
{
    /// <summary>Characters that a reason may have.</summary>
    public const int ReasonMax = 500;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/withdrawal/{id}/approve", Approve).RequireApprove();
        routes.MapPost("/withdrawal/{id}/reject", Reject).RequireApprove();
    }

    private async Task Approve(HttpContext http)
    {
        Input.Query(http).Check();
        (await Input.Body(http)).Check();
        await Tell(http, await decide.Approve(await Find(http), http.Caller().Name, http.RequestAborted));
    }

    private async Task Reject(HttpContext http)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var reason = body.Text("reason", ReasonMax);
        body.Check();
        await Tell(http, await decide.Reject(await Find(http), http.Caller().Name, reason, http.RequestAborted));
    }

    private async Task<Withdrawal> Find(HttpContext http)
    {
        var caller = http.Caller();
        return Guid.TryParseExact((string?)http.Request.RouteValues["id"], "D", out var id)
            && await db.FindWithdrawal(caller.Shard, caller.Account, id, http.RequestAborted) is { } withdrawal
            && caller.MayUse(withdrawal.Wallet) ? withdrawal : throw new Refused(Refusal.NotFound("withdrawal"));
    }

    // Before it is paid it has no confirmations; an approval that is repeated later says so too late, and that is all.
    private Task Tell(HttpContext http, Withdrawal withdrawal) =>
        Answer.Json(http, StatusCodes.Status200OK, json => json.Write(withdrawal, currencies.Find(withdrawal.Currency), confirmations: 0));
}
