using System.Text;
using System.Text.Json;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>Every movement of the account, filtered, a page at a time, or all of them as CSV.</summary>
[For(Role.Viewer)]
internal sealed class TransactionsModel(Visit visit, AskApi api) : DashboardPage(visit, api)
{
    /// <summary>Rows of one CSV file; who has more downloads them by days.</summary>
    public const int CsvMax = 50_000;

    public static readonly string[] Types = ["deposit", "withdrawal", "transfer", "correction"];
    public static readonly string[] Statuses = ["pending", "completed", "failed", "reversed"];

    private const int Shown = 25;
    private const int CsvPage = 100;

    private static readonly string[] _columns =
    [
        "id", "type", "status", "wallet_id", "to_wallet_id", "currency", "amount", "fee_amount", "net_amount", "transaction_hash", "address",
        "description", "effective_at", "created_at", "updated_at",
    ];

    public string? Type { get; private set; }

    public string? Status { get; private set; }

    public string? Currency { get; private set; }

    public string? Wallet { get; private set; }

    public string? From { get; private set; }

    public string? To { get; private set; }

    /// <summary>The filter as a query, with its question mark; empty for none.</summary>
    public string Filter { get; private set; } = "";

    public IReadOnlyList<JsonElement> Rows { get; private set; } = [];

    public string Next { get; private set; } = "";

    public IReadOnlyList<string> Currencies { get; private set; } = [];

    public IReadOnlyDictionary<string, string> Wallets { get; private set; } = new Dictionary<string, string>();

    public async Task OnGet(TransactionQuery asked, [FromQuery(Name = "starting_after")] string? after)
    {
        Read(asked);
        var rows = Api.Get($"/transactions{Page(Shown, after)}");
        Currencies = [.. (await Api.Get("/currencies")).Items("currencies").Select(one => one.Text("currency"))];
        Wallets = await Names();
        var page = await rows;
        (Rows, Next) = (page.Items("transactions"), page.Text("next_cursor"));
    }

    public async Task<IActionResult> OnGetCsv(TransactionQuery asked, CancellationToken ct)
    {
        Read(asked);
        var page = await Api.Get($"/transactions{Page(CsvPage, null)}");
        Response.ContentType = "text/csv; charset=utf-8";
        Response.Headers.ContentDisposition = "attachment; filename=\"transactions.csv\"";
        var text = new StringBuilder().AppendJoin(',', _columns).Append("\r\n");
        for (var rows = 0; ; page = await Api.Get($"/transactions{Page(CsvPage, page.Text("next_cursor"))}"))
        {
            foreach (var row in page.Items("transactions"))
                text.AppendJoin(',', _columns.Select(column => Csv.Cell(row.Text(column)))).Append("\r\n");
            await Response.WriteAsync(text.ToString(), ct);
            text.Clear();
            rows += CsvPage;
            if (!page.Is("has_more") || rows >= CsvMax)
                return new EmptyResult();
        }
    }

    public string Name(string wallet) => Wallets.GetValueOrDefault(wallet) ?? wallet[..8];

    private void Read(TransactionQuery asked)
    {
        (Type, Status, Currency, Wallet, From, To) = (asked.Type, asked.Status, asked.Currency, asked.Wallet, asked.From, asked.To);
        Filter = Query(("type", Type), ("status", Status), ("currency", Currency), ("wallet_id", Wallet), ("date_from", From), ("date_to", To));
    }

    private string Page(int limit, string? after) =>
        (Filter.Length > 0 ? Filter + "&" : "?") + Query(("limit", $"{limit}"), ("starting_after", after))[1..];
}

/// <summary>The filter of the list of transactions, under the API's own names.</summary>
internal sealed class TransactionQuery
{
    [FromQuery(Name = "type")]
    public string? Type { get; set; }

    [FromQuery(Name = "status")]
    public string? Status { get; set; }

    [FromQuery(Name = "currency")]
    public string? Currency { get; set; }

    [FromQuery(Name = "wallet_id")]
    public string? Wallet { get; set; }

    [FromQuery(Name = "date_from")]
    public string? From { get; set; }

    [FromQuery(Name = "date_to")]
    public string? To { get; set; }
}
