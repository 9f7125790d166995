using System.Text.Json;
using Coffer.Server.Auth;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One payment with what its payer scans.</summary>
[For(Role.Viewer)]
internal sealed class PaymentModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public JsonElement Payment { get; private set; }

    /// <summary>What the QR code says.</summary>
    public string Uri => PaymentUri.Of(Payment.Text("currency"), Payment.Text("address"), Session.HidesAmounts ? null : Payment.Text("amount"));

    public async Task OnGet(string id) => Payment = await Api.Get($"/payments/{System.Uri.EscapeDataString(id)}");
}
