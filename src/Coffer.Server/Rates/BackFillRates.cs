using Coffer.Server.Sql;

namespace Coffer.Server.Rates;

/// <summary>
/// The worker that fills in past hours without a price, from what the sources remember: before this server first ran, and while it was away.
/// Called by one loop per server. By the same rules as current prices; an hour that has a price keeps it, so two servers that do the same work
/// do no harm, and one that dies here is made up for at the next start.
/// </summary>
internal sealed partial class BackFillRates(PriceRules rules, IReadOnlyList<PriceSource> sources, Db db, Currencies currencies,
    TimeProvider time, ILogger log, CancellationToken stopping, bool spaced = true)
{
    /// <summary>The pause between two looks for hours that have no price.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(15);

    /// <summary>How long an hour that could not be filled is left alone.</summary>
    public static readonly TimeSpan TriedFor = TimeSpan.FromHours(6);

    private readonly Dictionary<(string Currency, DateTimeOffset Hour), DateTimeOffset> _tried = [];

    public async Task Run(CancellationToken ct)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stopping, ct);
        // One token on several networks is one market.
        var answers = new Dictionary<(string Source, string Symbol, DateTimeOffset From, DateTimeOffset To), List<HourClose>?>();
        try
        {
            // Dollars first: the hours of other markets are converted by those of the token they are counted in.
            foreach (var currency in currencies.All.OrderBy(currency => Markets(currency).Count(market => market.Market.Quote is not null)))
            {
                if (Markets(currency).Any())
                    await Fill(currency, answers, bound.Token);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next start goes on.
        }
    }

    private IEnumerable<(PriceSource Source, Market Market)> Markets(Currency currency) =>
        from source in sources
        let market = source.MarketOf(currency)
        where market is not null
        select (source, market);

    private async Task Fill(Currency currency,
        Dictionary<(string Source, string Symbol, DateTimeOffset From, DateTimeOffset To), List<HourClose>?> answers, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var open = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        var first = open.AddDays(-rules.HistoryDays);
        var known = await db.HourRates(currency.Code, first, ct);
        var missing = Enumerable.Range(0, rules.HistoryDays * 24).Select(number => first.AddHours(number))
            .Where(hour => !known.ContainsKey(hour) && !(_tried.TryGetValue((currency.Code, hour), out var tried) && now - tried < TriedFor)).ToList();
        if (missing.Count == 0)
            return;
        var (from, to) = (missing[0], missing[^1].AddHours(1));
        var said = new List<(DateTimeOffset Hour, PriceQuote Quote)>();
        var all = true;
        foreach (var (source, market) in Markets(currency))
        {
            if (!answers.TryGetValue((source.Name, market.Symbol, from, to), out var hours))
                answers[(source.Name, market.Symbol, from, to)] = hours = await Ask(source, market.Symbol, from, to, ct);
            all &= hours is not null;
            if (hours is not null)
                said.AddRange(await InDollars(source, market, hours, from, ct));
        }

        var byHour = said.ToLookup(one => one.Hour, one => one.Quote);
        var agreed = (from hour in missing
                      let price = rules.Agree(byHour[hour].DistinctBy(quote => quote.Source))
                      where price is not null
                      select (Hour: hour, Price: price)).ToList();
        // What a source that failed might have said is asked for at the next look.
        foreach (var hour in all ? missing : [])
            _tried[(currency.Code, hour)] = now;
        await db.Transaction(async (tx, token) =>
        {
            foreach (var (hour, price) in agreed)
                await tx.FillHour(currency.Code, hour, price, string.Join(", ", price.Quotes.Select(quote => quote.Source)), token);
        }, ct, repeatable: true);
    }

    /// <summary>The closes that one source knows; null when it does not answer.</summary>
    private async Task<List<HourClose>?> Ask(PriceSource source, string symbol, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        if (spaced)
            await Task.Delay(source.Spacing, time, ct);
        try
        {
            return await source.Hours(symbol, from, to, ct);
        }
        catch (PriceFault fault)
        {
            NoHours(log, fault.Message);
            return null;
        }
    }

    private async Task<IEnumerable<(DateTimeOffset, PriceQuote)>> InDollars(
        PriceSource source, Market market, List<HourClose> hours, DateTimeOffset from, CancellationToken ct)
    {
        if (market.Quote is null)
            return hours.Select(close => (close.Hour, new PriceQuote(source.Name, close.Price, close.Hour.AddHours(1))));
        var token = currencies.All.FirstOrDefault(currency => currency.Code == market.Quote)
            ?? currencies.All.FirstOrDefault(currency => currency.Token == market.Quote);
        var bases = token is null ? [] : await db.HourRates(token.Code, from, ct);
        return from close in hours
               where bases.ContainsKey(close.Hour)
               let price = FetchRates.Convert(close.Price, bases[close.Hour], out var usd) ? usd : default
               where price.Scaled > 0
               select (close.Hour, new PriceQuote(source.Name, price, close.Hour.AddHours(1)));
    }

    [LoggerMessage(72, LogLevel.Warning, "Past prices are not known: {Message}")]
    private static partial void NoHours(ILogger log, string message);
}
