using Coffer.Server.Host;

namespace Coffer.Server.Withdrawals;

/// <summary>What a withdrawal of an amount costs now; the same for those who ask and for those who withdraw. Asks nobody.</summary>
internal static class QuoteWithdrawal
{
    /// <exception cref="Refused">With what would be enough when the amount is too small, or too large to be counted.</exception>
    public static WithdrawalQuote Run(Currency currency, Int128 amount, Int128 networkFee, bool feesOnTop)
    {
        var quote = WithdrawalFees.Quote(currency, amount, networkFee, feesOnTop);
        var least = Int128.Max(currency.WithdrawalMinimum, 1);
        if (quote?.Arrives >= least)
            return quote;
        throw WithdrawalFees.Least(currency, least, networkFee, feesOnTop) is { } enough && amount < enough
            ? No($"Send at least {Amount.Short(enough, currency.Decimals)} {currency.Code}" + (feesOnTop ? "." : ", the fees included."))
            : No(feesOnTop ? AmountFault.TooLarge.Sentence(currency.Decimals) : "The fees would take all of it; send final_amount true.");
    }

    /// <summary>A currency by its code, or by network and token (contract 5: the names of the public pages).</summary>
    public static Currency WithdrawalCurrency(this Input body, Currencies currencies)
    {
        var byCode = body.OptionalCurrency("currency", currencies);
        var (network, token) = (body.OptionalText("blockchain"), body.OptionalText("token"));
        if (network is null && token is null)
            return byCode ?? body.Currency("currency", currencies);
        if (network is null || token is null)
            body.Fault(network is null ? "blockchain" : "token", "Send blockchain and token together, or currency alone.");
        var byName = currencies.All.FirstOrDefault(currency => Is(network, currency.Network) && Is(token, currency.Token));
        if (byName is null)
            throw new Refused(new(RefusalCode.InvalidCurrency, "This server does not keep that token on that network; GET /currencies/ lists those "
                + "that it keeps.", new Dictionary<string, object> { ["token"] = new[] { "Unknown token or network." } }));
        if (byCode is not null && byCode != byName)
            body.Fault("currency", "This is another currency than blockchain and token name; send one of the two.");
        return byName;
    }

    private static bool Is(string? wanted, string actual) => wanted is null || wanted.Equals(actual, StringComparison.OrdinalIgnoreCase);

    private static Refused No(string message) =>
        new(new(RefusalCode.InvalidAmount, message, new Dictionary<string, object> { ["amount"] = new[] { message } }));
}
