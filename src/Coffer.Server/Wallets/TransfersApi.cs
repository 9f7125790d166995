using System.Text.Json;
using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>Moves between own wallets.</summary>
internal static class TransfersApi
{
    private const int DescriptionMax = 255;

    public static void MapTransfers(this IEndpointRouteBuilder routes, Db db, LedgerWriters ledger, IdempotencyApi idempotency, Ids ids,
        Currencies currencies) =>
        routes.MapPost("/wallets/transfer", http => Once(http, db, ledger, idempotency, ids, currencies)).RequireWrite();

    private static Task Once(HttpContext http, Db db, LedgerWriters ledger, IdempotencyApi idempotency, Ids ids, Currencies currencies) =>
        idempotency.Run(http, http.Caller().Account, key => Move(http, db, ledger, key ?? ids.New().ToString(), currencies));

    private static async Task<Reply> Move(HttpContext http, Db db, LedgerWriters ledger, string key, Currencies currencies)
    {
        var request = await Read(http, currencies);
        var result = await TransferFunds.Run(db, ledger, http.Caller(), request, Reference.Of($"transfer:{key}"), http.RequestAborted);
        // The key may be forgotten and the reference is not: then the ledger says that it happened before.
        if (result.Replayed)
            http.Response.Headers["Idempotent-Replayed"] = "true";
        return Reply.Json(StatusCodes.Status200OK, json => Write(json, result, request.Currency.Decimals));
    }

    private static async Task<TransferRequest> Read(HttpContext http, Currencies currencies)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var from = body.Uuid("from_wallet_id");
        var to = body.OptionalUuid("to_wallet_id");
        var currency = body.Currency("currency", currencies);
        var amount = body.Amount("amount", currency);
        var description = body.OptionalText("description", DescriptionMax);
        body.Check();
        return new TransferRequest(new WalletId(from), to is { } id ? new WalletId(id) : null, currency, amount, description);
    }

    private static void Write(Utf8JsonWriter json, TransferResult result, int decimals)
    {
        var movement = result.Movement;
        json.WriteStartObject();
        json.WriteStartObject("transfer"u8);
        json.WriteString("id"u8, movement.Id.Value);
        json.WriteString("wallet_id"u8, result.From.Id.Value);
        json.WriteString("wallet_name"u8, result.From.Name);
        json.WriteString("to_wallet_id"u8, result.To.Id.Value);
        json.WriteString("to_wallet_name"u8, result.To.Name);
        json.WriteString("currency"u8, movement.Currency);
        json.WriteShort("amount"u8, movement.Amount, decimals);
        json.WriteString("description"u8, movement.Description);
        json.WriteString("status"u8, TransactionJson.Status(movement.State));
        json.WriteTime("created_at"u8, IdTimes.Of(movement.Id.Value));
        json.WriteEndObject();
        Write(json, "wallet_balance"u8, movement.Currency, result.FromBalance, decimals);
        Write(json, "to_wallet_balance"u8, movement.Currency, result.ToBalance, decimals);
        // The public page knows only moves to the main wallet; who reads that member finds it.
        if (result.To.IsDefault)
            Write(json, "main_balance"u8, movement.Currency, result.ToBalance, decimals);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, string currency, Balance balance, int decimals)
    {
        json.WriteStartObject(name);
        json.WriteString("currency"u8, currency);
        json.WriteShort("amount"u8, balance.Total, decimals);
        json.WriteShort("pendingAmount"u8, balance.Incoming + balance.Held, decimals);
        json.WriteEndObject();
    }
}
