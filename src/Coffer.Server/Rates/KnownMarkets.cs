namespace Coffer.Server.Rates;

/// <summary>What the sources call the tokens of the built-in currency file, for sources whose entry names no markets.</summary>
internal static class KnownMarkets
{
    public static readonly IReadOnlyDictionary<string, Market> CoinGecko = Dollars(("BTC", "bitcoin"), ("ETH", "ethereum"), ("WETH", "weth"),
        ("USDT", "tether"), ("USDC", "usd-coin"), ("DAI", "dai"), ("TRX", "tron"), ("BNB", "binancecoin"), ("POL", "polygon-ecosystem-token"));

    public static readonly IReadOnlyDictionary<string, Market> Kraken = Dollars(("BTC", "XXBTZUSD"), ("ETH", "XETHZUSD"), ("USDT", "USDTZUSD"),
        ("USDC", "USDCUSD"), ("DAI", "DAIUSD"), ("TRX", "TRXUSD"), ("BNB", "BNBUSD"), ("POL", "POLUSD"));

    public static readonly IReadOnlyDictionary<string, Market> Coinbase = Dollars(("BTC", "BTC-USD"), ("ETH", "ETH-USD"), ("USDT", "USDT-USD"),
        ("DAI", "DAI-USD"), ("POL", "POL-USD"));

    public static readonly IReadOnlyDictionary<string, Market> Binance = new[] { "BTC", "ETH", "USDC", "TRX", "BNB", "POL" }
        .ToDictionary(token => token, token => new Market($"{token}USDT", "USDT"));

    private static Dictionary<string, Market> Dollars(params (string Token, string Symbol)[] markets) =>
        markets.ToDictionary(market => market.Token, market => new Market(market.Symbol, null));
}
