using System.Text.Json;
using Coffer.Server.Addresses;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>What a withdrawal would cost and how much can be withdrawn (contract 5). Promises nothing: prices and limits move.</summary>
internal sealed class WithdrawalQuotesApi(Db db, PayoutPlaces places, NetworkFees fees, Currencies currencies, TimeProvider time)
{
    private const int AddressMax = 255;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/withdrawal/estimate", Estimate).RequireWrite();
        routes.MapPost("/withdrawal/fee-estimate", FeeEstimate).RequireWrite();
        routes.MapPost("/withdrawal/min-amount", MinAmount).RequireWrite();
        routes.MapGet("/withdrawal/available-currencies", Available).RequireRead();
    }

    private async Task Estimate(HttpContext http)
    {
        var caller = http.Caller();
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var currency = body.WithdrawalCurrency(currencies);
        var amount = body.Amount("amount", currency);
        var address = body.OptionalText("address", AddressMax);
        var onTop = body.Flag("final_amount", missing: true);
        body.Check();
        places.ChainOf(caller.Account, caller.Mode, currency);
        await CheckAddress(caller, currency, address, http.RequestAborted);
        var quote = QuoteWithdrawal.Run(currency, amount, fees.Charged(currency, caller.Mode), onTop);
        var (limits, used, today) = await LimitsOf(caller, currency, http.RequestAborted);
        if (limits.Refuse(currency, quote.Arrives, used, today) is { } refusal)
            throw new Refused(refusal);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteNull("withdrawal_id"u8);
            json.WriteString("status"u8, "estimate"u8);
            json.WriteShort("amount"u8, quote.Arrives, currency.Decimals);
            json.WriteShort("requested_amount"u8, quote.Requested, currency.Decimals);
            Write(json, currency, quote);
            json.WriteShort("total_deducted"u8, quote.Deducted, currency.Decimals);
            json.WriteBoolean("needs_approval"u8, limits.NeedsApproval(quote.Arrives));
            json.WriteEndObject();
        });
    }

    private async Task FeeEstimate(HttpContext http)
    {
        var caller = http.Caller();
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var currency = body.WithdrawalCurrency(currencies);
        var amount = body.Amount("amount", currency);
        var address = body.OptionalText("address", AddressMax);
        body.Check();
        places.ChainOf(caller.Account, caller.Mode, currency);
        await CheckAddress(caller, currency, address, http.RequestAborted);
        // What the fees of an amount are does not depend on whether it can be withdrawn.
        var quote = WithdrawalFees.Quote(currency, amount, fees.Charged(currency, caller.Mode), feesOnTop: true)
            ?? throw new Refused(new(RefusalCode.InvalidAmount, AmountFault.TooLarge.Sentence(currency.Decimals),
                new Dictionary<string, object> { ["amount"] = new[] { AmountFault.TooLarge.Sentence(currency.Decimals) } }));
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteShort("amount"u8, amount, currency.Decimals);
            Write(json, currency, quote);
            json.WriteEndObject();
        });
    }

    private async Task MinAmount(HttpContext http)
    {
        var caller = http.Caller();
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var currency = body.WithdrawalCurrency(currencies);
        body.Check();
        var (limits, _, _) = await LimitsOf(caller, currency, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteShort("min_amount"u8, Least(currency), currency.Decimals);
            Maybe(json, "max_amount"u8, limits.Maximum, currency);
            Maybe(json, "max_amount_per_day"u8, limits.DayMaximum, currency);
            Name(json, currency);
            json.WriteEndObject();
        });
    }

    /// <summary>Of one wallet, as a withdrawal is from one: the one that is named, else the default one.</summary>
    private async Task Available(HttpContext http)
    {
        var caller = http.Caller();
        var query = Input.Query(http);
        var named = query.OptionalUuid("account_id");
        query.Check();
        if (await db.WalletOf(caller.Shard, caller.Account, named, http.RequestAborted) is not { } wallet || !caller.MayUse(new WalletId(wallet)))
            throw new Refused(Refusal.NotFound("wallet"));
        var frozen = await db.FrozenAll(http.RequestAborted) is not null
            || (await db.Switches(caller.Shard, caller.Account, http.RequestAborted)).Frozen;
        var lines = (await db.Withdrawables(caller.Shard, caller.Account, wallet, http.RequestAborted))
            .Select(line => (Line: line, Currency: currencies.Find(line.Currency)))
            .Where(line => caller.Mode == Mode.Test || places.MayPay(line.Currency)).ToList();
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("currencies"u8);
            foreach (var (line, currency) in lines)
            {
                json.WriteStartObject();
                Name(json, currency);
                json.WriteString("name"u8, currency.Name);
                json.WriteShort("balance"u8, line.Available, currency.Decimals);
                json.WriteShort("min_withdrawal"u8, Least(currency), currency.Decimals);
                Maybe(json, "max_withdrawal"u8, frozen ? 0 : Most(line, currency, caller.Mode), currency);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("total"u8, lines.Count);
            json.WriteEndObject();
        });
    }

    /// <summary>The most that may be asked for, fees on top; 0 when that is too little, null while the network's fee is not known.</summary>
    private Int128? Most(Withdrawable line, Currency currency, Mode mode)
    {
        if (fees.Find(currency, mode) is not { } networkFee)
            return null;
        var most = WithdrawalFees.Most(currency, line.Available, networkFee);
        var used = line.Today is { } day && day.Day >= Today ? day.Amount : 0;
        if (WithdrawalLimits.Of(currency, line.Own).Left(used) is { } left)
            most = Int128.Min(most, left);
        return most >= Least(currency) ? most : 0;
    }

    private async Task<(WithdrawalLimits Limits, Int128 Used, DateOnly Today)> LimitsOf(Caller caller, Currency currency, CancellationToken ct)
    {
        var own = (await db.Limits(caller.Shard, caller.Account, ct)).Find(limit => limit.Currency == currency.Code)?.Limits;
        var day = await db.DayOf(caller.Shard, caller.Account, currency.Code, ct);
        return (WithdrawalLimits.Of(currency, own), day is { } known && known.Day >= Today ? known.Amount : 0, Today);
    }

    private async Task CheckAddress(Caller caller, Currency currency, string? text, CancellationToken ct)
    {
        if (text is null)
            return;
        var read = places.Read(caller.Mode, currency.Network, text);
        if (read.Canonical is not { } address)
            throw PayoutPlaces.No(read.Fault!);
        var family = caller.Mode == Mode.Test ? Chains.Simulated.SimulatedChain.IdOf(caller.Account) : places.Find(currency.Network)!.Family;
        if (await db.FindAddress(family, address, ct) is not null)
            throw PayoutPlaces.No(CreateWithdrawal.OwnAddress);
    }

    private DateOnly Today => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);

    private static Int128 Least(Currency currency) => Int128.Max(currency.WithdrawalMinimum, 1);

    /// <summary>The fees under the names of a withdrawal, and under those that the public pages give an estimate.</summary>
    private static void Write(Utf8JsonWriter json, Currency currency, WithdrawalQuote quote)
    {
        json.WriteShort("fee"u8, quote.Fee, currency.Decimals);
        json.WriteShort("platform_fee"u8, quote.TransactionFee, currency.Decimals);
        json.WriteShort("network_fee"u8, quote.NetworkFee, currency.Decimals);
        json.WriteShort("transaction_fee"u8, quote.TransactionFee, currency.Decimals);
        json.WriteShort("total_fee"u8, quote.Fee, currency.Decimals);
        Name(json, currency);
    }

    private static void Name(Utf8JsonWriter json, Currency currency)
    {
        json.WriteString("currency"u8, currency.Code);
        json.WriteString("blockchain"u8, currency.Network);
        json.WriteString("token"u8, currency.Token);
    }

    private static void Maybe(Utf8JsonWriter json, ReadOnlySpan<byte> name, Int128? amount, Currency currency)
    {
        if (amount is { } known)
            json.WriteShort(name, known, currency.Decimals);
        else
            json.WriteNull(name);
    }
}
