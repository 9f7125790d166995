using Coffer.Server.Auth;
using Coffer.Server.Host;

namespace Coffer.Server.Wallets;

/// <summary>The currencies that this server keeps, as the operator's file describes them.</summary>
internal static class CurrenciesApi
{
    public static void MapCurrencies(this IEndpointRouteBuilder routes, Currencies currencies)
    {
        var catalogue = new Catalogue([.. currencies.All.Select(Line)]);
        routes.MapGet("/currencies", http =>
        {
            Input.Query(http).Check();
            return Answer.Json(http, StatusCodes.Status200OK, catalogue);
        }).RequireRead();
    }

    private static CurrencyLine Line(Currency c) => new(c.Code, c.Name, c.Network, c.Token, c.Decimals, c.Contract, c.Confirmations, c.Finalized,
        Amount.Fixed(c.DepositMinimum, c.Decimals), Amount.Fixed(c.DepositFee, c.Decimals), Amount.Fixed(c.WithdrawalMinimum, c.Decimals),
        Text(c.WithdrawalMaximum, c), Text(c.WithdrawalDayMaximum, c), Amount.Fixed(c.WithdrawalFee, c.Decimals), c.WithdrawalFeePerMille,
        c.NetworkFeeEstimate is null ? Amount.Fixed(c.NetworkFee, c.Decimals) : null, Text(c.NetworkFeeEstimate?.Max, c));

    private static string? Text(Int128? amount, Currency c) => amount is { } known ? Amount.Fixed(known, c.Decimals) : null;

    private sealed record Catalogue(IReadOnlyList<CurrencyLine> Currencies);

    private sealed record CurrencyLine(string Currency, string Name, string Network, string Token, int Decimals, string? Contract,
        int Confirmations, bool Finalized, string DepositMinimum, string DepositFee, string WithdrawalMinimum,
        string? WithdrawalMaximum, string? WithdrawalDayMaximum, string WithdrawalFee, int WithdrawalFeePerMille, string? NetworkFee,
        string? NetworkFeeMax);
}
