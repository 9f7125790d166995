using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>How this server stands, and the switch that stops all withdrawals.</summary>
[For(Role.Operator)]
internal sealed class OperatorModel(Visit visit, AskApi api, OperatorDesk desk) : DashboardPage(visit, api)
{
    private const int ReasonMax = 200;

    public JsonElement Health { get; private set; }

    public (string Reason, string By, DateTimeOffset At)? Frozen { get; private set; }

    public IReadOnlyList<ProofLine> Proofs { get; private set; } = [];

    public IReadOnlyList<HotWalletLine> HotWallets => desk.HotWallets();

    // A user may be called anything, so the record says what he is.
    private string By => $"user:{Session.UserName}";

    public Task OnGet(CancellationToken ct) => Load(ct);

    public async Task<IActionResult> OnPostFreeze(string? reason, CancellationToken ct)
    {
        if (!Refused(Given(reason) is { Length: <= ReasonMax } why && !why.Any(char.IsControl) ? null : $"Say why, in at most {ReasonMax} characters."))
        {
            await desk.Freeze(true, Given(reason), By, ct);
            return Redirect("/dashboard/operator");
        }

        await Load(ct);
        return Page();
    }

    public async Task<IActionResult> OnPostThaw(CancellationToken ct)
    {
        await desk.Freeze(false, null, By, ct);
        return Redirect("/dashboard/operator");
    }

    public async Task<IActionResult> OnPostProve(CancellationToken ct)
    {
        await desk.Prove(Session.UserName, ct);
        return Redirect("/dashboard/operator#proofs");
    }

    public IReadOnlyList<(string Node, string? Fault)> Nodes(string chain) => desk.Nodes(chain);

    private async Task Load(CancellationToken ct)
    {
        Health = await Api.Get("/health/ready");
        Frozen = await desk.Frozen(ct);
        Proofs = await desk.Proofs(ct);
    }
}
