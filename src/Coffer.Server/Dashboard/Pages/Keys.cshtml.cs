using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Sql;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>API keys and OAuth clients: which there are, a new one, one less. A secret is in the one answer that made it.</summary>
[For(Role.Viewer)]
internal sealed class KeysModel(Visit visit, AskApi api, Db db, IssueCredential issue) : DashboardPage(visit, api)
{
    private const int NameMax = 100;
    private const int KeysListed = 100;

    public IReadOnlyList<JsonElement> Keys { get; private set; } = [];

    public IReadOnlyList<OAuthClient> Clients { get; private set; } = [];

    public string? Secret { get; private set; }

    /// <summary>Whose secret it is; null: an API key's.</summary>
    public string? ClientId { get; private set; }

    public Task OnGet(CancellationToken ct) => Load(ct);

    public async Task<IActionResult> OnPostKey(string? name, string? scopes, string? from, CancellationToken ct)
    {
        MustWrite();
        if (ProveFirst() is { } first)
            return first;
        var wish = new Dictionary<string, object?> { ["name"] = Given(name), ["scopes"] = Scopes(scopes) };
        if (Given(from) is { } addresses)
            wish["addresses"] = addresses.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        var made = await Api.Send("POST", "/api-keys", wish);
        if (!Refused(made))
            Secret = made.Body.Text("key");
        await Load(ct);
        return Page();
    }

    public async Task<IActionResult> OnPostRevokeKey(Guid id, CancellationToken ct)
    {
        if (!Refused(await Api.Send("DELETE", $"/api-keys/{id}", null)))
            return Redirect("/dashboard/keys");
        await Load(ct);
        return Page();
    }

    public async Task<IActionResult> OnPostClient(string? name, string? scopes, CancellationToken ct)
    {
        MustWrite();
        if (ProveFirst() is { } first)
            return first;
        if (!Refused(Given(name) is { Length: <= NameMax } called && !called.Any(char.IsControl) ? null : $"A name has 1 to {NameMax} printable characters."))
        {
            var account = await db.AccountById(Session.Account, ct) ?? throw new Refused(Refusal.NotFound("account"));
            var wanted = Scopes(scopes).Aggregate(Coffer.Scopes.None, (all, word) => all | (Credentials.Scope(word) ?? Coffer.Scopes.None));
            var (secret, client) = await issue.Client(account, Given(name)!, wanted, ct, Session.User);
            (Secret, ClientId) = (secret, client.ClientId);
        }

        await Load(ct);
        return Page();
    }

    public async Task<IActionResult> OnPostRevokeClient(string? id, CancellationToken ct)
    {
        MustWrite();
        if (!await issue.RevokeClient(Session.Account, id ?? "", ct))
            throw new Refused(Refusal.NotFound("client"));
        return Redirect("/dashboard/keys");
    }

    private static string[] Scopes(string? chosen) => chosen == "read,write" ? [Credentials.ReadScope, Credentials.WriteScope] : [Credentials.ReadScope];

    /// <summary>Clients are made past the API, so the API does not refuse viewers here.</summary>
    private void MustWrite()
    {
        if (!MayWrite)
            throw new Refused(new(RefusalCode.Forbidden, "Your role does not include this."));
    }

    private async Task Load(CancellationToken ct)
    {
        Keys = (await Api.Get($"/api-keys?limit={KeysListed}")).Items("keys");
        Clients = await db.OAuthClients(Session.Account, ct);
    }
}
