using System.Globalization;
using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>Payments that were asked for, and asking for one.</summary>
[For(Role.Viewer)]
internal sealed class PaymentsModel(Visit visit, AskApi api, Ids ids) : DashboardPage(visit, api)
{
    public static readonly string[] Statuses = ["waiting", "confirming", "partially_paid", "completed", "expired", "failed"];

    private const int Shown = 20;

    public string? Status { get; private set; }

    public string? Order { get; private set; }

    public IReadOnlyList<JsonElement> Rows { get; private set; } = [];

    public string Next { get; private set; } = "";

    public string Earlier => Query(("status", Status), ("order_id", Order), ("starting_after", Next));

    public IReadOnlyList<string> Currencies { get; private set; } = [];

    public IReadOnlyDictionary<string, string> Wallets { get; private set; } = new Dictionary<string, string>();

    public string Once { get; private set; } = "";

    /// <summary>What was typed into a form that was refused.</summary>
    public PaymentForm Typed { get; private set; } = new();

    public Task OnGet(string? status, [FromQuery(Name = "order_id")] string? order, [FromQuery(Name = "starting_after")] string? after)
    {
        (Status, Order) = (Given(status), Given(order));
        return Load(after);
    }

    public async Task<IActionResult> OnPost(PaymentForm form)
    {
        Typed = form;
        var wish = new Dictionary<string, object?> { ["wallet_id"] = Given(form.Wallet), ["order_id"] = Given(form.Order) };
        if (form.Unit == "usd")
            (wish["price_amount"], wish["price_currency"], wish["pay_currency"]) = (Given(form.Amount), "USD", Given(form.Currency));
        else
            (wish["amount"], wish["currency"]) = (Given(form.Amount), Given(form.Currency));
        // A text is no number of minutes; the API says so.
        wish["expiry_minutes"] = int.TryParse(form.Minutes, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ? minutes : form.Minutes;
        var made = await Api.Send("POST", "/payments", wish, Given(form.Once));
        if (!Refused(made))
            return Redirect($"/dashboard/payments/{made.Body.Text("id")}");
        await Load(null);
        return Page();
    }

    private async Task Load(string? after)
    {
        Once = ids.New().ToString();
        var page = await Api.Get($"/payments{Query(("limit", $"{Shown}"), ("status", Status), ("order_id", Order), ("starting_after", after))}");
        (Rows, Next) = (page.Items("payments"), page.Text("next_cursor"));
        Wallets = await Names();
        Currencies = [.. (await Api.Get("/currencies")).Items("currencies").Select(one => one.Text("currency"))];
    }
}

/// <summary>What the form of a new payment sends.</summary>
internal sealed class PaymentForm
{
    public string? Currency { get; set; }

    public string? Amount { get; set; }

    public string? Unit { get; set; }

    public string? Wallet { get; set; }

    public string? Order { get; set; }

    public string? Minutes { get; set; }

    public string? Once { get; set; }
}
