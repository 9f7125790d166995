using Coffer.Server.Auth;
using Coffer.Server.Host;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>Name, password and code; works without JavaScript and with password managers.</summary>
[For]
internal sealed class SignInModel(SignIn signIn, Visit visit) : PageModel
{
    public IReadOnlyList<string> Faults { get; private set; } = [];

    public string? Name { get; private set; }

    /// <summary>The page to go to then.</summary>
    public string? To { get; private set; }

    public IActionResult OnGet(string? to)
    {
        To = to;
        return visit.Session is null ? Page() : LocalRedirect(DashboardPage.Own(Url, to));
    }

    public async Task<IActionResult> OnPost(string? name, string? password, string? code, string? to, CancellationToken ct)
    {
        (Name, To) = (name, to);
        try
        {
            if (await signIn.Run(name ?? "", password ?? "", code, visit.Address, ct) is { } secret)
            {
                // A session that was there ends: its id must not live on under another user (ASVS 7.2.4).
                if (visit.Session is { } earlier)
                    await signIn.End(earlier, ct);
                Sessions.Set(Response, secret);
                return LocalRedirect(DashboardPage.Own(Url, to));
            }

            Faults = ["Name, password or code is wrong. Check them and try again."];
            Response.StatusCode = StatusCodes.Status401Unauthorized;
        }
        catch (Refused refused)
        {
            Faults = [refused.Refusal.Message];
            Response.StatusCode = Errors.Status(refused.Refusal.Code);
            Response.Headers.RetryAfter = "60";
        }

        return Page();
    }
}
