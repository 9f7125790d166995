using Coffer.Server.Rates;

namespace Coffer.Tests.Http;

public sealed class RateTests(TestCluster cluster)
{
    private static readonly DateTimeOffset _start = new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero);
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Prices_are_listed_and_shown_with_their_last_day()
    {
        var clock = new FakeTime(_start);
        await using var world = await World.Start(cluster, time: clock);
        var key = await (await world.Account()).ApiKey();
        Assert.Equal("""{"base_currency":"USD","rates":{},"last_updated":null}""", await Body(world, key, "/rates/"));
        Assert.Equal("""
            {"currency":"ETH","rate_usd":null,"change_24h":null,"change_24h_percent":null,"high_24h":null,"low_24h":null,"last_updated":null,
            "source":null,"spread":null,"spread_percent":null,"sources":[]}
            """.ReplaceLineEndings(""), await Body(world, key, "/rates/eth"));
        await Set(world, "ETH", "2000", _start.AddHours(-30));
        await Set(world, "ETH", "1999.5", _start.AddHours(-10));
        await Set(world, "ETH", "2500", _start.AddHours(-5));
        await Set(world, "eth", "2345.67", null);
        await Set(world, "USDTERC20", "0.9999", _start.AddMinutes(-1));
        Assert.Equal("""{"base_currency":"USD","rates":{"ETH":"2345.67","USDTERC20":"0.9999"},"last_updated":"2030-01-15T09:30:00Z"}""",
            await Body(world, key, "/rates"));
        Assert.Equal("""
            {"currency":"ETH","rate_usd":"2345.67","change_24h":"345.67","change_24h_percent":"17.28","high_24h":"2500.00","low_24h":"1999.50",
            "last_updated":"2030-01-15T09:30:00Z","source":"test","spread":null,"spread_percent":null,"sources":[]}
            """.ReplaceLineEndings(""), await Body(world, key, "/rates/ETH/"));
        clock.Now = _start.AddHours(48);
        Assert.Equal("""
            {"currency":"ETH","rate_usd":"2345.67","change_24h":"0.00","change_24h_percent":"0.00","high_24h":"2345.67","low_24h":"2345.67",
            "last_updated":"2030-01-15T09:30:00Z","source":"test","spread":null,"spread_percent":null,"sources":[]}
            """.ReplaceLineEndings(""), await Body(world, key, "/rates/ETH/"));
    }

    [Fact]
    public async Task A_fall_is_negative_and_a_price_of_zero_has_no_percent()
    {
        await using var world = await World.Start(cluster, time: new FakeTime(_start));
        var key = await (await world.Account()).ApiKey();
        await Set(world, "BTC", "80000", _start.AddHours(-25));
        await Set(world, "BTC", "79999.999999999999999999", null);
        await Set(world, "TRX", "0", _start.AddHours(-25));
        await Set(world, "TRX", "0.3", null);
        var bitcoin = await Body(world, key, "/rates/BTC");
        Assert.Contains("\"change_24h\":\"-0.000000000000000001\",\"change_24h_percent\":\"0.00\"", bitcoin, StringComparison.Ordinal);
        Assert.Contains("\"change_24h\":\"0.30\",\"change_24h_percent\":null", await Body(world, key, "/rates/TRX"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_price_never_replaces_a_later_one_of_its_hour()
    {
        await using var world = await World.Start(cluster, time: new FakeTime(_start));
        await Set(world, "ETH", "2", _start.AddMinutes(-1));
        await Set(world, "ETH", "1", _start.AddMinutes(-2));
        Assert.Equal("2000000000000000000", await world.Query<string>("SELECT string_agg(usd::text, ',') FROM rate_hour"));
        await Set(world, "ETH", "3", _start.AddMinutes(-1));
        Assert.Equal("3000000000000000000", await world.Query<string>("SELECT string_agg(usd::text, ',') FROM rate_hour"));
    }

    [Fact]
    public async Task A_price_older_than_its_currency_allows_is_unknown()
    {
        var clock = new FakeTime(_start);
        await using var world = await World.Start(cluster, time: clock, currencies: new Currencies([Ether(TimeSpan.FromHours(26), null)]));
        var key = await (await world.Account()).ApiKey();
        await Set(world, "ETH", "1000", null);
        clock.Now = _start.AddHours(26);
        Assert.Contains("\"ETH\":\"1000.00\"", await Body(world, key, "/rates"), StringComparison.Ordinal);
        clock.Now += TimeSpan.FromMilliseconds(1);
        Assert.Equal("""{"base_currency":"USD","rates":{},"last_updated":null}""", await Body(world, key, "/rates"));
        Assert.Equal("""
            {"currency":"ETH","rate_usd":null,"change_24h":null,"change_24h_percent":null,"high_24h":null,"low_24h":null,
            "last_updated":"2030-01-15T09:30:00Z","source":null,"spread":null,"spread_percent":null,"sources":[]}
            """.ReplaceLineEndings(""), await Body(world, key, "/rates/ETH"));
    }

    [Fact]
    public async Task The_files_price_is_kept_once_and_never_replaces_one_that_was_set()
    {
        var clock = new FakeTime(_start);
        await using var world = await World.Start(cluster, time: clock, currencies: new Currencies([Ether(null, "1234.5")]));
        var key = await (await world.Account()).ApiKey();
        Assert.Contains("\"ETH\":\"1234.50\"", await Body(world, key, "/rates"), StringComparison.Ordinal);
        clock.Now = _start.AddHours(3);
        await SeedRates.Run(world.App.Db, new Currencies([Ether(null, "99")]), clock, Ct);
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM rate_hour"));
        Assert.Contains("\"ETH\":\"1234.50\"", await Body(world, key, "/rates"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/rates/XYZ", "invalid_currency")]
    [InlineData("/rates/ETH?x=1", "invalid_request")]
    [InlineData("/rates?currency=ETH", "invalid_request")]
    public async Task An_unknown_currency_or_parameter_is_400(string path, string code)
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(HttpMethod.Get, path, null, ("X-API-Key", await (await world.Account()).ApiKey()));
        Assert.Equal((400, code), (got.Status, got.ErrorCode));
    }

    [Theory]
    [InlineData("XYZ", "1", RefusalCode.InvalidCurrency)]
    [InlineData("ETH", "-1", RefusalCode.InvalidRequest)]
    [InlineData("ETH", "1e3", RefusalCode.InvalidRequest)]
    [InlineData("ETH", "1.0000000000000000001", RefusalCode.InvalidRequest)]
    [InlineData("ETH", "", RefusalCode.InvalidRequest)]
    public async Task A_price_that_is_none_is_refused_and_not_kept(string code, string price, RefusalCode refusal)
    {
        await using var world = await World.Start(cluster, time: new FakeTime(_start));
        Assert.Equal(refusal, (await Assert.ThrowsAsync<Refused>(() => Set(world, code, price, null))).Refusal.Code);
        await Assert.ThrowsAsync<Refused>(() => Set(world, "ETH", "1", _start.AddSeconds(1)));
        Assert.Equal(0L, await world.Query<long>("SELECT count(*) FROM rate_hour"));
    }

    private static Currency Ether(TimeSpan? ageMax, string? price) => new()
    {
        Code = "ETH",
        Name = "Ether",
        Network = "ETH",
        Token = "ETH",
        Decimals = 18,
        Confirmations = 12,
        PriceAgeMax = ageMax,
        Price = price is not null && UsdPrice.TryParse(price, out var parsed) ? parsed : null,
    };

    private static async Task<string> Body(World world, string key, string path)
    {
        var got = await world.Send(HttpMethod.Get, path, null, ("X-API-Key", key));
        Assert.Equal(200, got.Status);
        return got.Text;
    }

    private static Task Set(World world, string code, string price, DateTimeOffset? at) =>
        SetRate.Run(world.App.Db, world.App.Currencies, world.Time, code, price, at, "test", Ct);
}
