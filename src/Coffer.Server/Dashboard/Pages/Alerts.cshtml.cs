using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>Low-balance alerts: how they stand, a new one, one less.</summary>
[For(Role.Viewer)]
internal sealed class AlertsModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public IReadOnlyList<JsonElement> Rows { get; private set; } = [];

    public IReadOnlyList<string> Currencies { get; private set; } = [];

    public IReadOnlyDictionary<string, string> Wallets { get; private set; } = new Dictionary<string, string>();

    public Task OnGet() => Load();

    public async Task<IActionResult> OnPost(string? currency, string? wallet, string? threshold, string? recovery)
    {
        var wish = new Dictionary<string, string?> { ["currency"] = Given(currency), ["threshold"] = Given(threshold) };
        if (Given(wallet) is { } one)
            wish["wallet_id"] = one;
        if (Given(recovery) is { } higher)
            wish["recovery_threshold"] = higher;
        return await Done(await Api.Send("POST", "/user/alerts", wish));
    }

    public async Task<IActionResult> OnPostDelete(Guid id) => await Done(await Api.Send("DELETE", $"/user/alerts/{id}", null));

    public string Name(string wallet) => Wallets.GetValueOrDefault(wallet) ?? wallet[..8];

    private async Task<IActionResult> Done(ApiReply reply)
    {
        if (!Refused(reply))
            return Redirect("/dashboard/alerts");
        await Load();
        return Page();
    }

    private async Task Load()
    {
        Rows = (await Api.Get("/user/alerts?limit=100")).Items("alerts");
        Wallets = await Names();
        Currencies = [.. (await Api.Get("/currencies")).Items("currencies").Select(one => one.Text("currency"))];
    }
}
