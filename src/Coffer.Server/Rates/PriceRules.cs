namespace Coffer.Server.Rates;

/// <summary>Which sources are asked, and when they are believed.</summary>
/// <param name="Sources">In the order of the file.</param>
/// <param name="SourcesMin">Sources that must agree about a price.</param>
/// <param name="DeviationMaxPerMille">How far from the median a source may be, in thousandths of the median.</param>
/// <param name="QuoteAgeMax">What a source said longer ago is not used.</param>
/// <param name="PriceAgeMax">A price that was agreed longer ago counts as unknown, for currencies whose own entry sets no limit.</param>
/// <param name="HistoryDays">Days whose hours are filled in afterwards; 0 for none.</param>
internal sealed record PriceRules(IReadOnlyList<PriceSourceEntry> Sources, int SourcesMin, int DeviationMaxPerMille, TimeSpan QuoteAgeMax,
    TimeSpan PriceAgeMax, int HistoryDays)
{
    public const int SourcesMinUsual = 2, DeviationUsual = 50, HistoryDaysUsual = 30;

    /// <summary>The sources themselves; they share the client.</summary>
    public IReadOnlyList<PriceSource> Open(PriceHttp http) => [.. Sources.Select(entry => (PriceSource)(entry.Kind switch
    {
        SourceKind.CoinGecko => new CoinGecko(entry, http),
        SourceKind.Kraken => new Kraken(entry, http),
        SourceKind.Binance => new Binance(entry, http),
        SourceKind.Coinbase => new Coinbase(entry, http),
        _ => new QuoteFile(entry),
    }))];

    /// <summary>The currencies with a limit on the age of each price that comes from outside: a feed that died must not look alive.</summary>
    public Currencies LimitAges(Currencies currencies) => new(currencies.All.Select(currency =>
        currency.PriceAgeMax is null && Sources.Any(source => source.MarketOf(currency) is not null)
            ? currency with { PriceAgeMax = PriceAgeMax }
            : currency));

    public AgreedPrice? Agree(IEnumerable<PriceQuote> quotes) => AgreedPrice.Of(quotes, SourcesMin, DeviationMaxPerMille);
}
