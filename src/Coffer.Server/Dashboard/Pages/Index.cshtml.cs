using System.Text.Json;
using Coffer.Server.Auth;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>What the account holds: the figures of <c>GET /user/balances/</c>, and the first wallets.</summary>
[For(Role.Viewer)]
internal sealed class IndexModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public const int WalletsShown = 10;

    public JsonElement Balances { get; private set; }

    public IReadOnlyList<JsonElement> Wallets { get; private set; } = [];

    public long WalletsTotal { get; private set; }

    public async Task OnGet()
    {
        var wallets = Api.Get($"/wallets?limit={WalletsShown}");
        Balances = await Api.Get("/user/balances");
        var page = (await wallets).Of("result");
        (Wallets, WalletsTotal) = (page.Items("wallets"), page.Of("total").GetInt64());
    }
}
