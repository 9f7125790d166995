using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>Whose credential this is, what it may do, and within which limits.</summary>
internal static class UserApi
{
    public static void MapUser(this IEndpointRouteBuilder routes, Db db, Settings settings)
    {
        var limits = new UserLimits(settings.RequestsPerSecond, settings.TokenRequestsPerMinute, settings.TokenSeconds, Wallet.CountMax);
        routes.MapGet("/user/me", http => Me(http, db, limits)).RequireToken(Scopes.Read);
    }

    private static async Task Me(HttpContext http, Db db, UserLimits limits)
    {
        Input.Query(http).Check();
        var caller = http.Caller();
        var account = await db.AccountById(caller.Account, http.RequestAborted) ?? throw new Refused(Refusal.NotFound("account"));
        await Answer.Json(http, StatusCodes.Status200OK, new User(account.Id.Value, account.Name, account.Mode == Mode.Test ? "test" : "live",
            Wire.Time(account.CreatedAt), Credentials.Text(caller.Scopes).Split(' '), limits));
    }

    private sealed record User(Guid Id, string Name, string Mode, string CreatedAt, IReadOnlyList<string> Scopes, UserLimits Limits);

    private sealed record UserLimits(int RequestsPerSecond, int TokenRequestsPerMinute, int TokenSeconds, int WalletsMax);
}
