using System.Numerics;
using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Server.Payments;

/// <summary>How a payment looks on the wire.</summary>
internal static class PaymentJson
{
    /// <summary>Each status and its word.</summary>
    public static readonly IReadOnlyDictionary<string, PaymentStatus> Statuses = new Dictionary<string, PaymentStatus>
    {
        ["waiting"] = PaymentStatus.Waiting,
        ["confirming"] = PaymentStatus.Confirming,
        ["partially_paid"] = PaymentStatus.PartiallyPaid,
        ["completed"] = PaymentStatus.Completed,
        ["expired"] = PaymentStatus.Expired,
        ["failed"] = PaymentStatus.Failed,
    };

    private static readonly Dictionary<PaymentStatus, string> _words = Statuses.ToDictionary(one => one.Value, one => one.Key);

    /// <summary>The word for a status.</summary>
    public static string Word(PaymentStatus status) => _words[status];

    /// <param name="deposits">Whether what came is listed, or only summed up.</param>
    public static void Write(this Utf8JsonWriter json, PaymentView view, Currencies currencies, bool deposits = true)
    {
        var (payment, standing) = (view.Payment, view.Standing);
        var currency = currencies.Find(payment.Currency);
        json.WriteStartObject();
        json.WriteString("id"u8, payment.Id);
        json.WriteString("status"u8, _words[standing.Status]);
        json.WriteString("wallet_id"u8, payment.Wallet.Value);
        json.WriteString("currency"u8, payment.Currency);
        json.WriteString("blockchain"u8, currency.Network);
        json.WriteString("token"u8, currency.Token);
        json.WriteShort("amount"u8, payment.Amount, currency.Decimals);
        json.WriteString("address"u8, view.Address);
        if (payment.PriceCents is { } cents)
            json.WriteFixed("price_amount"u8, cents, Usd.Decimals);
        else
            json.WriteNull("price_amount"u8);
        json.WriteString("price_currency"u8, payment.PriceCents is null ? null : "USD");
        json.WriteString("rate"u8, payment.Rate?.ToString());
        json.WriteShort("amount_received"u8, standing.Confirmed, currency.Decimals);
        json.WriteShort("amount_pending"u8, standing.Pending, currency.Decimals);
        json.WriteShort("amount_missing"u8, standing.Missing, currency.Decimals);
        json.WriteShort("amount_over"u8, standing.Over, currency.Decimals);
        json.WriteShort("amount_late"u8, standing.Late, currency.Decimals);
        json.WriteBoolean("paid_late"u8, standing.Late > 0);
        json.WriteString("order_id"u8, payment.OrderId);
        json.WriteString("custom_id"u8, payment.CustomId);
        json.WriteString("description"u8, payment.Description);
        json.WriteString("callback_url"u8, payment.CallbackUrl);
        json.WriteTime("expires_at"u8, payment.ExpiresAt);
        json.WriteTime("created_at"u8, payment.CreatedAt);
        if (deposits)
        {
            json.WriteStartArray("deposits"u8);
            foreach (var receipt in view.Receipts)
                Write(json, receipt, payment, currencies);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, PaymentReceipt receipt, Payment payment, Currencies currencies)
    {
        var currency = currencies.TryFind(receipt.Currency, out var known) ? known : null;
        json.WriteStartObject();
        json.WriteString("txid"u8, receipt.TxId);
        json.WriteString("status"u8, receipt.State switch
        {
            PaymentDepositState.Mempool => "mempool",
            PaymentDepositState.Confirming => "confirming",
            PaymentDepositState.Credited => "credited",
            PaymentDepositState.Orphaned => "orphaned",
            _ => "not_credited",
        });
        json.WriteString("currency"u8, receipt.Currency);
        // Without the currency's decimals only the number itself can be told.
        if (currency is not null && receipt.Amount <= (BigInteger)Amount.Max)
            json.WriteShort("amount"u8, (Int128)receipt.Amount, currency.Decimals);
        else
            json.WriteString("amount"u8, receipt.Amount.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (receipt.Height is { } height)
            json.WriteNumber("height"u8, height);
        else
            json.WriteNull("height"u8);
        json.WriteNumber("confirmations"u8, receipt.Confirmations);
        // What the chain itself must call final has no number.
        if (currency is { Finalized: false })
            json.WriteNumber("required_confirmations"u8, currency.Confirmations);
        else
            json.WriteNull("required_confirmations"u8);
        json.WriteBoolean("late"u8, receipt.ArrivedAt > payment.ExpiresAt);
        json.WriteString("not_credited_because"u8, receipt.Reason);
        json.WriteTime("arrived_at"u8, receipt.ArrivedAt);
        json.WriteEndObject();
    }
}
