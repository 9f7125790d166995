using System.Numerics;
using Coffer.Server.Sql;

namespace Coffer.Server.Rates;

/// <summary>
/// The worker that learns current prices. Called by one loop per server; asks every source that is due, keeps what each said, and sets the
/// price of each currency that enough sources agree about. A source that fails is left alone for longer and longer; when too few are left,
/// nothing is set and the last price ends by its age. When and whom to ask is in the database: several servers ask each source once, a server
/// that dies while it asks is made up for when its lease ends, and a restart goes on with what was known.
/// </summary>
internal sealed partial class FetchRates(
    PriceRules rules, IReadOnlyList<PriceSource> sources, Db db, Currencies currencies, TimeProvider time, ILogger log, CancellationToken stopping)
{
    /// <summary>The pause between two looks for sources that are due.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>The wait after the first failure; doubled by each further one up to the longest.</summary>
    public static readonly TimeSpan BackOffMin = TimeSpan.FromSeconds(5), BackOffMax = TimeSpan.FromMinutes(10);

    // Longer than the slowest source takes with all its questions.
    private static readonly TimeSpan _leaseTime = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan _askMax = TimeSpan.FromSeconds(45);

    private readonly string[] _names = [.. sources.Select(source => source.Name)];
    private bool _begun;

    public async Task Run(CancellationToken ct)
    {
        if (stopping.IsCancellationRequested)
            return;
        var now = time.GetUtcNow();
        if (!_begun)
            await Begin(now, ct);
        var taken = await db.Transaction((tx, token) => tx.TakeSources(_names, now, now + _leaseTime, token), ct);
        if (taken.Count == 0)
            return;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stopping, ct);
        bound.CancelAfter(_askMax);
        var due = sources.Where(source => taken.ContainsKey(source.Name)).ToList();
        var said = await Task.WhenAll(due.Select(source => Ask(source, taken[source.Name], bound.Token)));
        if (stopping.IsCancellationRequested)
            return;
        // Dollars first: the others are converted by prices that may come from them.
        await Keep(said.SelectMany(one => Quotes(one.Source, one.Tickers, inDollars: true, [])).ToList(), ct);
        var bases = await Bases(ct);
        await Keep(said.SelectMany(one => Quotes(one.Source, one.Tickers, inDollars: false, bases)).ToList(), ct);
        await db.Transaction(async (tx, token) =>
        {
            foreach (var (_, _, asked) in said.OrderBy(one => one.Source.Name, StringComparer.Ordinal))
                await tx.EndQuestion(asked, token);
        }, ct);
    }

    /// <summary>How long a source is left alone after so many failures in a row.</summary>
    public static TimeSpan BackOff(int failures, TimeSpan? wanted)
    {
        var own = BackOffMin * Math.Pow(2, Math.Clamp(failures - 1, 0, 20));
        own = own < BackOffMax ? own : BackOffMax;
        // What it asks for is believed up to a day, so that a mistake of its does not silence it for ever.
        return wanted is { } wait && wait > own ? (wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1)) : own;
    }

    private async Task Begin(DateTimeOffset now, CancellationToken ct)
    {
        var few = currencies.All.Where(currency => sources.Count(source => source.MarketOf(currency) is not null) is > 0 and var count
            && count < rules.SourcesMin).Select(currency => currency.Code).ToList();
        if (few.Count > 0)
            TooFew(log, string.Join(", ", few), rules.SourcesMin);
        await db.Transaction((tx, token) => tx.KeepSources(_names, now, token), ct, repeatable: true);
        _begun = true;
    }

    private async Task<(PriceSource Source, List<Ticker> Tickers, Asked Asked)> Ask(PriceSource source, int failures, CancellationToken ct)
    {
        var symbols = currencies.All.Select(source.MarketOf).OfType<Market>().Select(market => market.Symbol)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        try
        {
            var tickers = symbols.Count == 0 ? [] : await source.Ask(symbols, time.GetUtcNow(), ct);
            if (failures > 0)
                Answers(log, source.Name);
            var now = time.GetUtcNow();
            return (source, tickers, new Asked(source.Name, now, now + source.Every, null));
        }
        catch (Exception fault) when (fault is PriceFault || (fault is OperationCanceledException && ct.IsCancellationRequested))
        {
            var message = fault is PriceFault ? fault.Message : $"{source.Name} takes too long.";
            if (failures == 0)
                Fails(log, message);
            var now = time.GetUtcNow();
            return (source, [], new Asked(source.Name, now, now + BackOff(failures + 1, (fault as PriceFault)?.RetryAfter), message));
        }
    }

    /// <summary>What a source said, per currency and in dollars; without what is too old, or of the future.</summary>
    private IEnumerable<(string Currency, PriceQuote Quote)> Quotes(
        PriceSource source, List<Ticker> tickers, bool inDollars, Dictionary<string, UsdPrice> bases)
    {
        var now = time.GetUtcNow();
        var bySymbol = tickers.ToLookup(ticker => ticker.Symbol, StringComparer.Ordinal);
        foreach (var currency in currencies.All)
        {
            if (source.MarketOf(currency) is not { } market || (market.Quote is null) != inDollars
                || bySymbol[market.Symbol].FirstOrDefault() is not { } ticker || (now - ticker.At).Duration() > rules.QuoteAgeMax)
                continue;
            var price = ticker.Price;
            if (market.Quote is { } quote && (!bases.TryGetValue(quote, out var usd) || !Convert(ticker.Price, usd, out price)))
                continue;
            yield return (currency.Code, new PriceQuote(source.Name, price, ticker.At < now ? ticker.At : now));
        }
    }

    /// <summary>The dollar prices of the tokens that markets are counted in, as far as they are known and fresh.</summary>
    private async Task<Dictionary<string, UsdPrice>> Bases(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var tokens = sources.SelectMany(source => currencies.All.Select(source.MarketOf)).Select(market => market?.Quote).OfType<string>().ToHashSet();
        var known = currencies.All.Where(currency => tokens.Contains(currency.Code) || tokens.Contains(currency.Token)).ToList();
        var rates = await db.Rates([.. known.Select(currency => currency.Code)], now, ct);
        var bases = new Dictionary<string, UsdPrice>();
        foreach (var rate in rates.Where(rate => now - rate.At <= rules.QuoteAgeMax))
        {
            bases.TryAdd(rate.Currency, rate.Price);
            bases.TryAdd(currencies.Find(rate.Currency).Token, rate.Price);
        }

        return bases;
    }

    /// <summary>So many tokens in dollars.</summary>
    public static bool Convert(UsdPrice tokens, UsdPrice usd, out UsdPrice price)
    {
        var scaled = Rounding.HalfUp((BigInteger)tokens.Scaled * usd.Scaled, BigInteger.Pow(10, UsdPrice.Decimals));
        price = scaled <= Amount.Max ? new UsdPrice((Int128)scaled) : default;
        return price.Scaled > 0;
    }

    /// <summary>Keeps quotes, and sets the prices that are agreed about with them.</summary>
    private async Task Keep(List<(string Currency, PriceQuote Quote)> quotes, CancellationToken ct)
    {
        if (quotes.Count == 0)
            return;
        var codes = quotes.Select(quote => quote.Currency).Distinct().Order(StringComparer.Ordinal).ToList();
        await db.Transaction(async (tx, token) =>
        {
            await tx.KeepQuotes(quotes, token);
            var kept = (await tx.Quotes(codes, _names, time.GetUtcNow() - rules.QuoteAgeMax, token)).ToLookup(quote => quote.Currency);
            foreach (var code in codes)
            {
                var agreed = rules.Agree(kept[code].Select(quote => quote.Quote));
                await tx.MarkUsed(code, [.. agreed?.Quotes.Select(quote => quote.Source) ?? []], token);
                if (agreed is not null)
                    await tx.SetRate(code, agreed.Price, agreed.At, string.Join(", ", agreed.Quotes.Select(quote => quote.Source)), token,
                        agreed.Quotes.Count > 1 ? agreed.Spread : null);
            }
        }, ct, repeatable: true);
    }

    [LoggerMessage(70, LogLevel.Warning, "A source of prices fails; it is asked again: {Message}")]
    private static partial void Fails(ILogger log, string message);

    [LoggerMessage(73, LogLevel.Warning, "No price can come from outside for {Currencies}: fewer than {SourcesMin} sources have a market for them")]
    private static partial void TooFew(ILogger log, string currencies, int sourcesMin);

    [LoggerMessage(71, LogLevel.Warning, "The source of prices {Source} answers again")]
    private static partial void Answers(ILogger log, string source);
}
