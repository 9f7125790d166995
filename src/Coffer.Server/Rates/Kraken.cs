using System.Globalization;
using System.Text.Json;

namespace Coffer.Server.Rates;

/// <summary>Kraken's public interface, version 0. Markets are named as its answers name them (<c>XXBTZUSD</c>).</summary>
internal sealed class Kraken(PriceSourceEntry entry, PriceHttp http) : PriceSource(entry)
{
    private const int HourMinutes = 60, CloseColumn = 4;

    private readonly string _url = entry.Url;

    public override Task<List<Ticker>> Ask(IReadOnlyList<string> symbols, DateTimeOffset now, CancellationToken ct) =>
        AskKnown(symbols, now, some => Tickers(some, now, ct));

    private async Task<List<Ticker>> Tickers(IReadOnlyList<string> symbols, DateTimeOffset now, CancellationToken ct)
    {
        var result = await Result($"Ticker?pair={string.Join(',', symbols.Select(Uri.EscapeDataString))}", ct);
        // It does not say when its last trade was; what is bid and asked is of now.
        return Read(result, all => (from market in all.EnumerateObject()
                                    let said = market.Value
                                    let price = InBook(said.GetProperty("c")[0], said.GetProperty("b")[0], said.GetProperty("a")[0])
                                    where price is not null
                                    select new Ticker(market.Name, price.Value, now)).ToList());
    }

    public override async Task<List<HourClose>> Hours(string symbol, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        // Those after `since`; it keeps the last 720.
        var since = (from.ToUnixTimeSeconds() - 1).ToString(CultureInfo.InvariantCulture);
        var result = await Result($"OHLC?pair={Uri.EscapeDataString(symbol)}&interval={HourMinutes}&since={since}", ct);
        return Read(result, all => (from row in all.GetProperty(symbol).EnumerateArray()
                                    let price = Price(row[CloseColumn])
                                    where price is not null
                                    select new HourClose(DateTimeOffset.FromUnixTimeSeconds(row[0].GetInt64()), price.Value)).ToList());
    }

    /// <summary>It refuses with status 200 and a list of errors.</summary>
    private async Task<JsonElement> Result(string question, CancellationToken ct)
    {
        var answer = await http.Get(Name, $"{_url}/0/public/{question}", null, ct) ?? throw new PriceFault($"{Name} has nothing at {_url}.");
        var errors = Read(answer, all => all.GetProperty("error").EnumerateArray().Select(error => error.GetString()).ToList());
        return errors.Count == 0
            ? Read(answer, all => all.GetProperty("result"))
            : throw new PriceFault($"{Name} refuses: {string.Join(", ", errors)}") { IsUnknownMarket = errors is ["EQuery:Unknown asset pair"] };
    }
}
