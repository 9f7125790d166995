using System.Text.Json;
using Coffer.Server.Auth;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One payment with what its payer scans.</summary>
[For(Role.Viewer)]
internal sealed class PaymentModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public JsonElement Payment { get; private set; }

    /// <summary>Address and amount as wallets read them (BIP 21); of networks without such a form, and of a hidden amount, the address alone.</summary>
    public string Uri => Payment.Text("currency") switch
    {
        "BTC" when !Session.HidesAmounts => $"bitcoin:{Payment.Text("address")}?amount={Payment.Text("amount")}",
        _ => Payment.Text("address"),
    };

    public async Task OnGet(string id) => Payment = await Api.Get($"/payments/{System.Uri.EscapeDataString(id)}");
}
