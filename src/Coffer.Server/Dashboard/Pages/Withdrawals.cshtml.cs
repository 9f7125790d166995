using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>What was paid out, newest first.</summary>
[For(Role.Viewer)]
internal sealed class WithdrawalsModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    /// <summary>What is offered to filter by; the API takes every status that it answers with.</summary>
    public static readonly string[] Statuses =
        ["pending", "approved", "processing", "submitted", "confirmed", "completed", "rejected", "failed", "cancelled"];

    private const int Shown = 20;

    public string? Status { get; private set; }

    public string? Currency { get; private set; }

    public IReadOnlyList<JsonElement> Rows { get; private set; } = [];

    public string Next { get; private set; } = "";

    public string Earlier => Query(("status", Status), ("currency", Currency), ("starting_after", Next));

    public async Task OnGet(string? status, string? currency, [FromQuery(Name = "starting_after")] string? after)
    {
        (Status, Currency) = (Given(status), Given(currency));
        var page = await Api.Get($"/withdrawal{Query(("limit", $"{Shown}"), ("status", Status), ("currency", Currency), ("starting_after", after))}");
        (Rows, Next) = (page.Items("withdrawals"), page.Text("next_cursor"));
    }
}
