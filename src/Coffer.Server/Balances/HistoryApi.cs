using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Balances;

/// <summary><c>GET /user/balances/history/</c> (contract 2): read one snapshot, fold it, write it.</summary>
internal static class HistoryApi
{
    public static void MapHistory(this IEndpointRouteBuilder routes, Db db, Currencies currencies, TimeProvider time) =>
        routes.MapGet("/user/balances/history", http => Get(http, db, currencies, time)).RequireToken(Scopes.Read);

    private static async Task Get(HttpContext http, Db db, Currencies currencies, TimeProvider time)
    {
        var query = Input.Query(http);
        var currency = query.OptionalCurrency("currency", currencies);
        if (!HistoryWindow.TryParse(query.OptionalText("period") ?? "7d", out Period period))
            query.Fault("period", "Send 24h, 7d or 30d.");
        if (!HistoryWindow.TryParse(query.OptionalText("interval") ?? "daily", out Interval interval))
            query.Fault("interval", "Send hourly or daily.");
        query.Check();
        var window = new HistoryWindow(time.GetUtcNow(), period, interval);
        string[] codes = currency is null ? [.. currencies.All.Select(c => c.Code)] : [currency.Code];
        var views = await db.AccountHistory(http.Caller(), codes, window.From, http.RequestAborted);
        var report = currency is null
            ? History.FoldAll(window, [.. views.Select(view => Flows(currencies.Find(view.Key), view.Value))])
            : History.Fold(window, Flows(currency, views.GetValueOrDefault(currency.Code) ?? new CurrencyView(0, [], [])));
        await Answer.Tagged(http, json => Write(json, currency?.Code ?? "ALL", window, report));
    }

    private static CurrencyFlows Flows(Currency currency, CurrencyView view) =>
        new(currency.Decimals, view.Total, view.Flows, instant => PriceAt(currency, view.Prices, instant));

    /// <summary>The last price before the instant, unless it was too old by then.</summary>
    private static UsdPrice? PriceAt(Currency currency, List<(DateTimeOffset At, UsdPrice Price)> prices, DateTimeOffset instant)
    {
        var (low, high) = (0, prices.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (prices[middle].At <= instant)
                low = middle + 1;
            else
                high = middle;
        }

        return low == 0 || instant - prices[low - 1].At > currency.PriceAgeMax ? null : prices[low - 1].Price;
    }

    private static void Write(Utf8JsonWriter json, string currency, HistoryWindow window, HistoryReport report)
    {
        var decimals = report.Decimals;
        json.WriteStartObject();
        json.WriteString("currency"u8, currency);
        json.WriteString("period"u8, HistoryWindow.Text(window.Period));
        json.WriteString("interval"u8, HistoryWindow.Text(window.Interval));
        json.WriteStartArray("history"u8);
        foreach (var row in report.Rows)
        {
            json.WriteStartObject();
            json.WriteTime("timestamp"u8, row.Timestamp);
            json.WriteFixed("balance"u8, row.Balance, decimals);
            json.WriteFixed("deposits"u8, row.Deposits, decimals);
            json.WriteFixed("withdrawals"u8, row.Withdrawals, decimals);
            json.WriteNumber("deposit_count"u8, row.DepositCount);
            json.WriteNumber("withdrawal_count"u8, row.WithdrawalCount);
            json.WriteUsd("usd_value"u8, row.UsdCents);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        var summary = report.Summary;
        json.WriteStartObject("summary"u8);
        json.WriteFixed("starting_balance"u8, summary.StartingBalance, decimals);
        json.WriteFixed("ending_balance"u8, summary.EndingBalance, decimals);
        json.WriteFixed("total_deposits"u8, summary.TotalDeposits, decimals);
        json.WriteFixed("total_withdrawals"u8, summary.TotalWithdrawals, decimals);
        json.WriteFixed("net_change"u8, summary.NetChange, decimals);
        json.WriteNumber("total_deposit_count"u8, summary.TotalDepositCount);
        json.WriteNumber("total_withdrawal_count"u8, summary.TotalWithdrawalCount);
        json.WriteFixed("average_daily_deposits"u8, summary.AverageDailyDeposits, decimals);
        json.WriteFixed("average_daily_withdrawals"u8, summary.AverageDailyWithdrawals, decimals);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
