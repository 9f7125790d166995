using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One wallet: what it holds, an address to pay it, moving to another one.</summary>
[For(Role.Viewer)]
internal sealed class WalletModel(Visit visit, AskApi api, Ids ids) : DashboardPage(visit, api)
{
    private const int WalletsListed = 100;

    public string Id { get; private set; } = "";

    public JsonElement Wallet { get; private set; }

    public IReadOnlyList<JsonElement> Balances { get; private set; } = [];

    public IReadOnlyList<string> Currencies { get; private set; } = [];

    /// <summary>The account's other wallets.</summary>
    public IReadOnlyList<JsonElement> Others { get; private set; } = [];

    public IEnumerable<string> Held => Balances.Select(line => line.Text("currency").ToUpperInvariant());

    /// <summary>The key of the forms of this very page: sent twice, they do their work once.</summary>
    public string Once { get; private set; } = "";

    public string? Done { get; private set; }

    /// <summary>A deposit address that was just made.</summary>
    public string? Address { get; private set; }

    public string AddressCurrency { get; private set; } = "";

    public async Task OnGet(string id, string? done)
    {
        Done = done switch { "moved" => "It is moved.", "renamed" => "It has its new name.", _ => null };
        await Load(id);
    }

    public async Task<IActionResult> OnPostAddress(string id, string? currency, string? once)
    {
        var made = await Api.Send("POST", "/wallets/payment", new { wallet_id = id, currency = Given(currency) }, Given(once));
        if (!Refused(made))
            (Address, AddressCurrency) = (made.Body.Of("address").Text("address"), made.Body.Of("address").Text("currency"));
        await Load(id);
        return Page();
    }

    public async Task<IActionResult> OnPostTransfer(string id, string? to, string? currency, string? amount, string? description, string? once)
    {
        var moved = await Api.Send("POST", "/wallets/transfer", new
        {
            from_wallet_id = id,
            to_wallet_id = Given(to),
            currency = Given(currency),
            amount = Given(amount),
            description = Given(description),
        }, Given(once));
        if (!Refused(moved))
            return Redirect($"/dashboard/wallets/{Uri.EscapeDataString(id)}?done=moved");
        await Load(id);
        return Page();
    }

    public async Task<IActionResult> OnPostRename(string id, string? name)
    {
        if (!Refused(await Api.Send("PATCH", $"/wallets/{Uri.EscapeDataString(id)}", new { name = Given(name) })))
            return Redirect($"/dashboard/wallets/{Uri.EscapeDataString(id)}?done=renamed");
        await Load(id);
        return Page();
    }

    private async Task Load(string id)
    {
        Once = ids.New().ToString();
        Wallet = (await Api.Get($"/wallets/{Uri.EscapeDataString(id)}")).Of("result");
        Id = Wallet.Text("id");
        Balances = (await Api.Get($"/wallets/balances?wallet_id={Id}")).Of("result").Items("balances");
        if (!MayWrite)
            return;
        Currencies = [.. (await Api.Get("/currencies")).Items("currencies").Select(one => one.Text("currency"))];
        Others = [.. (await Api.Get($"/wallets?limit={WalletsListed}")).Of("result").Items("wallets").Where(one => one.Text("id") != Id)];
    }
}
