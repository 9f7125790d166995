using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>Ends the session on the server, so that a copy of the cookie opens nothing either.</summary>
[For(Role.Viewer)]
internal sealed class SignOutModel(Visit visit, AskApi api, SignIn signIn) : DashboardPage(visit, api)
{
    public IActionResult OnGet() => LocalRedirect("/");

    public async Task<IActionResult> OnPost(CancellationToken ct)
    {
        await signIn.End(Session, ct);
        Sessions.Clear(Response);
        Response.Headers["Clear-Site-Data"] = "\"cache\", \"storage\"";
        return LocalRedirect(Sessions.SignInPath);
    }
}
