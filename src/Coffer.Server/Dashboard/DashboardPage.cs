using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Coffer.Server.Dashboard;

/// <summary>What all pages that need a session have: who looks, the API in his name, and what the last form was answered.</summary>
internal abstract class DashboardPage(Visit visit, AskApi api) : PageModel
{
    public Session Session => visit.Own;

    /// <summary>What a form was refused with, sentence by sentence; empty when nothing was.</summary>
    public IReadOnlyList<string> Faults { get; private set; } = [];

    /// <summary>Whether this user may change what the API lets owners change.</summary>
    public bool MayWrite => Session.Role >= Role.Owner;

    protected AskApi Api => api;

    /// <summary>Remembers why the API refused, for the page that is shown again; true when it did.</summary>
    protected bool Refused(ApiReply reply)
    {
        if (reply.Ok)
            return false;
        Faults = [reply.Message, .. reply.Details];
        Response.StatusCode = reply.Status;
        return true;
    }

    /// <summary>The same for what is wrong before anything is asked.</summary>
    protected bool Refused(string? fault)
    {
        if (fault is null)
            return false;
        Faults = [fault];
        Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
        return true;
    }

    /// <summary>The names of the account's wallets by id; of more than a hundred, the oldest.</summary>
    protected async Task<IReadOnlyDictionary<string, string>> Names() =>
        (await Api.Get("/wallets?limit=100")).Of("result").Items("wallets").ToDictionary(one => one.Text("id"), one => one.Text("name"));

    /// <summary>Whether none of the account's latest withdrawals of a currency was paid to the address; one that was taken back proves nothing.</summary>
    protected async Task<bool> IsFirstTo(string? currency, string? address, StringComparison spelling) =>
        (await Api.Get($"/withdrawal{Query(("limit", "100"), ("status", "completed"), ("currency", currency))}"))
            .Items("withdrawals").All(one => !string.Equals(one.Text("address"), address, spelling));

    /// <summary>Where to go first when nobody has lately shown who sits there; null when somebody has. For what cannot be undone.</summary>
    protected IActionResult? ProveFirst() =>
        Session.IsProved ? null : LocalRedirect($"{Sessions.ProofPath}?to={Uri.EscapeDataString(Request.Path)}");

    /// <summary>A page of this dashboard, never another site; the overview for anything else.</summary>
    public static string Own(IUrlHelper url, string? to) => to is not null && url.IsLocalUrl(to) && !to.Contains('\\')
        && to.StartsWith("/dashboard/", StringComparison.Ordinal) ? to : "/";

    /// <summary>A text of a form without the spaces around it; null for none.</summary>
    protected static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>Query parameters as they were asked, those that are missing left out.</summary>
    protected static string Query(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var query = new List<string>();
        foreach (var (name, value) in parameters)
        {
            if (Given(value) is { } given)
                query.Add($"{name}={Uri.EscapeDataString(given)}");
        }

        return query.Count == 0 ? "" : "?" + string.Join('&', query);
    }
}

/// <summary>Reads the API's answers member by member, as text: no figure becomes a number on its way to a page.</summary>
internal static class Json
{
    /// <summary>A text, or a whole number as it is written; empty for null.</summary>
    public static string Text(this JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    } : "";

    /// <summary>Whether there is more than null or nothing.</summary>
    public static bool Has(this JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    public static bool Is(this JsonElement of, string name) => of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    public static IReadOnlyList<JsonElement> Items(this JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [];

    public static JsonElement Of(this JsonElement of, string name) => of.GetProperty(name);
}
