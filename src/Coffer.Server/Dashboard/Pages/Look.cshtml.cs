using Coffer.Server.Auth;
using Coffer.Server.Sql;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>Colours and hidden amounts: kept with the user, so that they are the same wherever he signs in.</summary>
[For(Role.Viewer)]
internal sealed class LookModel(Visit visit, AskApi api, Db db) : DashboardPage(visit, api)
{
    public IActionResult OnGet() => LocalRedirect("/");

    public async Task<IActionResult> OnPost(string? theme, string? amounts, string? to, CancellationToken ct)
    {
        Theme? colours = theme switch { "light" => Theme.Light, "dark" => Theme.Dark, "auto" => Theme.Auto, _ => null };
        bool? hide = amounts switch { "hidden" => true, "shown" => false, _ => null };
        await db.Transaction((tx, token) => tx.SetLook(Session.User, colours, hide, token), ct, repeatable: true);
        return LocalRedirect(to is not null && Url.IsLocalUrl(to) ? to : "/");
    }
}
