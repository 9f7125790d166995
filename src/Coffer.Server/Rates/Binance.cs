using System.Globalization;

namespace Coffer.Server.Rates;

/// <summary>Binance's public interface, version 3. Its large markets are counted in a stablecoin, whose own price converts them.</summary>
internal sealed class Binance(PriceSourceEntry entry, PriceHttp http) : PriceSource(entry)
{
    private const int HoursMax = 1_000, CloseColumn = 4;

    private readonly string _url = entry.Url;

    public override Task<List<Ticker>> Ask(IReadOnlyList<string> symbols, DateTimeOffset now, CancellationToken ct) =>
        AskKnown(symbols, now, some => Tickers(some, ct));

    private async Task<List<Ticker>> Tickers(IReadOnlyList<string> symbols, CancellationToken ct)
    {
        var list = Uri.EscapeDataString($"[{string.Join(',', symbols.Select(symbol => $"\"{symbol}\""))}]");
        var answer = await http.Get(Name, $"{_url}/api/v3/ticker/24hr?symbols={list}", null, ct)
            ?? throw new PriceFault($"{Name} has nothing at {_url}.");
        return Read(answer, all => (from market in all.EnumerateArray()
                                    let price = InBook(market.GetProperty("lastPrice"), market.GetProperty("bidPrice"), market.GetProperty("askPrice"))
                                    where price is not null
                                    select new Ticker(market.GetProperty("symbol").GetString()!, price.Value,
                                        DateTimeOffset.FromUnixTimeMilliseconds(market.GetProperty("closeTime").GetInt64()))).ToList());
    }

    public override async Task<List<HourClose>> Hours(string symbol, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var hours = new List<HourClose>();
        for (var start = from; start < to; start = start.AddHours(HoursMax))
        {
            var end = start.AddHours(HoursMax) < to ? start.AddHours(HoursMax) : to;
            var times = string.Create(CultureInfo.InvariantCulture,
                $"startTime={start.ToUnixTimeMilliseconds()}&endTime={end.ToUnixTimeMilliseconds() - 1}&limit={HoursMax}");
            var answer = await http.Get(Name, $"{_url}/api/v3/klines?symbol={symbol}&interval=1h&{times}", null, ct)
                ?? throw new PriceFault($"{Name} has nothing at {_url}.");
            hours.AddRange(Read(answer, all => (from row in all.EnumerateArray()
                                                let price = Price(row[CloseColumn])
                                                where price is not null
                                                select new HourClose(DateTimeOffset.FromUnixTimeMilliseconds(row[0].GetInt64()), price.Value)).ToList()));
        }

        return hours;
    }
}
