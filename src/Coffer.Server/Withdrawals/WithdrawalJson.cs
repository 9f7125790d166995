using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Server.Withdrawals;

/// <summary>How withdrawals look on the wire.</summary>
internal static class WithdrawalJson
{
    /// <summary>Blocks from the one that holds it up to where the follower of its chain is, both included; 0 while no block holds it.</summary>
    public static long Confirmations(Withdrawal withdrawal, long? height) =>
        withdrawal.BlockHeight is { } own && height is { } tip ? Math.Max(0, tip - own + 1) : 0;

    public static void WritePage(this Utf8JsonWriter json, WithdrawalPage page, int limit, int offset, Currencies currencies)
    {
        json.WriteStartObject();
        json.WriteStartArray("withdrawals"u8);
        foreach (var row in page.Rows)
            json.Write(row, currencies.Find(row.Currency), Confirmations(row, page.Heights.TryGetValue(row.Chain, out var height) ? height : null));
        json.WriteEndArray();
        if (page.Total is { } total)
            json.WriteNumber("total"u8, total);
        json.WriteNumber("limit"u8, limit);
        json.WriteNumber("offset"u8, offset);
        json.WriteBoolean("has_more"u8, page.Next is not null);
        if (page.Next is { } next)
            json.WriteString("next_cursor"u8, next);
        else
            json.WriteNull("next_cursor"u8);
        json.WriteEndObject();
    }

    /// <param name="confirmations">So far; null where nobody knows how far the chain is: then nothing is said of them.</param>
    public static void Write(this Utf8JsonWriter json, Withdrawal withdrawal, Currency currency, long? confirmations)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, withdrawal.Id.Value);
        json.WriteString("status"u8, withdrawal.State.Word());
        json.WriteShort("amount"u8, withdrawal.Amount, currency.Decimals);
        json.WriteShort("requested_amount"u8, withdrawal.Amount + (withdrawal.FeesOnTop ? 0 : withdrawal.Fee), currency.Decimals);
        json.WriteString("currency"u8, withdrawal.Currency);
        json.WriteString("address"u8, withdrawal.Address);
        json.WriteString("blockchain"u8, currency.Network);
        json.WriteString("token"u8, currency.Token);
        json.WriteShort("network_fee"u8, withdrawal.NetworkFee, currency.Decimals);
        json.WriteShort("transaction_fee"u8, withdrawal.TransactionFee, currency.Decimals);
        json.WriteShort("total_fee"u8, withdrawal.Fee, currency.Decimals);
        json.WriteShort("total_deducted"u8, withdrawal.Amount + withdrawal.Fee, currency.Decimals);
        json.WriteString("transaction_hash"u8, withdrawal.TxId);
        if (confirmations is { } known)
            json.WriteNumber("confirmations"u8, known);
        json.WriteNumber("required_confirmations"u8, currency.Confirmations);
        json.WriteString("waits_for"u8, withdrawal.WaitsFor);
        json.WriteString("reason"u8, withdrawal.Reason);
        json.WriteString("account_id"u8, withdrawal.Wallet.Value);
        json.WriteString("custom_id"u8, withdrawal.CustomId);
        json.WriteString("callback_url"u8, withdrawal.CallbackUrl);
        json.WriteTime("created_at"u8, withdrawal.CreatedAt);
        json.WriteTime("updated_at"u8, withdrawal.UpdatedAt);
        json.WriteTime("completed_at"u8, withdrawal.CompletedAt);
        json.WriteEndObject();
    }
}
