using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Events;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>The account's endpoints, and a new one.</summary>
[For(Role.Viewer)]
internal sealed class WebhooksModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    public static IEnumerable<string> Types => EventType.All;

    public IReadOnlyList<JsonElement> Rows { get; private set; } = [];

    /// <summary>An endpoint that was just made, with its secret: shown in this one answer.</summary>
    public JsonElement? Made { get; private set; }

    public string? Typed { get; private set; }

    public string? Description { get; private set; }

    public Task OnGet() => Load();

    public async Task OnPost(string? url, string? description, string[] types)
    {
        (Typed, Description) = (url, description);
        var wish = new Dictionary<string, object?> { ["url"] = Given(url), ["description"] = Given(description) };
        if (types.Length > 0)
            wish["types"] = types;
        var made = await Api.Send("POST", "/user/webhooks", wish);
        if (!Refused(made))
            (Made, Typed, Description) = (made.Body, null, null);
        await Load();
    }

    private async Task Load() => Rows = (await Api.Get("/user/webhooks")).Items("webhooks");
}
