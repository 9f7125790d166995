using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Microsoft.AspNetCore.Html;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>
/// Asking for a withdrawal in two steps: what is typed, then everything that will happen. The second form carries a key, so that it is
/// one withdrawal however often it is sent.
/// </summary>
[For(Role.Owner)]
internal sealed class NewWithdrawalModel(Visit visit, AskApi api, Ids ids) : DashboardPage(visit, api)
{
    private const int Grouping = 4;

    public WithdrawalForm Form { get; private set; } = new();

    public IReadOnlyDictionary<string, string> Wallets { get; private set; } = new Dictionary<string, string>();

    /// <summary>What the wallet has that can be withdrawn.</summary>
    public IReadOnlyList<JsonElement> Available { get; private set; } = [];

    /// <summary>What it will cost; null in the first step.</summary>
    public JsonElement? Quote { get; private set; }

    /// <summary>Whether none of the latest withdrawals of this currency was paid to the address.</summary>
    public bool IsFirst { get; private set; }

    /// <summary>An address in groups, as it is compared by eye; what is copied has no spaces.</summary>
    public static IHtmlContent Grouped(string address)
    {
        var html = new HtmlContentBuilder();
        foreach (var group in address.Chunk(Grouping))
            html.AppendHtml("<span class=\"group\">").Append(new string(group)).AppendHtml("</span>");
        return html;
    }

    public async Task OnGet(string? wallet)
    {
        Form.Wallet = wallet;
        await Load();
    }

    public async Task<IActionResult> OnPostReview(WithdrawalForm form)
    {
        Form = form;
        Form.Once = ids.New().ToString();
        Wallets = await Names();
        var quote = await Api.Send("POST", "/withdrawal/estimate",
            new { currency = Given(form.Currency), amount = Given(form.Amount), address = Given(form.Address), final_amount = form.Within != "true" });
        if (Refused(quote))
        {
            await Load();
            return Page();
        }

        // As it was typed; the spelling of some addresses is free.
        IsFirst = await IsFirstTo(form.Currency, Given(form.Address), StringComparison.OrdinalIgnoreCase);
        Quote = quote.Body;
        return Page();
    }

    public async Task<IActionResult> OnPostChange(WithdrawalForm form)
    {
        Form = form;
        await Load();
        return Page();
    }

    public async Task<IActionResult> OnPostSend(WithdrawalForm form)
    {
        Form = form;
        var made = await Api.Send("POST", "/withdrawal", new
        {
            account_id = Given(form.Wallet),
            currency = Given(form.Currency),
            amount = Given(form.Amount),
            address = Given(form.Address),
            final_amount = form.Within != "true",
            custom_id = Given(form.CustomId),
        }, Given(form.Once));
        if (!Refused(made))
            return Redirect($"/dashboard/withdrawals/{made.Body.Text("id")}");
        await Load();
        return Page();
    }

    private async Task Load()
    {
        Wallets = await Names();
        Form.Wallet = Given(Form.Wallet) ?? Wallets.First().Key;
        Available = (await Api.Get($"/withdrawal/available-currencies{Query(("account_id", Form.Wallet))}")).Items("currencies");
    }
}

/// <summary>What the form of a new withdrawal sends.</summary>
internal sealed class WithdrawalForm
{
    public string? Wallet { get; set; }

    public string? Currency { get; set; }

    public string? Amount { get; set; }

    public string? Address { get; set; }

    /// <summary>"true": the fees are taken out of the amount.</summary>
    public string? Within { get; set; }

    public string? CustomId { get; set; }

    public string? Once { get; set; }
}
