using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>What was paid in, and how far those are that still wait; and one transaction by its id.</summary>
[For(Role.Viewer)]
internal sealed class DepositsModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    private const int Shown = 20;

    // A question goes to a node; those that wait are few, and the newest are asked about.
    private const int AskedMax = 8;

    private IReadOnlyDictionary<string, string> _wallets = new Dictionary<string, string>();

    public string? TxId { get; private set; }

    /// <summary>What is known of the transaction that was asked for.</summary>
    public JsonElement? Found { get; private set; }

    public IReadOnlyList<JsonElement> Rows { get; private set; } = [];

    /// <summary>Of those that wait: what <c>GET /deposits/{txid}</c> says, by transaction and currency.</summary>
    public Dictionary<string, JsonElement> Progress { get; } = [];

    public string Next { get; private set; } = "";

    public async Task OnGet(string? txid, [FromQuery(Name = "starting_after")] string? after)
    {
        if ((TxId = Given(txid)) is { } asked)
        {
            var reply = await Api.Send("GET", $"/deposits/{Uri.EscapeDataString(asked)}", null);
            if (!Refused(reply))
                Found = reply.Body;
        }

        var page = await Api.Get($"/transactions{Query(("type", "deposit"), ("limit", $"{Shown}"), ("starting_after", after))}");
        (Rows, Next) = (page.Items("transactions"), page.Text("next_cursor"));
        _wallets = await Names();
        var waiting = Rows.Where(row => row.Text("status") == "pending" && row.Has("transaction_hash")).Select(row => row.Text("transaction_hash"));
        var asking = waiting.Distinct().Take(AskedMax).Select(async hash => (hash, await Api.Send("GET", $"/deposits/{Uri.EscapeDataString(hash)}", null)));
        foreach (var (hash, reply) in await Task.WhenAll(asking))
        {
            foreach (var deposit in reply.Ok ? reply.Body.Items("deposits") : [])
                Progress[hash + deposit.Text("currency")] = deposit;
        }
    }

    public string Name(string wallet) => _wallets.GetValueOrDefault(wallet) ?? wallet[..8];
}
