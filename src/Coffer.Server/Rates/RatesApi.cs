using System.Numerics;
using System.Text.Json.Serialization;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Rates;

/// <summary>
/// The prices that the balances are valued at. A price older than its currency allows counts as unknown: it is not listed, and
/// null where it is asked for. High and low are of the prices that hours closed with, and of the one that was in force before them.
/// </summary>
internal static class RatesApi
{
    public static void MapRates(this IEndpointRouteBuilder routes, Db db, Currencies currencies, TimeProvider time)
    {
        var codes = currencies.All.Select(currency => currency.Code).ToList();
        routes.MapGet("/rates", http => List(http, db, currencies, codes, time)).RequireRead();
        routes.MapGet("/rates/{currency}", http => Show(http, db, currencies, time)).RequireRead();
    }

    private static async Task List(HttpContext http, Db db, Currencies currencies, List<string> codes, TimeProvider time)
    {
        Input.Query(http).Check();
        var now = time.GetUtcNow();
        var known = (await db.Rates(codes, now, http.RequestAborted)).FindAll(rate => IsKnown(rate.At, currencies.Find(rate.Currency), now));
        await Answer.Json(http, StatusCodes.Status200OK, new RateList("USD",
            known.ToDictionary(rate => rate.Currency, rate => rate.Price.ToString()),
            known.Count == 0 ? null : Wire.Time(known.Max(rate => rate.At))));
    }

    private static async Task Show(HttpContext http, Db db, Currencies currencies, TimeProvider time)
    {
        Input.Query(http).Check();
        if (!currencies.TryFind((string)http.Request.RouteValues["currency"]!, out var currency))
            throw new Refused(SetRate.Unknown());
        var now = time.GetUtcNow();
        var rates = await db.Rates([currency.Code], now, http.RequestAborted);
        var quotes = await db.Quotes(currency.Code, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, Detail(currency, rates.SingleOrDefault(), quotes, now));
    }

    private static RateDetail Detail(Currency currency, RateRow? rate, IReadOnlyList<KeptQuote> quotes, DateTimeOffset now)
    {
        // A price that an operator set since was not made of what the sources say.
        var names = rate?.Source.Split(", ") ?? [];
        var sources = quotes.Select(quote => new RateSource(quote.Quote.Source, quote.Quote.Price.ToString(), Wire.Time(quote.Quote.At),
            quote.Used && names.Contains(quote.Quote.Source))).ToList();
        if (rate is null || !IsKnown(rate.At, currency, now))
            return new RateDetail(currency.Code, null, null, null, null, null, rate is null ? null : Wire.Time(rate.At), null, null, null, sources);
        var before = rate.DayAgo is { } earlier && IsKnown(earlier.At, currency, now.AddDays(-1)) ? earlier.Price : (UsdPrice?)null;
        Int128?[] seen = [before?.Scaled, rate.High?.Scaled, rate.Low?.Scaled, rate.Price.Scaled];
        return new RateDetail(currency.Code, rate.Price.ToString(),
            before is { } start ? Amount.Short(rate.Price.Scaled - start.Scaled, UsdPrice.Decimals) : null,
            before is { } then ? Percent(rate.Price.Scaled - then.Scaled, then) : null,
            new UsdPrice(seen.Max()!.Value).ToString(), new UsdPrice(seen.Min()!.Value).ToString(), Wire.Time(rate.At),
            rate.Source, rate.Spread?.ToString(), rate.Spread is { } spread ? Percent(spread.Scaled, rate.Price) : null, sources);
    }

    /// <summary>So much in percent of a price, two decimals, half up; null when that is zero or the figure is beyond use.</summary>
    private static string? Percent(Int128 part, UsdPrice whole)
    {
        const int decimals = 2;
        if (whole.Scaled == 0)
            return null;
        var hundredths = Rounding.HalfUp((BigInteger)part * 10_000, whole.Scaled);
        return BigInteger.Abs(hundredths) <= Amount.Max ? Amount.Fixed((Int128)hundredths, decimals) : null;
    }

    private static bool IsKnown(DateTimeOffset at, Currency currency, DateTimeOffset now) => !(now - at > currency.PriceAgeMax);

    private sealed record RateList(string BaseCurrency, IReadOnlyDictionary<string, string> Rates, string? LastUpdated);

    private sealed record RateDetail(string Currency, string? RateUsd,
        [property: JsonPropertyName("change_24h")] string? Change,
        [property: JsonPropertyName("change_24h_percent")] string? ChangePercent,
        [property: JsonPropertyName("high_24h")] string? High,
        [property: JsonPropertyName("low_24h")] string? Low,
        string? LastUpdated, string? Source, string? Spread, string? SpreadPercent, IReadOnlyList<RateSource> Sources);

    private sealed record RateSource(string Source, string RateUsd, string At, bool Used);
}
