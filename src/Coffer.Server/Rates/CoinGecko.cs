using System.Globalization;
using System.Text.Json;

namespace Coffer.Server.Rates;

/// <summary>CoinGecko's public interface, version 3: averages over many exchanges, in dollars, named by its own ids (<c>bitcoin</c>).</summary>
internal sealed class CoinGecko(PriceSourceEntry entry, PriceHttp http) : PriceSource(entry)
{
    // Its points of past hours are taken a little after the hour; one further away says nothing of its close.
    private static readonly TimeSpan _nearMax = TimeSpan.FromMinutes(15);

    private readonly string _url = entry.Url;

    // Its paid interface is another host, with another name for the key.
    private readonly (string, string)? _key = entry.ApiKey is { } key
        ? (new Uri(entry.Url).Host.StartsWith("pro-", StringComparison.Ordinal) ? "x-cg-pro-api-key" : "x-cg-demo-api-key", key)
        : null;

    /// <summary>Without a key it answers a handful of questions a minute.</summary>
    public override TimeSpan Spacing => TimeSpan.FromSeconds(12);

    public override async Task<List<Ticker>> Ask(IReadOnlyList<string> symbols, DateTimeOffset now, CancellationToken ct)
    {
        var ids = string.Join(',', symbols.Select(Uri.EscapeDataString));
        var answer = await http.Get(Name, $"{_url}/simple/price?ids={ids}&vs_currencies=usd&include_last_updated_at=true&precision=full", _key, ct)
            ?? throw new PriceFault($"{Name} has nothing at {_url}.");
        return Read(answer, all => (from coin in all.EnumerateObject()
                                    where coin.Value.TryGetProperty("usd", out _) && coin.Value.TryGetProperty("last_updated_at", out _)
                                    let price = Price(coin.Value.GetProperty("usd"))
                                    where price is not null
                                    select new Ticker(coin.Name, price.Value,
                                        DateTimeOffset.FromUnixTimeSeconds(coin.Value.GetProperty("last_updated_at").GetInt64()))).ToList());
    }

    public override async Task<List<HourClose>> Hours(string symbol, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        // More than a day: its points of a shorter time are not hourly.
        var start = Math.Min(from.ToUnixTimeSeconds(), to.AddDays(-2).ToUnixTimeSeconds());
        var answer = await http.Get(Name, string.Create(CultureInfo.InvariantCulture, $"{_url}/coins/{Uri.EscapeDataString(symbol)}")
            + string.Create(CultureInfo.InvariantCulture, $"/market_chart/range?vs_currency=usd&from={start}&to={(to + _nearMax).ToUnixTimeSeconds()}"),
            _key, ct);
        return answer is { } known ? Read(known, Closes) : [];
    }

    /// <summary>Of each hour's end the nearest point.</summary>
    private static List<HourClose> Closes(JsonElement answer)
    {
        var closes = new Dictionary<DateTimeOffset, (TimeSpan Off, UsdPrice Price)>();
        foreach (var point in answer.GetProperty("prices").EnumerateArray())
        {
            var at = DateTimeOffset.FromUnixTimeMilliseconds(point[0].GetInt64());
            var end = HourOf(at + (TimeSpan.FromHours(1) / 2));
            var off = (at - end).Duration();
            if (off <= _nearMax && Price(point[1]) is { } price && !(closes.TryGetValue(end, out var other) && other.Off <= off))
                closes[end] = (off, price);
        }

        return [.. closes.Select(close => new HourClose(close.Key.AddHours(-1), close.Value.Price))];
    }
}
