using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One withdrawal: how far it is, taking it back, and deciding about it with a second pair of eyes.</summary>
[For(Role.Viewer)]
internal sealed class WithdrawalModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public JsonElement Withdrawal { get; private set; }

    /// <summary>Whether taking it back can be tried; the server decides at that moment.</summary>
    public bool IsOpen => !Withdrawal.Has("transaction_hash") && !Withdrawal.Has("completed_at") && Withdrawal.Text("status") == "pending";

    public bool MayDecide => Session.Role == Role.Operator && Withdrawal.Text("waits_for") == "approval";

    /// <summary>Whether none of the account's latest withdrawals of this currency was paid to the address; one that was taken back proves nothing.</summary>
    public bool IsFirst { get; private set; }

    public Task OnGet(Guid id) => Load(id);

    public Task<IActionResult> OnPostCancel(Guid id) => Do(id, "cancel", new { });

    public async Task<IActionResult> OnPostApprove(Guid id) => ProveFirst() ?? await Do(id, "approve", new { });

    public Task<IActionResult> OnPostReject(Guid id, string? reason) => Do(id, "reject", new { reason = Given(reason) });

    private async Task<IActionResult> Do(Guid id, string what, object body)
    {
        if (!Refused(await Api.Send("POST", $"/withdrawal/{id}/{what}", body)))
            return Redirect($"/dashboard/withdrawals/{id}");
        await Load(id);
        return Page();
    }

    private async Task Load(Guid id)
    {
        Withdrawal = await Api.Get($"/withdrawal/{id}");
        if (MayDecide)
            IsFirst = await IsFirstTo(Withdrawal.Text("currency"), Withdrawal.Text("address"), StringComparison.Ordinal);
    }
}
