using System.Text.Json;
using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>Paying out: create, list and show withdrawals (contract 5).</summary>
internal static class WithdrawalsApi
{
    private const int AddressMax = 255;
    private const int CustomIdMax = 64;
    private const int PageDefault = 20;
    private const int PageMax = 100;

    public static void MapWithdrawals(
        this IEndpointRouteBuilder routes, Db db, CreateWithdrawal create, IdempotencyApi idempotency, Currencies currencies)
    {
        routes.MapPost("/withdrawal", http => idempotency.Run(http, http.Caller().Account, async key =>
        {
            var withdrawal = await create.Run(http.Caller(), await Read(http, currencies), key, http.RequestAborted);
            return Reply.Json(StatusCodes.Status201Created, json => Write(json, withdrawal, currencies));
        })).RequireWrite();
        routes.MapGet("/withdrawal", http => List(http, db, currencies)).RequireRead();
        routes.MapGet("/withdrawal/{id}", http => Show(http, db, currencies)).RequireRead();
    }

    private static async Task<WithdrawalRequest> Read(HttpContext http, Currencies currencies)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var currency = body.Currency("currency", currencies);
        var amount = body.Amount("amount", currency);
        var address = body.Text("address", AddressMax);
        var wallet = body.OptionalUuid("account_id");
        var customId = body.OptionalText("custom_id", CustomIdMax);
        var callback = body.OptionalText("callback_url");
        if (callback is not null && !(Uri.TryCreate(callback, UriKind.Absolute, out var url) && url.Scheme is "https" or "http"))
            body.Fault("callback_url", "Send an absolute URL that begins with https://.");
        var onTop = body.Flag("final_amount", missing: true);
        body.Check();
        return new WithdrawalRequest(wallet is { } id ? new WalletId(id) : null, currency, amount, address, onTop, customId, callback);
    }

    private static async Task List(HttpContext http, Db db, Currencies currencies)
    {
        var caller = http.Caller();
        var query = Input.Query(http);
        var limit = query.Number("limit", PageDefault, 1, PageMax);
        var offset = query.Number("offset", 0, 0, int.MaxValue);
        var (state, sent) = State(query);
        var currency = query.OptionalCurrency("currency", currencies);
        var customId = query.OptionalText("custom_id", CustomIdMax);
        query.Check();
        var filter = new WithdrawalFilter(state, sent, currency?.Code, customId, caller.Wallets is null ? null : [.. caller.Wallets]);
        var total = await db.CountWithdrawals(caller.Shard, caller.Account, filter, http.RequestAborted);
        var page = await db.ListWithdrawals(caller.Shard, caller.Account, filter, limit, offset, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("withdrawals"u8);
            foreach (var withdrawal in page)
                Write(json, withdrawal, currencies);
            json.WriteEndArray();
            json.WriteNumber("total"u8, total);
            json.WriteNumber("limit"u8, limit);
            json.WriteNumber("offset"u8, offset);
            json.WriteEndObject();
        });
    }

    private static async Task Show(HttpContext http, Db db, Currencies currencies)
    {
        var caller = http.Caller();
        Input.Query(http).Check();
        if (!Guid.TryParseExact((string?)http.Request.RouteValues["id"], "D", out var id)
            || await db.FindWithdrawal(caller.Shard, caller.Account, id, http.RequestAborted) is not { } withdrawal
            || !caller.MayUse(withdrawal.Wallet))
            throw new Refused(Refusal.NotFound("withdrawal"));
        await Answer.Json(http, StatusCodes.Status200OK, json => Write(json, withdrawal, currencies));
    }

    private static (MovementState? State, bool? Sent) State(Input query)
    {
        switch (query.OptionalText("status"))
        {
            case null:
                return (null, null);
            case "pending":
                return (MovementState.Requested, false);
            case "submitted":
                return (MovementState.Requested, true);
            case "completed":
                return (MovementState.Settled, null);
            case "failed":
                return (MovementState.Failed, null);
            default:
                query.Fault("status", "Send pending, submitted, completed or failed.");
                return (null, null);
        }
    }

    private static void Write(Utf8JsonWriter json, Withdrawal withdrawal, Currencies currencies)
    {
        var currency = currencies.Find(withdrawal.Currency);
        var fee = withdrawal.NetworkFee + withdrawal.TransactionFee;
        json.WriteStartObject();
        json.WriteString("id"u8, withdrawal.Id.Value);
        json.WriteString("status"u8, withdrawal.Status);
        json.WriteShort("amount"u8, withdrawal.Amount, currency.Decimals);
        json.WriteString("currency"u8, withdrawal.Currency);
        json.WriteString("address"u8, withdrawal.Address);
        json.WriteString("blockchain"u8, currency.Network);
        json.WriteString("token"u8, currency.Token);
        json.WriteShort("network_fee"u8, withdrawal.NetworkFee, currency.Decimals);
        json.WriteShort("transaction_fee"u8, withdrawal.TransactionFee, currency.Decimals);
        json.WriteShort("total_fee"u8, fee, currency.Decimals);
        json.WriteShort("total_deducted"u8, withdrawal.Amount + fee, currency.Decimals);
        json.WriteString("transaction_hash"u8, withdrawal.TxId);
        json.WriteNumber("required_confirmations"u8, currency.Confirmations);
        json.WriteString("account_id"u8, withdrawal.Wallet.Value);
        json.WriteString("custom_id"u8, withdrawal.CustomId);
        json.WriteString("callback_url"u8, withdrawal.CallbackUrl);
        json.WriteTime("created_at"u8, withdrawal.CreatedAt);
        json.WriteTime("updated_at"u8, withdrawal.UpdatedAt);
        json.WriteEndObject();
    }
}
