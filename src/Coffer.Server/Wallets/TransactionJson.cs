using System.Text.Json;
using Coffer.Ledger;
using Coffer.Server.Host;

namespace Coffer.Server.Wallets;

/// <summary>How movements and their postings look on the wire: amounts with exactly the currency's decimals, a correction downwards negative.</summary>
internal static class TransactionJson
{
    /// <summary>The four words that a customer needs for all kinds of movements.</summary>
    public static string Status(MovementState state) => state switch
    {
        MovementState.Seen or MovementState.Requested => "pending",
        MovementState.Confirmed or MovementState.Settled or MovementState.Completed => "completed",
        MovementState.Failed => "failed",
        MovementState.Reversed => "reversed",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "No word for this state."),
    };

    public static void WritePage(this Utf8JsonWriter json, List<ListedMovement> page, Guid? next, Currencies currencies)
    {
        json.WriteStartObject();
        json.WriteStartArray("transactions"u8);
        foreach (var listed in page)
        {
            json.WriteStartObject();
            WriteMembers(json, listed, currencies.Find(listed.Movement.Currency));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("has_more"u8, next is not null);
        WriteId(json, "next_cursor"u8, next);
        json.WriteEndObject();
    }

    public static void WriteDetail(this Utf8JsonWriter json, ListedMovement listed, List<Posting> postings, Currency currency)
    {
        json.WriteStartObject();
        WriteMembers(json, listed, currency);
        json.WriteStartArray("postings"u8);
        foreach (var posting in postings)
            Write(json, posting, currency.Decimals);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMembers(Utf8JsonWriter json, ListedMovement listed, Currency currency)
    {
        var movement = listed.Movement;
        var isWithdrawal = movement.Kind == MovementKind.Withdrawal;
        json.WriteString("id"u8, movement.Id.Value);
        json.WriteString("type"u8, Name(movement.Kind));
        json.WriteString("status"u8, Status(movement.State));
        json.WriteString("wallet_id"u8, movement.Wallet.Value);
        WriteId(json, "to_wallet_id"u8, movement.ToWallet?.Value);
        json.WriteString("currency"u8, movement.Currency);
        json.WriteFixed("amount"u8, movement.Amount, currency.Decimals);
        json.WriteFixed("fee_amount"u8, movement.Fee, currency.Decimals);
        // What arrives: a deposit's fee is taken out of it, a withdrawal's comes on top.
        json.WriteFixed("net_amount"u8, isWithdrawal ? movement.Amount : movement.Amount - movement.Fee, currency.Decimals);
        json.WriteString("transaction_hash"u8, listed.TransactionHash);
        json.WriteString("address"u8, isWithdrawal ? movement.Description : null);
        json.WriteString("description"u8, isWithdrawal ? null : movement.Description);
        json.WriteTime("effective_at"u8, movement.EffectiveAt);
        json.WriteTime("created_at"u8, IdTimes.Of(movement.Id.Value));
        json.WriteTime("updated_at"u8, movement.UpdatedAt);
    }

    /// <summary>The seven changes add up to zero, and the hash covers all that is shown and the hash before it.</summary>
    private static void Write(Utf8JsonWriter json, Posting posting, int decimals)
    {
        json.WriteStartObject();
        json.WriteString("wallet_id"u8, posting.Key.Wallet.Value);
        json.WriteNumber("version"u8, posting.Version);
        json.WriteString("kind"u8, Name(posting.Kind));
        json.WriteTime("effective_at"u8, posting.EffectiveAt);
        json.WriteTime("recorded_at"u8, posting.RecordedAt);
        json.WriteStartObject("changes"u8);
        json.WriteFixed("available"u8, posting.Available, decimals);
        json.WriteFixed("incoming"u8, posting.Incoming, decimals);
        json.WriteFixed("held"u8, posting.Held, decimals);
        json.WriteFixed("external"u8, posting.External, decimals);
        json.WriteFixed("fee"u8, posting.Fee, decimals);
        json.WriteFixed("transfer"u8, posting.Transfer, decimals);
        json.WriteFixed("deficit"u8, posting.Deficit, decimals);
        json.WriteEndObject();
        json.WriteStartObject("after"u8);
        json.WriteFixed("available"u8, posting.AvailableAfter, decimals);
        json.WriteFixed("incoming"u8, posting.IncomingAfter, decimals);
        json.WriteFixed("held"u8, posting.HeldAfter, decimals);
        json.WriteEndObject();
        json.WriteString("hash"u8, Convert.ToHexStringLower(posting.Hash));
        json.WriteEndObject();
    }

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static void WriteId(Utf8JsonWriter json, ReadOnlySpan<byte> name, Guid? id)
    {
        if (id is { } known)
            json.WriteString(name, known);
        else
            json.WriteNull(name);
    }
}
