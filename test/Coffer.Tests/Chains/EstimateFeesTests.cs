using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Server.Chain;
using Coffer.Server.Rates;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Chains;

/// <summary>What a withdrawal is charged for a network whose price moves.</summary>
public sealed class EstimateFeesTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly DateTimeOffset _noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Int128 _gwei = 1_000_000_000;

    private readonly FakeTime _time = new(_noon);
    private readonly SimulatedChain _simulated = new("ethereum", new MemoryLog());
    private Db _db = null!;
    private RealChains _chains = null!;
    private Node _node = null!;
    private NetworkFees _fees = null!;

    private static Currencies Estimated { get; } = new(World.AllCurrencies.All.Select(c => c.Code switch
    {
        "ETH" => c with { NetworkFee = 0, NetworkFeeEstimate = new EstimatedFee(1_000_000 * _gwei, null) },
        "USDTERC20" => c with { NetworkFee = 0, NetworkFeeEstimate = new EstimatedFee(20_000_000, null), PriceAgeMax = TimeSpan.FromHours(1) },
        "USDCERC20" => c with { NetworkFee = 0, NetworkFeeEstimate = new EstimatedFee(20_000_000, 5_000_000) },
        _ => c,
    }));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Currency Eth => Estimated.Find("ETH");

    private static Currency Usdt => Estimated.Find("USDTERC20");

    private static Currency Usdc => Estimated.Find("USDCERC20");

    public async ValueTask InitializeAsync()
    {
        _db = new Db(await cluster.NewDatabase(), _time);
        _fees = new NetworkFees(_time);
        _node = new Node(_simulated) { Fee = asset => asset is null ? 420_000 * _gwei : 1_000_000 * _gwei };
        var entry = new ChainEntry
        {
            Id = "ethereum",
            Kind = ChainKind.Evm,
            Network = "ETH",
            Nodes = [new Uri("http://127.0.0.1:1")],
            ChainId = 1,
            Poll = TimeSpan.FromSeconds(1),
            Hot = new HotEntry { Address = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", FeeMax = 1 },
        };
        _chains = RealChains.Of([entry], _db, Estimated, _time, (_, _, _, _) => _node);
    }

    public async ValueTask DisposeAsync()
    {
        _chains.Dispose();
        _simulated.Dispose();
        await _db.DisposeAsync();
    }

    [Fact]
    public async Task The_coins_fee_is_what_the_chain_asks_up_to_the_cap_and_is_forgotten_when_it_is_old()
    {
        Assert.Contains("not known just now", Why(Eth), StringComparison.Ordinal);
        await Learn();
        Assert.Equal(420_000 * _gwei, _fees.Charged(Eth, Mode.Live));
        _node.Fee = _ => 9_000_000 * _gwei;
        Assert.Equal(420_000 * _gwei, _fees.Charged(Eth, Mode.Live));
        await Learn();
        Assert.Equal(1_000_000 * _gwei, _fees.Charged(Eth, Mode.Live));

        _node.Fee = _ => throw new ChainFault("away", retryable: true);
        _time.Now += NetworkFees.AgeMax;
        await Learn();
        Assert.Equal(1_000_000 * _gwei, _fees.Charged(Eth, Mode.Live));
        _time.Now += TimeSpan.FromTicks(1);
        Assert.Contains("not known just now", Why(Eth), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tokens_fee_is_the_coins_by_their_prices_and_without_one_it_is_refused_with_a_sentence()
    {
        await Learn();
        Assert.Contains("no current price of ETH", Why(Usdt), StringComparison.Ordinal);
        // Where a fallback is given, that is charged.
        Assert.Equal(5_000_000, _fees.Charged(Usdc, Mode.Live));
        await Price("ETH", "2500");
        await Learn();
        Assert.Contains("no current price of USDTERC20", Why(Usdt), StringComparison.Ordinal);
        await Price("USDTERC20", "1");
        await Learn();
        // 0.001 ETH at 2,500 dollars.
        Assert.Equal(2_500_000, _fees.Charged(Usdt, Mode.Live));
        await Price("ETH", "2500000");
        await Learn();
        Assert.Equal(20_000_000, _fees.Charged(Usdt, Mode.Live));
        _time.Now += TimeSpan.FromMinutes(61);
        await Learn();
        Assert.Contains("no current price of USDTERC20", Why(Usdt), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fixed_fee_and_a_simulated_chain_need_no_estimate()
    {
        Assert.Equal(Estimated.Find("DAIERC20").NetworkFee, _fees.Charged(Estimated.Find("DAIERC20"), Mode.Live));
        Assert.Equal(1_000_000 * _gwei, _fees.Charged(Eth, Mode.Test));
        Assert.Equal(5_000_000, _fees.Charged(Usdc, Mode.Test));
    }

    [Fact]
    public async Task A_withdrawal_is_charged_the_estimate_it_was_quoted_and_a_repeated_one_stays_as_it_was()
    {
        await using var world = await World.StartWith(cluster.NewDatabase(), [_chains.All[0].Entry], ChainFactory.Make, Estimated);
        var payer = await Http.Withdrawer.Of(world, Mode.Live, ("ETH", "1"), ("USDTERC20", "100"));
        const string body = """{"amount":"0.1","currency":"ETH","address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}""";
        world.App.NetworkFees.Know("ETH", 420_000 * _gwei);
        var quote = await payer.Post("/withdrawal/estimate/", body);
        Assert.Equal("0.00042", Http.Withdrawer.Text(quote.Json, "network_fee"));
        Task<Got> Ask() => world.Send(HttpMethod.Post, "/withdrawal/", body, ("X-API-Key", payer.Key), ("Idempotency-Key", "k"));
        var made = await Ask();
        Assert.Equal((201, "0.00042"), (made.Status, Http.Withdrawer.Text(made.Json, "network_fee")));
        // No price, no estimate of the token's fee: nothing is reserved.
        world.App.NetworkFees.Miss("USDTERC20", "There is no current price of ETH.");
        var got = await payer.Withdraw("10", "USDTERC20", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        Assert.Equal((503, "service_unavailable"), (got.Status, got.ErrorCode));
        Assert.Contains("price", got.Text, StringComparison.Ordinal);
        Assert.Equal(1L, await payer.Rows());
        world.App.NetworkFees.Miss("ETH", "It is not known any more.");
        var again = await Ask();
        Assert.Equal((201, made.Text), (again.Status, again.Text));
    }

    private Task Learn() => new EstimateFees(_chains.All[0], _db, _fees, _time, NullLogger.Instance, CancellationToken.None).Run(Ct);

    private Task Price(string currency, string usd)
    {
        Assert.True(UsdPrice.TryParse(usd, out var price));
        return _db.Transaction((tx, ct) => tx.SetRate(currency, price, _time.Now, "test", ct), Ct);
    }

    private string Why(Currency currency) => Assert.Throws<Refused>(() => _fees.Charged(currency, Mode.Live)).Message;
}
