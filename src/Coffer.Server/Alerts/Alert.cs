using System.Numerics;
using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Server.Alerts;

/// <summary>A wish to be told when little is available; see <c>0016_alerts.sql</c>.</summary>
/// <param name="Wallet">Whose available balance; null for all wallets of the account together.</param>
/// <param name="Threshold">Smallest units; low below it.</param>
/// <param name="Recovery">Smallest units; ok again from there on.</param>
/// <param name="RecoveryIsUsual">Whether the recovery threshold follows the threshold, because nobody named it.</param>
/// <param name="Sum">Alerts of an account: what its wallets have together; null for alerts of a wallet.</param>
internal sealed record Alert(AccountId Account, string Currency, Guid Id, WalletId? Wallet, Int128 Threshold, Int128 Recovery,
    bool RecoveryIsUsual, AlertState State, DateTimeOffset StateSince, BigInteger? Sum, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>Alerts that one account may have: every posting of the account reads those of its currency.</summary>
    public const int CountMax = 200;
}

/// <summary>What left a balance lately or is on its way, in the two windows of a <see cref="Forecast"/>.</summary>
internal readonly record struct Outflow(BigInteger Day, BigInteger Week);

/// <summary>An alert with what it watches, all as of one moment.</summary>
internal sealed record AlertView(Alert Alert, BigInteger Available, Outflow Outflow);

/// <summary>Alerts on the wire, and what is told of them.</summary>
internal static class AlertJson
{
    /// <summary>As <c>/user/alerts/</c> shows it.</summary>
    public static void Write(this Utf8JsonWriter json, AlertView view, Currency currency, DateTimeOffset now)
    {
        var alert = view.Alert;
        json.WriteStartObject();
        json.WriteString("id"u8, alert.Id);
        json.WriteWatched(alert);
        json.WriteString("state"u8, alert.State == AlertState.Low ? "low"u8 : "ok"u8);
        json.WriteTime("state_since"u8, alert.StateSince);
        json.WriteFigures(alert, view.Available, currency.Decimals);
        json.WriteForecast(Forecast.Of(view.Available, view.Outflow.Day, view.Outflow.Week, now), currency.Decimals);
        json.WriteTime("created_at"u8, alert.CreatedAt);
        json.WriteTime("updated_at"u8, alert.UpdatedAt);
        json.WriteEndObject();
    }

    /// <summary>The data of <c>balance.low</c> and <c>balance.recovered</c>.</summary>
    public static void WriteTold(this Utf8JsonWriter json, Alert alert, BigInteger available, Forecast? forecast, int decimals)
    {
        json.WriteStartObject();
        json.WriteString("alert_id"u8, alert.Id);
        json.WriteWatched(alert);
        json.WriteFigures(alert, available, decimals);
        json.WriteForecast(forecast, decimals);
        json.WriteEndObject();
    }

    private static void WriteWatched(this Utf8JsonWriter json, Alert alert)
    {
        json.WriteString("currency"u8, alert.Currency);
        if (alert.Wallet is { } wallet)
            json.WriteString("wallet_id"u8, wallet.Value);
        else
            json.WriteNull("wallet_id"u8);
    }

    private static void WriteFigures(this Utf8JsonWriter json, Alert alert, BigInteger available, int decimals)
    {
        // Wallets that are full together have more than an amount may have; nobody waits for that figure.
        json.WriteFixed("available"u8, (Int128)BigInteger.Min(available, Amount.Max), decimals);
        json.WriteFixed("threshold"u8, alert.Threshold, decimals);
        json.WriteFixed("recovery_threshold"u8, alert.Recovery, decimals);
    }

    private static void WriteForecast(this Utf8JsonWriter json, Forecast? forecast, int decimals)
    {
        if (forecast is null)
        {
            json.WriteNull("forecast"u8);
            return;
        }

        json.WriteStartObject("forecast"u8);
        json.WriteFixed("outflow_per_day"u8, forecast.OutflowPerDay, decimals);
        json.WriteTime("empty_at"u8, forecast.EmptyAt);
        json.WriteEndObject();
    }
}
