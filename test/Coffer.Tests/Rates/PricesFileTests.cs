using System.Text;
using Coffer.Server.Host;
using Coffer.Server.Rates;

namespace Coffer.Tests.Rates;

public sealed class PricesFileTests
{
    [Fact]
    public void A_short_file_is_filled_in()
    {
        var rules = Parse("""{"sources":[{"kind":"coingecko"},{"kind":"binance","name":"binance-us","url":"https://api.binance.us/","every_seconds":30}]}""");
        Assert.Equal((2, 50, 10, 60, 30), (rules.SourcesMin, rules.DeviationMaxPerMille, (int)rules.QuoteAgeMax.TotalMinutes,
            (int)rules.PriceAgeMax.TotalMinutes, rules.HistoryDays));
        Assert.Equal(["coingecko https://api.coingecko.com/api/v3 60", "binance-us https://api.binance.us 30"],
            rules.Sources.Select(source => $"{source.Name} {source.Url} {source.Every.TotalSeconds}"));
        Assert.Equal(new Market("BTCUSDT", "USDT"), rules.Sources[1].Markets["BTC"]);
    }

    [Fact]
    public void A_market_of_the_code_comes_before_one_of_the_token()
    {
        var rules = Parse("""{"sources":[{"kind":"kraken","markets":{"ETH":"XETHZUSD","ETHARB":{"symbol":"ETHUSDT","quote":"USDT"}}}]}""");
        Market? Of(string code) => rules.Sources[0].MarketOf(World.AllCurrencies.Find(code));
        Assert.Equal(new Market("ETHUSDT", "USDT"), Of("ETHARB"));
        Assert.Equal(new Market("XETHZUSD", null), Of("ETHBASE"));
        Assert.Null(Of("BTC"));
    }

    [Fact]
    public void Every_known_market_is_of_a_token_that_is_built_in()
    {
        var tokens = World.AllCurrencies.All.Select(currency => currency.Token).ToHashSet();
        Assert.All(KnownMarkets.CoinGecko.Concat(KnownMarkets.Kraken).Concat(KnownMarkets.Coinbase).Concat(KnownMarkets.Binance),
            market => Assert.Contains(market.Key, tokens));
    }

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("[]", "at $")]
    [InlineData("{}", "sources must list 1 to 10 sources")]
    [InlineData("""{"sources":[]}""", "sources must list 1 to 10 sources")]
    [InlineData("""{"sources":[null]}""", "source 1 must be an object")]
    [InlineData("""{"sources":[{}]}""", "source 1: kind must be")]
    [InlineData("""{"sources":[{"kind":"secret"}]}""", "at $.sources[0].kind")]
    [InlineData("""{"sources":[{"kind":"kraken"},{"kind":"kraken"}]}""", "the name kraken is given 2 times")]
    [InlineData("""{"sources":[{"kind":"kraken","colour":1}]}""", "at $.sources[0]")]
    [InlineData("""{"sources":[{"kind":"kraken","name":"A secret"}]}""", "name must be 1 to 20 of a-z")]
    [InlineData("""{"sources":[{"kind":"kraken","url":"ftp://secret"}]}""", "url must be a URL")]
    [InlineData("""{"sources":[{"kind":"kraken","url":"https://u:secret@x"}]}""", "url must be a URL")]
    [InlineData("""{"sources":[{"kind":"kraken","api_key":"secret"}]}""", "api_key is for coingecko")]
    [InlineData("""{"sources":[{"kind":"coingecko","api_key":"secret\n"}]}""", "api_key is for coingecko")]
    [InlineData("""{"sources":[{"kind":"file"}]}""", "it must have one; source 1: markets must name what the file has")]
    [InlineData("""{"sources":[{"kind":"kraken","every_seconds":4}]}""", "every_seconds must be 5 to 3600")]
    [InlineData("""{"sources":[{"kind":"kraken","markets":{"ETH":"a b"}}]}""", "ETH does not")]
    [InlineData("""{"sources":[{"kind":"kraken","markets":{"ETH":null}}]}""", "ETH does not")]
    [InlineData("""{"sources":[{"kind":"kraken","markets":{"ETH":{"symbol":"X","quote":"ETH"}}}]}""", "ETH does not")]
    [InlineData("""{"sources":[{"kind":"kraken"}],"sources_min":0}""", "sources_min must be 1 to 10")]
    [InlineData("""{"sources":[{"kind":"kraken"}],"history_days":366}""", "history_days must be 0 to 365")]
    [InlineData("""{"sources":[{"kind":"kraken"}],"sources":[]}""", "line 1")]
    public void A_file_that_cannot_be_used_says_why_and_quotes_nothing(string json, string why)
    {
        var fault = Assert.Throws<SetupFailure>(() => Parse(json));
        Assert.Contains(why, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_sentence() =>
        Assert.Contains("check its name and its rights", Assert.Throws<SetupFailure>(() => PricesFile.Read("/nowhere/prices.json")).Message, StringComparison.Ordinal);

    private static PriceRules Parse(string json) => PricesFile.Parse(Encoding.UTF8.GetBytes(json));
}
