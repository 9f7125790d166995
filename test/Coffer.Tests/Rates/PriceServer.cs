using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Coffer.Server.Rates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coffer.Tests.Rates;

/// <summary>
/// A real HTTP server that answers as CoinGecko, Kraken, Binance and Coinbase do, each below a path of its own. The shapes are those that the
/// sources document and that public programs have recorded; the figures are the test's.
/// </summary>
internal sealed class PriceServer : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<string> _asked = [];

    private PriceServer(WebApplication web, TimeProvider time) => (_web, _time) = (web, time);

    /// <summary>Prices by symbol, as each source would write them.</summary>
    public ConcurrentDictionary<string, string> Prices { get; } = [];

    /// <summary>Hourly closes by symbol.</summary>
    public ConcurrentDictionary<string, List<(DateTimeOffset Hour, string Close)>> Hours { get; } = [];

    /// <summary>Sources that answer with this status, and how long they want to be left alone.</summary>
    public ConcurrentDictionary<string, (int Status, string? RetryAfter)> Down { get; } = [];

    /// <summary>How old what the sources say is.</summary>
    public TimeSpan Age { get; set; }

    public string Url => _web.Urls.First();

    public IReadOnlyList<string> Asked => [.. _asked];

    public static async Task<PriceServer> Start(TimeProvider time)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new PriceServer(builder.Build(), time);
        server._web.Run(server.Answer);
        await server._web.StartAsync();
        return server;
    }

    public int Questions(string source) => Asked.Count(path => path.StartsWith($"/{source}/", StringComparison.Ordinal));

    /// <summary>A prices file with these sources, and what else is said before them.</summary>
    public PriceRules Rules(string before, params string[] sources) => PricesFile.Parse(Encoding.UTF8.GetBytes(Text(before, sources)));

    public string Text(string before, params string[] sources) =>
        $$"""{{{before}}"sources":[{{string.Join(',', sources.Select(kind => $$"""{"kind":"{{kind}}","url":"{{Url}}/{{kind}}"}"""))}}]}""";

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _web.StopAsync(now.Token);
        await _web.DisposeAsync();
    }

    private async Task Answer(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        _asked.Enqueue(path + http.Request.QueryString);
        var source = path.Split('/')[1];
        if (Down.TryGetValue(source, out var down))
        {
            http.Response.StatusCode = down.Status;
            if (down.RetryAfter is { } wait)
                http.Response.Headers.RetryAfter = wait;
            await http.Response.WriteAsync("busy");
            return;
        }

        var query = http.Request.Query;
        var answer = path.Split('/')[2..] switch
        {
            ["simple", "price"] => CoinGecko(query["ids"].ToString().Split(',')),
            ["coins", var id, "market_chart", "range"] => Chart(id),
            ["0", "public", "Ticker"] => Kraken(query["pair"].ToString().Split(',')),
            ["0", "public", "OHLC"] => Ohlc(query["pair"].ToString(), long.Parse(query["since"].ToString(), CultureInfo.InvariantCulture)),
            ["api", "v3", "ticker", "24hr"] => Binance(query["symbols"].ToString().Trim('[', ']').Split(',').Select(one => one.Trim('"')).ToArray()),
            ["api", "v3", "klines"] => Klines(query["symbol"].ToString()),
            ["products", var product, "ticker"] => Coinbase(product),
            ["products", var product, "candles"] => Candles(product, query["start"].ToString(), query["end"].ToString()),
            _ => null,
        };
        http.Response.StatusCode = answer is null ? 404 : answer.StartsWith("{\"code\"", StringComparison.Ordinal) ? 400 : 200;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer ?? """{"message":"NotFound"}""");
    }

    private DateTimeOffset At => _time.GetUtcNow() - Age;

    /// <summary>Ids that it does not know are left out.</summary>
    private string CoinGecko(string[] ids) => $"{{{string.Join(',', ids.Where(Prices.ContainsKey).Select(id =>
        $$"""{{'"'}}{{id}}":{"usd":{{Prices[id]}},"last_updated_at":{{At.ToUnixTimeSeconds()}}}"""))}}}";

    private string? Chart(string id) => !Hours.TryGetValue(id, out var hours) ? null
        : $$"""{"prices":[{{string.Join(',', hours.Select(one => $"[{one.Hour.AddMinutes(62).ToUnixTimeMilliseconds()},{one.Close}]"))}}],"market_caps":[],"total_volumes":[]}""";

    /// <summary>One pair that it does not know spoils the whole question.</summary>
    private string Kraken(string[] pairs) => pairs.All(Prices.ContainsKey)
        ? $$$"""{"error":[],"result":{{{{string.Join(',', pairs.Select(pair => $$"""
            "{{pair}}":{"a":["{{Prices[pair]}}","1","1.000"],"b":["{{Prices[pair]}}","2","2.000"],"c":["{{Prices[pair]}}","0.01686188"],"v":["1414.57420708","1686.74719574"],
            "p":["27497.35370","27478.05822"],"t":[20034,23808],"l":["27229.80000","27229.80000"],"h":["27826.30000","27826.30000"],"o":"27428.20000"}
            """))}}}}}"""
        : """{"error":["EQuery:Unknown asset pair"]}""";

    private string Ohlc(string pair, long since) => !Hours.TryGetValue(pair, out var hours) ? """{"error":["EQuery:Unknown asset pair"]}"""
        : $$$"""{"error":[],"result":{"{{{pair}}}":[{{{string.Join(',', hours.Where(one => one.Hour.ToUnixTimeSeconds() > since)
            .Select(one => $"""[{one.Hour.ToUnixTimeSeconds()},"1","1","1","{one.Close}","1","2.5",7]"""))}}}],"last":{{{since}}}}}""";

    private string Binance(string[] symbols) => symbols.All(Prices.ContainsKey)
        ? $"[{string.Join(',', symbols.Select(symbol => $$"""
            {"symbol":"{{symbol}}","priceChange":"-94.99999800","priceChangePercent":"-95.960","lastPrice":"{{Prices[symbol]}}","lastQty":"200.00000000",
            "bidPrice":"{{Prices[symbol]}}","bidQty":"100.00000000","askPrice":"{{Prices[symbol]}}","askQty":"100.00000000","openTime":1499783499040,
            "closeTime":{{At.ToUnixTimeMilliseconds()}},"firstId":28385,"lastId":28460,"count":76}
            """))}]"
        : """{"code":-1121,"msg":"Invalid symbol."}""";

    private string Klines(string symbol) => !Hours.TryGetValue(symbol, out var hours) ? """{"code":-1121,"msg":"Invalid symbol."}"""
        : $"[{string.Join(',', hours.Select(one => $"""
            [{one.Hour.ToUnixTimeMilliseconds()},"1","1","1","{one.Close}","148976.1",{one.Hour.AddHours(1).ToUnixTimeMilliseconds() - 1},"2434.1",308,"1756.8","28.4","0"]
            """))}]";

    private string? Coinbase(string product) => !Prices.TryGetValue(product, out var price) ? null
        : $$"""
            {"ask":"{{price}}","bid":"{{price}}","volume":"4916.94797396","trade_id":1040406588,"price":"{{price}}","size":"0.00782662",
            "time":"{{At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)}}","rfq_volume":"31.625279"}
            """;

    /// <summary>Newest first: time, low, high, open, close, volume; at most 300 from the hour of start to that of end.</summary>
    private string? Candles(string product, string start, string end)
    {
        if (!Hours.TryGetValue(product, out var hours))
            return null;
        var (first, last) = (DateTimeOffset.Parse(start, CultureInfo.InvariantCulture), DateTimeOffset.Parse(end, CultureInfo.InvariantCulture));
        Assert.True((last - first).TotalHours < 300);
        return $"[{string.Join(',', hours.Where(one => one.Hour >= first && one.Hour <= last).Reverse()
            .Select(one => $"[{one.Hour.ToUnixTimeSeconds()},1,1,1,{one.Close},0.5]"))}]";
    }
}
