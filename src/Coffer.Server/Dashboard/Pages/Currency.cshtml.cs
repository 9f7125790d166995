using System.Text.Json;
using Coffer.Server.Auth;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One currency of the account: the chart of the balance history, and the same figures as a table.</summary>
[For(Role.Viewer)]
internal sealed class CurrencyModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public const int WalletsShown = 50;

    public static readonly string[] Periods = ["24h", "7d", "30d"];
    public static readonly string[] Intervals = ["hourly", "daily"];

    public string Period { get; private set; } = "7d";

    /// <summary>Whether the chart is drawn in US dollars.</summary>
    public bool InUsd { get; private set; }

    public string Interval { get; private set; } = "daily";

    /// <summary>Its line of <c>GET /user/balances/</c>.</summary>
    public JsonElement Line { get; private set; }

    public JsonElement History { get; private set; }

    public JsonElement Rate { get; private set; }

    public async Task OnGet(string code, string? period, string? interval, string? unit)
    {
        (Period, Interval, InUsd) = (period ?? "7d", interval ?? "daily", unit == "usd");
        var asked = Uri.EscapeDataString(code);
        var rate = Api.Get($"/rates/{asked}");
        var history = Api.Get($"/user/balances/history{Query(("currency", code), ("period", Period), ("interval", Interval))}");
        var balances = await Api.Get($"/user/balances?currency={asked}");
        (History, Rate) = (await history, await rate);
        // A currency that has never moved has no line; its history says how it is called.
        Line = balances.Items("balances") is [var line, ..] ? line : Never(History);
    }

    private static JsonElement Never(JsonElement history)
    {
        var (code, zero) = (history.Text("currency"), history.Of("summary").Text("ending_balance"));
        var line = new Dictionary<string, string> { ["currency"] = code, ["currency_name"] = code };
        foreach (var name in (string[])["available_balance", "pending_balance", "total_balance", "total_deposited", "total_withdrawn", "total_fees_paid"])
            line[name] = zero;
        return JsonSerializer.SerializeToElement(line);
    }
}
