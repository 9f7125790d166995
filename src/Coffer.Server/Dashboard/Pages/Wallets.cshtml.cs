using System.Globalization;
using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>All wallets of the account, and a new one.</summary>
[For(Role.Viewer)]
internal sealed class WalletsModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public const int Shown = 50;

    public IReadOnlyList<JsonElement> Wallets { get; private set; } = [];

    public int Offset { get; private set; }

    public long Total { get; private set; }

    public Task OnGet(int offset) => Load(offset);

    public async Task<IActionResult> OnPost(string? name)
    {
        var made = await Api.Send("POST", "/wallets", new { name = Given(name) });
        if (!Refused(made))
            return Redirect($"/dashboard/wallets/{made.Body.Of("result").Text("id")}");
        await Load(0);
        return Page();
    }

    private async Task Load(int offset)
    {
        Offset = Math.Max(0, offset);
        var page = (await Api.Get($"/wallets?limit={Shown}&offset={Offset.ToString(CultureInfo.InvariantCulture)}")).Of("result");
        (Wallets, Total) = (page.Items("wallets"), page.Of("total").GetInt64());
    }
}
