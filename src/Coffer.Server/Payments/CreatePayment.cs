using Coffer.Server.Addresses;
using Coffer.Server.Auth;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Payments;

/// <summary>What a caller wants to be paid. Either an amount of the currency or a price in US cents is given.</summary>
/// <param name="Wallet">Null: the default wallet.</param>
internal sealed record PaymentRequest(Guid? Wallet, Currency Currency, Int128? Amount, Int128? PriceCents, TimeSpan Lifetime, string? OrderId,
    string? CustomId, string? Description, string? CallbackUrl);

/// <summary>
/// Makes a payment: an address of its own and the row that says what is expected there. Called by the API.
///
/// If the process dies here: there is an address that nobody knows and no payment; with an Idempotency-Key the same request may come again
/// and finds the payment that it made.
/// </summary>
internal sealed class CreatePayment(Db db, IssueAddress issue, ReadyCallbacks callbacks, Ids ids, TimeProvider time)
{
    /// <param name="caller">Whose payment.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="key">The request's Idempotency-Key; null when none was sent.</param>
    /// <param name="ct">Stops what is not written yet.</param>
    public async Task<Payment> Run(Caller caller, PaymentRequest request, string? key, CancellationToken ct)
    {
        var (account, shard) = (caller.Account, caller.Shard);
        if (await Made(caller, request, key, ct) is { } made)
            return made;
        if (await db.WalletFor(account, shard, request.Wallet, ct) is not { } wallet || !caller.MayUse(wallet))
            throw new Refused(Refusal.NotFound("wallet"));
        if (await db.TakenName(account, shard, request.OrderId, request.CustomId, ct) is { } taken)
            throw Taken(taken);
        var now = time.GetUtcNow();
        var (amount, rate) = request.Amount is { } given ? (given, null) : await Converted(request, now, ct);
        RefuseTooLittle(amount, request);
        var address = await issue.Run(account, shard, caller.Mode, wallet, request.Currency, ct);
        if (request.CallbackUrl is not null)
            await callbacks(shard, account, ct);
        var payment = new Payment(ids.New(), wallet, address.Id, request.Currency.Code, amount, request.PriceCents, rate, request.OrderId,
            request.CustomId, request.Description, request.CallbackUrl, key, now, now + request.Lifetime);
        try
        {
            await db.Transaction(async (tx, token) =>
            {
                await tx.Insert(account, shard, payment, token);
                await tx.Expect(account, shard, payment, address.Address, token);
            }, ct);
            return payment;
        }
        catch (Exception fault) when (SqlFaults.IsDuplicate(fault, PaymentSql.OrderIdConstraint))
        {
            return await Made(caller, request, key, ct) ?? throw Taken("order_id");
        }
        catch (Exception fault) when (SqlFaults.IsDuplicate(fault, PaymentSql.CustomIdConstraint))
        {
            return await Made(caller, request, key, ct) ?? throw Taken("custom_id");
        }
        catch (Exception fault) when (SqlFaults.IsDuplicate(fault, PaymentSql.RequestConstraint))
        {
            return await Made(caller, request, key, ct) ?? throw new InvalidOperationException("The payment of the key is gone.");
        }
    }

    /// <summary>What a run of this request that was taken for dead made meanwhile, its names included; null when there is none.</summary>
    private async Task<Payment?> Made(Caller caller, PaymentRequest request, string? key, CancellationToken ct) =>
        key is not null && await db.FindPaymentOf(caller.Account, caller.Shard, key, ct) is { } made ? Same(caller, made, request) : null;

    /// <summary>What is below the minimum is not credited, so nobody may be asked to pay it.</summary>
    private static void RefuseTooLittle(Int128 amount, PaymentRequest request)
    {
        var currency = request.Currency;
        if (amount >= currency.DepositMinimum)
            return;
        var message = $"Ask for at least {Amount.Short(currency.DepositMinimum, currency.Decimals)} {currency.Code}: a smaller deposit is not credited.";
        throw new Refused(new(RefusalCode.InvalidAmount, message,
            new Dictionary<string, object> { [request.PriceCents is null ? "amount" : "price_amount"] = new[] { message } }));
    }

    /// <summary>The payment that the key made. The key's answer is forgotten after some days, its payment never.</summary>
    private static Payment Same(Caller caller, Payment made, PaymentRequest request) =>
        caller.MayUse(made.Wallet) && made.Wallet.Value == (request.Wallet ?? made.Wallet.Value) && made.Currency == request.Currency.Code
            && made.PriceCents == request.PriceCents && made.Amount == (request.Amount ?? made.Amount) && made.OrderId == request.OrderId
            && made.CustomId == request.CustomId && made.Description == request.Description && made.CallbackUrl == request.CallbackUrl
            && made.ExpiresAt - made.CreatedAt == request.Lifetime
            ? made
            : throw new Refused(new(RefusalCode.IdempotencyKeyReused,
                "This Idempotency-Key came before with another request. Send a new key with a new request."));

    private async Task<(Int128 Amount, UsdPrice? Rate)> Converted(PaymentRequest request, DateTimeOffset now, CancellationToken ct)
    {
        var currency = request.Currency;
        if (await db.NewestPrice(currency.Code, ct) is not { } newest || now - newest.At > (currency.PriceAgeMax ?? TimeSpan.MaxValue))
            throw new Refused(new(RefusalCode.ServiceUnavailable,
                $"There is no current price for {currency.Code}, so dollars cannot be converted. Give amount and currency, or try later."));
        var amount = PaymentStanding.AmountFor(request.PriceCents!.Value, currency.Decimals, newest.Price) ?? throw new Refused(
            new(RefusalCode.InvalidAmount, $"At the present price that is no amount of {currency.Code} that can be paid."));
        return (amount, newest.Price);
    }

    private static Refused Taken(string name) => new(new(RefusalCode.Conflict,
        $"Another payment of this account has this {name}; each may be used once, for ever.", new Dictionary<string, object> { ["parameter"] = name }));
}
