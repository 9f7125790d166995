using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One's own password and authenticator.</summary>
[For(Role.Viewer)]
internal sealed class MeModel(Visit visit, AskApi api, SignIn signIn) : DashboardPage(visit, api)
{
    private const string Wrong = "The password, or the code of your present app, is wrong. Type them again; each code works once.";
    private const string WrongCode = "This code is not the one of now. Check your phone's clock and type the next one.";

    public string? Done { get; private set; }

    public string TotpText { get; private set; } = "";

    public string TotpUri { get; private set; } = "";

    /// <summary>The new secret, encrypted for this user: the form brings it back, nothing is kept until a code has proved it.</summary>
    public string TotpEncrypted { get; private set; } = "";

    public IReadOnlyList<OpenSession> Sessions { get; private set; } = [];

    public Task OnGet(string? done, CancellationToken ct)
    {
        Done = done switch
        {
            "totp" => "Your authenticator app is set up. Signing in asks for its code from now on.",
            "password" => "Your password is changed.",
            "session" => "The session is ended.",
            _ => null,
        };
        return Load(ct);
    }

    public async Task<IActionResult> OnPostTotp(string? secret, string? code, string? password, string? present, CancellationToken ct)
    {
        if (signIn.ReadTotp(Session.User, secret ?? "") is not { } read)
            return RedirectToPage();
        if (Refused(await signIn.IsHimself(Session, password ?? "", present, ct) ? null : Wrong)
            || Refused(await signIn.UseTotp(Session, read, code ?? "", ct) ? null : WrongCode))
        {
            await Load(ct);
            Offer(read, secret!);
            return Page();
        }

        return RedirectToPage(new { done = "totp" });
    }

    public async Task<IActionResult> OnPostPassword(string? password, string? fresh, string? present, CancellationToken ct)
    {
        if (Refused(PasswordHash.Fault(fresh ?? "", Session.UserName))
            || Refused(await signIn.IsHimself(Session, password ?? "", present, ct) ? null : Wrong))
        {
            await Load(ct);
            return Page();
        }

        await signIn.SetPassword(Session, fresh!, ct);
        return RedirectToPage(new { done = "password" });
    }

    public async Task<IActionResult> OnPostEnd(Guid id, CancellationToken ct)
    {
        if (!await signIn.End(Session, id, ct))
            throw new Refused(Refusal.NotFound("session"));
        return RedirectToPage(new { done = "session" });
    }

    private async Task Load(CancellationToken ct)
    {
        Sessions = await signIn.Open(Session, ct);
        var (secret, encrypted) = signIn.NewTotp(Session.User);
        Offer(secret, encrypted);
    }

    private void Offer(byte[] secret, string encrypted)
    {
        var text = Totp.Text(secret);
        TotpText = string.Join(' ', text.Chunk(4).Select(four => new string(four)));
        (TotpUri, TotpEncrypted) = (Totp.Uri(secret, Session.UserName, "Coffer"), encrypted);
    }
}
