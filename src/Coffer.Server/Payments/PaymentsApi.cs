using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Outbound;
using Coffer.Server.Sql;

namespace Coffer.Server.Payments;

/// <summary>Payments (contract 5): an address of its own, an amount that is expected there, a time until which it counts.</summary>
internal sealed class PaymentsApi(Db db, CreatePayment create, ViewPayments views, IdempotencyApi idempotency, NetworkRules targets,
    Currencies currencies)
{
    /// <summary>How long a payment waits when nothing is said, in minutes.</summary>
    public const int ExpiryDefault = 60;

    /// <summary>The longest that a payment may wait, in minutes: a week.</summary>
    public const int ExpiryMax = 7 * 24 * 60;

    private const int OrderIdMax = 100;
    private const int CustomIdMax = 64;
    private const int DescriptionMax = 255;
    private const int PageDefault = 20;
    private const int PageMax = 100;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/payments", Create).RequireWrite();
        routes.MapGet("/payments", List).RequireRead();
        routes.MapGet("/payments/{payment_id}", Show).RequireRead();
    }

    private Task Create(HttpContext http) => idempotency.Run(http, http.Caller().Account, async key =>
    {
        var caller = http.Caller();
        var payment = await create.Run(caller, await Read(http), key, http.RequestAborted);
        var view = await views.Of(caller.Account, payment, http.RequestAborted);
        return Reply.Json(StatusCodes.Status201Created, json => json.Write(view, currencies));
    });

    private async Task<PaymentRequest> Read(HttpContext http)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var (amount, cents, currency) = Wanted(body);
        var wallet = body.OptionalUuid("wallet_id");
        var orderId = body.OptionalText("order_id", OrderIdMax);
        var customId = body.OptionalText("custom_id", CustomIdMax);
        var description = body.OptionalText("description", DescriptionMax);
        var callback = body.OptionalTarget("callback_url", http.Caller().Mode, targets);
        var minutes = body.Number("expiry_minutes", ExpiryDefault, 1, ExpiryMax);
        body.Check();
        return new PaymentRequest(wallet, currency, amount, cents, TimeSpan.FromMinutes(minutes), orderId, customId, description, callback);
    }

    /// <summary>Either amount and currency, or a price in dollars and the currency to pay it in.</summary>
    private (Int128? Amount, Int128? Cents, Currency Currency) Wanted(Input body)
    {
        if (body.OptionalCurrency("pay_currency", currencies) is not { } pay)
        {
            var currency = body.Currency("currency", currencies);
            return (body.Amount("amount", currency), null, currency);
        }

        if (body.OptionalText("price_currency") is not (null or "USD" or "usd"))
            body.Fault("price_currency", "Send USD, the only price currency.");
        return (null, body.Amount("price_amount", Usd.Decimals), pay);
    }

    private async Task List(HttpContext http)
    {
        var caller = http.Caller();
        var query = Input.Query(http);
        var limit = query.Number("limit", PageDefault, 1, PageMax);
        var wallet = query.OptionalUuid("wallet_id");
        var (from, before) = query.IdRange();
        PaymentStatus? status = query.OptionalChoice("status", PaymentJson.Statuses, out var known) ? known : null;
        var filter = new PaymentFilter(before, from, query.OptionalCurrency("currency", currencies)?.Code,
            query.OptionalText("order_id", OrderIdMax), query.OptionalText("custom_id", CustomIdMax),
            wallet is { } one ? [one] : caller.Wallets is null ? null : [.. caller.Wallets]);
        query.Check();
        if (wallet is { } id && !(caller.MayUse(new(id)) && await db.WalletFor(caller.Account, caller.Shard, id, http.RequestAborted) is not null))
            throw new Refused(Refusal.NotFound("wallet"));
        var (page, next) = await views.List(caller.Account, caller.Shard, filter, status, limit, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("payments"u8);
            foreach (var view in page)
                json.Write(view, currencies);
            json.WriteEndArray();
            json.WriteBoolean("has_more"u8, next is not null);
            if (next is { } last)
                json.WriteString("next_cursor"u8, last);
            else
                json.WriteNull("next_cursor"u8);
            json.WriteEndObject();
        });
    }

    private async Task Show(HttpContext http)
    {
        var caller = http.Caller();
        var id = http.RouteUuid("payment_id");
        Input.Query(http).Check();
        if (await db.FindPayment(caller.Account, caller.Shard, id, http.RequestAborted) is not { } payment || !caller.MayUse(payment.Wallet))
            throw new Refused(Refusal.NotFound("payment"));
        var view = await views.Of(caller.Account, payment, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json => json.Write(view, currencies));
    }
}
