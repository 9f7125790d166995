using System.Globalization;

namespace Coffer.Server.Rates;

/// <summary>The public interface of Coinbase's exchange: one question per market (<c>BTC-USD</c>).</summary>
internal sealed class Coinbase(PriceSourceEntry entry, PriceHttp http) : PriceSource(entry)
{
    private const int HoursMax = 300, HourSeconds = 3_600, CloseColumn = 4;

    private readonly string _url = entry.Url;

    public override async Task<List<Ticker>> Ask(IReadOnlyList<string> symbols, DateTimeOffset now, CancellationToken ct)
    {
        var tickers = new List<Ticker>();
        foreach (var symbol in symbols)
        {
            // A market that it does not have is 404; the others still have prices.
            if (await http.Get(Name, $"{_url}/products/{Uri.EscapeDataString(symbol)}/ticker", null, ct) is not { } answer)
                continue;
            var (price, at) = Read(answer, said => (InBook(said.GetProperty("price"), said.GetProperty("bid"), said.GetProperty("ask")),
                said.GetProperty("time").GetDateTimeOffset()));
            if (price is { } known)
                tickers.Add(new Ticker(symbol, known, at));
        }

        return tickers;
    }

    public override async Task<List<HourClose>> Hours(string symbol, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var hours = new List<HourClose>();
        for (var start = from; start < to; start = start.AddHours(HoursMax))
        {
            // It names the last hour, not its end, and answers at most 300.
            var last = (start.AddHours(HoursMax) < to ? start.AddHours(HoursMax) : to).AddHours(-1);
            if (await http.Get(Name, $"{_url}/products/{Uri.EscapeDataString(symbol)}/candles?granularity={HourSeconds}&start={Text(start)}&end={Text(last)}",
                null, ct) is not { } answer)
                break;
            hours.AddRange(Read(answer, all => (from row in all.EnumerateArray()
                                                let price = Price(row[CloseColumn])
                                                where price is not null
                                                select new HourClose(DateTimeOffset.FromUnixTimeSeconds(row[0].GetInt64()), price.Value)).ToList()));
        }

        return hours;
    }

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
