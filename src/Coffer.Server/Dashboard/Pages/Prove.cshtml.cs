using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>Who sits there? Asked before what cannot be undone, when the last proof of it is some minutes old.</summary>
[For(Role.Viewer)]
internal sealed class ProveModel(Visit visit, AskApi api, SignIn signIn) : DashboardPage(visit, api)
{
    private const string Wrong = "That is wrong. Type it again; each code works once.";

    /// <summary>The page to go back to.</summary>
    public string? To { get; private set; }

    public void OnGet(string? to) => To = to;

    public async Task<IActionResult> OnPost(string? password, string? present, string? to, CancellationToken ct)
    {
        To = to;
        return Refused(await signIn.Prove(Session, password ?? "", present, ct) ? null : Wrong) ? Page() : LocalRedirect(Own(Url, to));
    }
}
