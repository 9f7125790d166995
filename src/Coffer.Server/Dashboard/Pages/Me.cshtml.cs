using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One's own password and authenticator.</summary>
[For(Role.Viewer)]
internal sealed class MeModel(Visit visit, AskApi api, SignIn signIn) : DashboardPage(visit, api)
{
    private const string Wrong = "The password is wrong. Type it again.";
    private const string WrongCode = "This code is not the one of now. Check your phone's clock and type the next one.";

    public string? Done { get; private set; }

    public string TotpText { get; private set; } = "";

    public string TotpUri { get; private set; } = "";

    /// <summary>The new secret, encrypted for this user: the form brings it back, nothing is kept until a code has proved it.</summary>
    public string TotpEncrypted { get; private set; } = "";

    public void OnGet(string? done)
    {
        Done = done switch
        {
            "totp" => "Your authenticator app is set up. Signing in asks for its code from now on.",
            "password" => "Your password is changed.",
            _ => null,
        };
        var (secret, encrypted) = signIn.NewTotp(Session.User);
        Offer(secret, encrypted);
    }

    public async Task<IActionResult> OnPostTotp(string? secret, string? code, string? password, CancellationToken ct)
    {
        if (signIn.ReadTotp(Session.User, secret ?? "") is not { } read)
            return RedirectToPage();
        Offer(read, secret!);
        if (Refused(await signIn.IsPassword(Session.UserName, password ?? "", ct) ? null : Wrong)
            || Refused(await signIn.UseTotp(Session, read, code ?? "", ct) ? null : WrongCode))
            return Page();
        return RedirectToPage(new { done = "totp" });
    }

    public async Task<IActionResult> OnPostPassword(string? password, string? fresh, CancellationToken ct)
    {
        var (secret, encrypted) = signIn.NewTotp(Session.User);
        Offer(secret, encrypted);
        if (Refused(PasswordHash.Fault(fresh ?? "", Session.UserName))
            || Refused(await signIn.IsPassword(Session.UserName, password ?? "", ct) ? null : Wrong))
            return Page();
        await signIn.SetPassword(Session, fresh!, ct);
        return RedirectToPage(new { done = "password" });
    }

    private void Offer(byte[] secret, string encrypted)
    {
        var text = Totp.Text(secret);
        TotpText = string.Join(' ', text.Chunk(4).Select(four => new string(four)));
        (TotpUri, TotpEncrypted) = (Totp.Uri(secret, Session.UserName, "Coffer"), encrypted);
    }
}
