using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>One endpoint: its deliveries with every attempt, sending again, its secret.</summary>
[For(Role.Viewer)]
internal sealed class WebhookModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    private static readonly Dictionary<string, string> _words = new()
    {
        ["ping"] = "A ping is on its way.",
        ["enable"] = "It is enabled once a ping has arrived.",
        ["disable"] = "It is disabled.",
        ["resend"] = "It is sent again.",
        ["replay"] = "What has not arrived is sent again.",
    };

    public string Id { get; private set; } = "";

    public JsonElement Webhook { get; private set; }

    public IReadOnlyList<JsonElement> Deliveries { get; private set; } = [];

    public string Next { get; private set; } = "";

    public string? Done { get; private set; }

    /// <summary>A secret that was just made: shown in this one answer.</summary>
    public string? Secret { get; private set; }

    private string Path => $"/user/webhooks/{Uri.EscapeDataString(Id)}";

    public Task OnGet(string id, string? done, [FromQuery(Name = "starting_after")] string? after)
    {
        Done = _words.GetValueOrDefault(done ?? "");
        return Load(id, after);
    }

    public async Task<IActionResult> OnPostDo(string id, string? what)
    {
        Id = id;
        if (what == "rotate-secret" && MayWrite && ProveFirst() is { } first)
            return first;
        var reply = what switch
        {
            "delete" => await Api.Send("DELETE", Path, null),
            "ping" or "enable" or "disable" or "rotate-secret" => await Api.Send("POST", $"{Path}/{what}", new { }),
            _ => throw new Refused(Refusal.NotFound("action")),
        };
        if (!Refused(reply))
        {
            if (what == "delete")
                return Redirect("/dashboard/webhooks");
            if (what != "rotate-secret")
                return Redirect($"/dashboard/webhooks/{Uri.EscapeDataString(Id)}?done={what}");
            Secret = reply.Body.Text("secret");
        }

        await Load(id, null);
        return Page();
    }

    public async Task<IActionResult> OnPostResend(string id, string? number)
    {
        Id = id;
        return await Sent(await Api.Send("POST", $"{Path}/deliveries/{Uri.EscapeDataString(number ?? "")}/resend", new { }), "resend");
    }

    public async Task<IActionResult> OnPostReplay(string id, string? since)
    {
        Id = id;
        // Browsers send minutes without a zone; the label says UTC.
        var time = since is { Length: 16 } ? since + ":00Z" : since;
        return await Sent(await Api.Send("POST", $"{Path}/replay", new { since = time }), "replay");
    }

    private async Task<IActionResult> Sent(ApiReply reply, string word)
    {
        if (!Refused(reply))
            return Redirect($"/dashboard/webhooks/{Uri.EscapeDataString(Id)}?done={word}");
        await Load(Id, null);
        return Page();
    }

    private async Task Load(string id, string? after)
    {
        Id = id;
        Webhook = await Api.Get(Path);
        var page = await Api.Get($"{Path}/deliveries{Query(("starting_after", after))}");
        (Deliveries, Next) = (page.Items("deliveries"), page.Text("next_cursor"));
    }
}
