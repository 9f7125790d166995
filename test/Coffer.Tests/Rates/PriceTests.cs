using Coffer.Server.Host;
using Coffer.Server.Rates;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Rates;

/// <summary>Prices from sources that answer in the forms of the real ones.</summary>
public sealed class PriceTests(TestCluster cluster)
{
    private static readonly DateTimeOffset _start = new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero);
    private static readonly string[] _all = ["coingecko", "kraken", "binance", "coinbase"];
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_price_is_the_median_of_its_sources_and_says_whose()
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say("65000.10", "65100", "65050", "65200");
        await scene.Fetch(scene.Server.Rules("", _all));
        // Binance counts bitcoin in USDT: 65050 of them at 0.9995 dollars. Of four, the mean of the two in the middle.
        Assert.Equal("""
            {"currency":"BTC","rate_usd":"65058.7375","change_24h":null,"change_24h_percent":null,"high_24h":"65058.7375","low_24h":"65058.7375",
            "last_updated":"2030-01-15T09:30:00Z","source":"binance, coinbase, coingecko, kraken","spread":"199.90","spread_percent":"0.31","sources":[
            {"source":"binance","rate_usd":"65017.475","at":"2030-01-15T09:30:00Z","used":true},
            {"source":"coinbase","rate_usd":"65200.00","at":"2030-01-15T09:30:00Z","used":true},
            {"source":"coingecko","rate_usd":"65000.10","at":"2030-01-15T09:30:00Z","used":true},
            {"source":"kraken","rate_usd":"65100.00","at":"2030-01-15T09:30:00Z","used":true}]}
            """.ReplaceLineEndings(""), await scene.Rate("BTC"));
        // One token on four networks has one price, and is a dollar only if its markets say so.
        Assert.Contains("\"rate_usd\":\"0.9995\"", await scene.Rate("USDTERC20"), StringComparison.Ordinal);
        Assert.Contains("\"rate_usd\":\"0.9995\"", await scene.Rate("USDTTRC20"), StringComparison.Ordinal);
        Assert.Equal("/coingecko/simple/price?ids=binancecoin,bitcoin,dai,ethereum,polygon-ecosystem-token,tether,tron,usd-coin,weth"
            + "&vs_currencies=usd&include_last_updated_at=true&precision=full", scene.Server.Asked.Single(path => path.StartsWith("/coingecko", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("65000000", true)]
    [InlineData("65", true)]
    [InlineData("0", false)]
    [InlineData("1e40", false)]
    [InlineData("null", false)]
    public async Task A_source_that_says_nonsense_changes_nothing(string nonsense, bool isPrice)
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say(nonsense, "65100", null, "65200");
        await scene.Fetch(scene.Server.Rules("", "coingecko", "kraken", "coinbase"));
        var rate = await scene.Rate("BTC");
        Assert.Contains("\"rate_usd\":\"65150.00\"", rate, StringComparison.Ordinal);
        Assert.Contains("\"source\":\"coinbase, kraken\"", rate, StringComparison.Ordinal);
        Assert.Equal(isPrice, rate.Contains("{\"source\":\"coingecko\"", StringComparison.Ordinal));
        Assert.Equal(isPrice, rate.Contains("\"used\":false", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sources_that_contradict_each_other_give_no_price_and_the_last_one_ends()
    {
        await using var scene = await Scene.Start(cluster);
        var rules = scene.Server.Rules("", "coingecko", "kraken");
        scene.Say("65000", "65100", null, null);
        await scene.Fetch(rules);
        scene.Clock.Now += TimeSpan.FromMinutes(2);
        scene.Say("65000", "130000", null, null);
        await scene.Fetch(rules);
        var rate = await scene.Rate("BTC");
        Assert.Contains("\"rate_usd\":\"65050.00\"", rate, StringComparison.Ordinal);
        Assert.Contains("\"last_updated\":\"2030-01-15T09:30:00Z\"", rate, StringComparison.Ordinal);
        Assert.DoesNotContain("\"used\":true", rate, StringComparison.Ordinal);
        // The currency file sets no limit; a price from outside has one all the same.
        await using var later = await World.StartOn(scene.World.Database, scene.Clock, rules.LimitAges(World.AllCurrencies));
        scene.Clock.Now = _start.AddMinutes(60);
        Assert.Contains("\"rate_usd\":\"65050.00\"", await scene.Rate("BTC", later), StringComparison.Ordinal);
        scene.Clock.Now = _start.AddMinutes(60).AddSeconds(1);
        Assert.Contains("\"rate_usd\":null", await scene.Rate("BTC", later), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_source_alone_is_not_believed_unless_the_operator_says_so()
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say("65000", null, null, null);
        await scene.Fetch(scene.Server.Rules("", "coingecko"));
        Assert.Equal(0L, await scene.World.Query<long>("SELECT count(*) FROM rate_hour"));
        scene.Clock.Now += TimeSpan.FromMinutes(2);
        await scene.Fetch(scene.Server.Rules("\"sources_min\":1,", "coingecko"));
        var rate = await scene.Rate("BTC");
        Assert.Contains("\"rate_usd\":\"65000.00\"", rate, StringComparison.Ordinal);
        Assert.Contains("\"source\":\"coingecko\",\"spread\":null,\"spread_percent\":null", rate, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_market_that_a_source_no_longer_knows_has_no_price_and_the_others_keep_theirs()
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say("65000", "65000", "65032.516258129064", "65000");
        foreach (var symbol in (string[])["polygon-ecosystem-token", "POLUSD", "POLUSDT", "POL-USD"])
            scene.Server.Prices.TryRemove(symbol, out _);
        var rules = scene.Server.Rules("", _all);
        using var http = new PriceHttp(scene.Clock);
        var fetch = new FetchRates(rules, rules.Open(http), scene.World.App.Db, World.AllCurrencies, scene.Clock, NullLogger.Instance, Ct);
        await fetch.Run(Ct);
        Assert.Contains("\"rate_usd\":null", await scene.Rate("POL"), StringComparison.Ordinal);
        var rate = await scene.Rate("BTC");
        Assert.Contains("\"rate_usd\":\"65000.00\"", rate, StringComparison.Ordinal);
        Assert.Contains("\"source\":\"binance, coinbase, coingecko, kraken\"", rate, StringComparison.Ordinal);
        var (kraken, binance) = (scene.Server.Questions("kraken"), scene.Server.Questions("binance"));
        Assert.True(kraken > 1 && binance > 1);
        scene.Clock.Now += TimeSpan.FromSeconds(60);
        await fetch.Run(Ct);
        // Who is not known is not asked about again for an hour; it may come back.
        Assert.Equal((kraken + 1, binance + 1), (scene.Server.Questions("kraken"), scene.Server.Questions("binance")));
        scene.Server.Prices["POLUSD"] = scene.Server.Prices["POL-USD"] = "0.25";
        scene.Clock.Now = _start.AddMinutes(60);
        await fetch.Run(Ct);
        Assert.Contains("\"rate_usd\":\"0.25\"", await scene.Rate("POL"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_whose_server_died_while_it_asked_is_asked_by_the_next()
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say("65000", "65100", null, null);
        var rules = scene.Server.Rules("", "coingecko", "kraken");
        await scene.World.App.Db.Transaction(async (tx, ct) =>
        {
            await tx.KeepSources(["coingecko", "kraken"], _start, ct);
            Assert.Equal(2, (await tx.TakeSources(["coingecko", "kraken"], _start, _start.AddMinutes(1), ct)).Count);
        }, Ct);
        scene.Clock.Now = _start.AddSeconds(59);
        await scene.Fetch(rules);
        Assert.Empty(scene.Server.Asked);
        scene.Clock.Now = _start.AddSeconds(60);
        await scene.Fetch(rules);
        Assert.Contains("\"rate_usd\":\"65050.00\"", await scene.Rate("BTC"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_said_too_long_ago_is_not_used()
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say("65000", null, null, "65100");
        scene.Server.Age = TimeSpan.FromMinutes(11);
        await scene.Fetch(scene.Server.Rules("", "coingecko", "coinbase"));
        Assert.Equal(0L, await scene.World.Query<long>("SELECT count(*) FROM rate_quote"));
    }

    [Fact]
    public async Task A_source_that_fails_is_left_alone_longer_and_longer_and_a_restart_remembers_it()
    {
        await using var scene = await Scene.Start(cluster);
        var rules = scene.Server.Rules("", "coingecko", "kraken", "coinbase");
        scene.Say("65000", "65100", null, "65200");
        scene.Server.Down["kraken"] = (503, null);
        foreach (var (seconds, questions) in ((int, int)[])[(0, 1), (4, 1), (5, 2), (14, 2), (15, 3), (34, 3), (35, 4)])
        {
            scene.Clock.Now = _start.AddSeconds(seconds);
            // Each a process of its own: what it knows of the failures is in the database.
            await scene.Fetch(rules);
            Assert.Equal((seconds, questions), (seconds, scene.Server.Questions("kraken")));
        }

        Assert.Contains("\"rate_usd\":\"65100.00\"", await scene.Rate("BTC"), StringComparison.Ordinal);
        scene.Server.Down["kraken"] = (429, "300");
        scene.Clock.Now = _start.AddSeconds(75);
        await scene.Fetch(rules);
        scene.Clock.Now = _start.AddSeconds(75 + 299);
        await scene.Fetch(rules);
        Assert.Equal(5, scene.Server.Questions("kraken"));
        scene.Server.Down.Clear();
        scene.Clock.Now = _start.AddSeconds(75 + 300);
        await scene.Fetch(rules);
        Assert.Equal(6, scene.Server.Questions("kraken"));
        Assert.Equal("0 ", await scene.World.Query<string>("SELECT failures || ' ' || coalesce(last_error, '') FROM rate_source WHERE name = 'kraken'"));
        Assert.Contains("\"source\":\"coinbase, coingecko, kraken\"", await scene.Rate("BTC"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_goes_on_with_what_the_sources_said_before()
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say("65000", "65100", null, null);
        var rules = scene.Server.Rules("", "coingecko", "kraken");
        await scene.Fetch(rules);
        scene.Clock.Now += TimeSpan.FromMinutes(5);
        scene.Server.Down["coingecko"] = (503, null);
        scene.Say("65000", "65200", null, null);
        await scene.Fetch(rules);
        var rate = await scene.Rate("BTC");
        Assert.Contains("\"rate_usd\":\"65100.00\"", rate, StringComparison.Ordinal);
        Assert.Contains("\"at\":\"2030-01-15T09:30:00Z\",\"used\":true", rate, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_servers_ask_each_source_once()
    {
        await using var scene = await Scene.Start(cluster);
        scene.Say("65000", "65100", "65000", "65200");
        var rules = scene.Server.Rules("", _all);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => scene.Fetch(rules)));
        Assert.Equal([1, 1, 1, 5], _all.Select(scene.Server.Questions));
    }

    [Fact]
    public async Task A_price_set_by_hand_stands_until_the_sources_agree_on_a_newer_one()
    {
        await using var scene = await Scene.Start(cluster);
        var rules = scene.Server.Rules("", "coingecko", "kraken");
        scene.Say("65000", "65100", null, null);
        await scene.Fetch(rules);
        scene.Clock.Now += TimeSpan.FromSeconds(30);
        await SetRate.Run(scene.World.App.Db, World.AllCurrencies, scene.Clock, "BTC", "70000", null, "operator", Ct);
        var rate = await scene.Rate("BTC");
        Assert.Contains("\"rate_usd\":\"70000.00\"", rate, StringComparison.Ordinal);
        Assert.Contains("\"source\":\"operator\",\"spread\":null", rate, StringComparison.Ordinal);
        Assert.DoesNotContain("\"used\":true", rate, StringComparison.Ordinal);
        scene.Clock.Now += TimeSpan.FromSeconds(60);
        await scene.Fetch(rules);
        Assert.Contains("\"rate_usd\":\"65050.00\"", await scene.Rate("BTC"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_a_source_and_a_running_server_asks_by_itself()
    {
        await using var prices = await PriceServer.Start(TimeProvider.System);
        var folder = Directory.CreateTempSubdirectory("coffer-prices-");
        try
        {
            var (quotes, file) = (Path.Combine(folder.FullName, "quotes.json"), Path.Combine(folder.FullName, "prices.json"));
            await File.WriteAllTextAsync(quotes, """{"prices":{"ether":"2000.50"}}""", Ct);
            prices.Prices["XETHZUSD"] = "2001.5";
            await File.WriteAllTextAsync(file, $$$"""
                {"sources":[{"kind":"file","path":"{{{quotes}}}","every_seconds":5,"markets":{"ETH":"ether"}},
                {"kind":"kraken","url":"{{{prices.Url}}}/kraken","markets":{"ETH":"XETHZUSD"}}],"history_days":0}
                """, Ct);
            await using var world = await World.Start(cluster, new Settings { PricesFile = file });
            var key = await (await world.Account()).ApiKey();
            var text = "";
            for (var i = 0; i < 300 && !text.Contains("\"rate_usd\":\"2001.00\"", StringComparison.Ordinal); i++)
            {
                await Task.Delay(100, Ct);
                text = (await world.Send(HttpMethod.Get, "/rates/ETH", null, ("X-API-Key", key))).Text;
            }

            Assert.Contains("\"source\":\"file, kraken\",\"spread\":\"1.00\",\"spread_percent\":\"0.05\"", text, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Past_hours_are_filled_in_from_what_the_sources_remember_and_none_is_replaced()
    {
        await using var scene = await Scene.Start(cluster);
        var rules = scene.Server.Rules("\"history_days\":20,", _all);
        var open = new DateTimeOffset(2030, 1, 15, 9, 0, 0, TimeSpan.Zero);
        List<(DateTimeOffset, string)> Of(string close) => [.. Enumerable.Range(1, 480).Select(back => (open.AddHours(-back), close))];
        foreach (var (symbol, close) in ((string, string)[])[("bitcoin", "60000.5"), ("XXBTZUSD", "60100"), ("BTC-USD", "60200"), ("BTCUSDT", "60000"),
            ("tether", "0.999"), ("USDTZUSD", "0.999"), ("USDT-USD", "0.999")])
            scene.Server.Hours[symbol] = Of(close);
        scene.Server.Hours["ethereum"] = Of("2000");
        await SetRate.Run(scene.World.App.Db, World.AllCurrencies, scene.Clock, "BTC", "1", open.AddHours(-3.5), "operator", Ct);
        using var http = new PriceHttp(scene.Clock);
        var fill = new BackFillRates(rules, rules.Open(http), scene.World.App.Db, World.AllCurrencies, scene.Clock, NullLogger.Instance, Ct, spaced: false);
        await fill.Run(Ct);
        // 59940 (binance, in USDT), 60000.5, 60100 and 60200: their median is the mean of the two in the middle.
        Assert.Equal("480 479 60050250000000000000000", await scene.World.Query<string>("""
            SELECT count(*) || ' ' || count(*) FILTER (WHERE spread = 260::numeric * 10^18 AND at = hour + interval '59 minutes 59 seconds'
                AND source = 'binance, coinbase, coingecko, kraken') || ' ' || max(usd)
            FROM rate_hour WHERE currency = 'BTC'
            """));
        Assert.Equal(1L, await scene.World.Query<long>("SELECT count(*) FROM rate_hour WHERE source = 'operator'"));
        Assert.Equal(480L * 5, await scene.World.Query<long>("SELECT count(*) FROM rate_hour WHERE currency LIKE 'USDT%'"));
        // One source alone is no more believed about yesterday than about today.
        Assert.Equal(0L, await scene.World.Query<long>("SELECT count(*) FROM rate_hour WHERE currency = 'ETH'"));
        Assert.Equal(1, scene.Server.Asked.Count(path => path.StartsWith("/coingecko/coins/tether/", StringComparison.Ordinal)));
        Assert.Equal(2, scene.Server.Asked.Count(path => path.StartsWith("/coinbase/products/BTC-USD/candles", StringComparison.Ordinal)));
        await fill.Run(Ct);
        Assert.Equal(1, scene.Server.Asked.Count(path => path.StartsWith("/coingecko/coins/bitcoin/", StringComparison.Ordinal)));
    }

    private sealed class Scene : IAsyncDisposable
    {
        private string? _key;

        public required FakeTime Clock { get; init; }

        public required World World { get; init; }

        public required PriceServer Server { get; init; }

        public static async Task<Scene> Start(TestCluster cluster)
        {
            var clock = new FakeTime(_start);
            return new Scene { Clock = clock, World = await World.Start(cluster, time: clock), Server = await PriceServer.Start(clock) };
        }

        /// <summary>What each source says of bitcoin; and something plausible of everything else that it is asked for.</summary>
        public void Say(string? coinGecko, string? kraken, string? binance, string? coinbase)
        {
            foreach (var market in KnownMarkets.CoinGecko.Concat(KnownMarkets.Kraken).Concat(KnownMarkets.Coinbase).Concat(KnownMarkets.Binance))
                Server.Prices[market.Value.Symbol] = market.Key == "USDT" ? "0.9995" : "10";
            foreach (var (symbol, price) in ((string, string?)[])[("bitcoin", coinGecko), ("XXBTZUSD", kraken), ("BTCUSDT", binance), ("BTC-USD", coinbase)])
            {
                if (price is not null)
                    Server.Prices[symbol] = price;
            }
        }

        public async Task Fetch(PriceRules rules)
        {
            using var http = new PriceHttp(Clock);
            await new FetchRates(rules, rules.Open(http), World.App.Db, World.AllCurrencies, Clock, NullLogger.Instance, Ct).Run(Ct);
        }

        public async Task<string> Rate(string currency, World? world = null)
        {
            _key ??= await (await World.Account()).ApiKey();
            return (await (world ?? World).Send(HttpMethod.Get, $"/rates/{currency}", null, ("X-API-Key", _key))).Text;
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await World.DisposeAsync();
        }
    }
}
