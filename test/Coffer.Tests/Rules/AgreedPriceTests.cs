namespace Coffer.Tests.Rules;

public sealed class AgreedPriceTests
{
    private static readonly DateTimeOffset _now = new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("100", 1, "100.00", "0.00")]
    [InlineData("100", 2, null, null)]
    [InlineData("100 104", 2, "102.00", "4.00")]
    [InlineData("100 112", 2, null, null)]
    [InlineData("100 101 102", 2, "101.00", "2.00")]
    [InlineData("102 100000 100", 2, "101.00", "2.00")]
    [InlineData("100 200 300", 2, null, null)]
    [InlineData("100 100 200 200", 2, null, null)]
    [InlineData("1 1 50 50.1 99", 2, null, null)]
    [InlineData("1 50 50.1 50.2 99", 2, "50.10", "0.20")]
    [InlineData("0 0 0 100 101", 2, "100.50", "1.00")]
    [InlineData("0 0", 1, null, null)]
    [InlineData("95 100 105", 3, "100.00", "10.00")]
    [InlineData("94.999 100 105", 3, null, null)]
    [InlineData("99999999999999999998 99999999999999999999", 2, "99999999999999999998.50", "1.00")]
    [InlineData("0.000000000000000001 0.000000000000000001", 2, "0.000000000000000001", "0.00")]
    public void The_price_is_the_median_of_those_that_agree(string prices, int sourcesMin, string? price, string? spread)
    {
        var quotes = prices.Split(' ').Select((text, index) => new PriceQuote($"s{index}", Parse(text), _now.AddSeconds(-index))).ToList();
        var agreed = AgreedPrice.Of(quotes, sourcesMin, 50);
        Assert.Equal((price, spread), (agreed?.Price.ToString(), agreed?.Spread.ToString()));
        quotes.Reverse();
        Assert.Equal(agreed?.Price, AgreedPrice.Of(quotes, sourcesMin, 50)?.Price);
    }

    [Fact]
    public void It_is_as_new_as_the_newest_that_it_uses_and_names_its_sources_in_order()
    {
        var agreed = AgreedPrice.Of([new("b", Parse("1"), _now), new("a", Parse("1.01"), _now.AddSeconds(1)), new("c", Parse("9"), _now.AddHours(1))], 2, 50)!;
        Assert.Equal(_now.AddSeconds(1), agreed.At);
        Assert.Equal(["a", "b"], agreed.Quotes.Select(quote => quote.Source));
    }

    [Theory]
    [InlineData("65231.80000", "65231.80")]
    [InlineData("5.41e-06", "0.00000541")]
    [InlineData("1E+3", "1000.00")]
    [InlineData("1.2345678901234567895e0", "1.23456789012345679")]
    [InlineData("4.9e-19", "0.00")]
    [InlineData("5e-19", "0.000000000000000001")]
    [InlineData("007", "7.00")]
    [InlineData("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999")]
    [InlineData("1e20", null)]
    [InlineData("1e101", null)]
    [InlineData("1e2147483648", null)]
    [InlineData("-1", null)]
    [InlineData("", null)]
    [InlineData(".5", null)]
    [InlineData("5.", null)]
    [InlineData("1.2.3", null)]
    [InlineData("NaN", null)]
    [InlineData("e5", null)]
    [InlineData("1 ", null)]
    [InlineData("1e", null)]
    [InlineData("1e-2147483648", null)]
    public void A_price_of_a_source_is_read_without_floating_point(string text, string? price) =>
        Assert.Equal(price, UsdPrice.TryRound(text, out var read) ? read.ToString() : null);

    private static UsdPrice Parse(string text) => UsdPrice.TryParse(text, out var price) ? price : throw new FormatException(text);
}
