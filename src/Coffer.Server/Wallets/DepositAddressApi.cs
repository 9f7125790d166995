using Coffer.Server.Addresses;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>
/// <c>POST /wallets/payment</c>: a deposit address of a wallet (contract 5), a new one each time. Every address stays watched and can be paid
/// again; one with an expected amount and an expiry is a payment.
/// </summary>
internal static class DepositAddressApi
{
    public static void MapDepositAddresses(this IEndpointRouteBuilder routes, Db db, IssueAddress issue, IdempotencyApi idempotency,
        Currencies currencies) =>
        routes.MapPost("/wallets/payment", http => Once(http, db, issue, idempotency, currencies)).RequireWrite();

    private static Task Once(HttpContext http, Db db, IssueAddress issue, IdempotencyApi idempotency, Currencies currencies) =>
        idempotency.Run(http, http.Caller().Account, _ => Make(http, db, issue, currencies));

    private static async Task<Reply> Make(HttpContext http, Db db, IssueAddress issue, Currencies currencies)
    {
        Input.Query(http).Check();
        var caller = http.Caller();
        var body = await Input.Body(http);
        var id = new WalletId(body.Uuid("wallet_id"));
        var currency = body.Currency("currency", currencies);
        body.Check();
        var wallet = (caller.MayUse(id) ? await db.FindWallet(caller.Account, caller.Shard, id, http.RequestAborted) : null)
            ?? throw new Refused(Refusal.NotFound("wallet"));
        var issued = await issue.Run(caller.Account, caller.Shard, caller.Mode, id, currency, http.RequestAborted);
        return Reply.Json(StatusCodes.Status201Created, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("address"u8);
            json.WriteString("id"u8, issued.Id);
            json.WriteString("wallet_id"u8, wallet.Id.Value);
            json.WriteString("wallet_name"u8, wallet.Name);
            json.WriteString("currency"u8, currency.Code);
            json.WriteString("address"u8, issued.Address);
            json.WriteTime("created_at"u8, issued.CreatedAt);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }
}
