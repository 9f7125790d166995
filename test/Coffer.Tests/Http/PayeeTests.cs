using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Server.Addresses;
using Coffer.Server.Chain;
using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Http;

/// <summary>Who may be paid: a live account on three real networks, a test account on its own chain.</summary>
public sealed class PayeeTests(TestCluster cluster) : IAsyncLifetime
{
    private const string HotEvm = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"; // EIP-55
    private const string HotTron = "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE";
    private const string Evm = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"; // EIP-55
    private const string DepositEvm = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"; // EIP-55
    private const string Bitcoin = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"; // BIP173

    // The account key of BIP84's own example.
    private const string HotXpub =
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";

    private World _world = null!;
    private Withdrawer _payer = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        ChainEntry[] entries =
        [
            Entry("ethereum", ChainKind.Evm, "ETH", new HotEntry { Address = HotEvm, FeeMax = 1 }),
            Entry("tron", ChainKind.Tron, "TRX", new HotEntry { Address = HotTron, FeeMax = 1 }),
            Entry("bitcoin", ChainKind.Bitcoin, "BTC", new HotEntry { Xpub = HotXpub, FeeMax = 1 }),
            // Followed, but nothing is paid out there.
            Entry("bsc", ChainKind.Evm, "BSC", null),
        ];
        // Nobody answers there: what an address is, no node is asked.
        _world = await World.StartWith(cluster.NewDatabase(), entries, ChainFactory.Make);
        _payer = await Withdrawer.Of(_world, Mode.Live, ("ETH", "10"), ("USDTERC20", "1000"), ("USDTTRC20", "1000"), ("BTC", "1"), ("BNB", "1"));
        await _world.App.Db.Transaction((tx, ct) => tx.Watch(new IssuedAddress(_world.Ids.New(), _payer.Account.Account.Shard, _payer.Account.Id,
            _payer.Account.DefaultWallet, "evm", "BSC", "00000000", 0, DepositEvm, _world.Time.GetUtcNow()), ct), Ct);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("ETH", "1", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", Evm)]
    [InlineData("USDTERC20", "10", Evm, Evm)]
    [InlineData("USDTTRC20", "10", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8")]
    [InlineData("BTC", "0.1", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", Bitcoin)]
    public async Task A_payee_is_kept_in_the_one_spelling_of_his_network(string currency, string amount, string address, string kept)
    {
        var got = await _payer.Withdraw(amount, currency, address);
        Assert.Equal((201, kept), (got.Status, Text(got.Json, "address")));
        Assert.Equal(kept, await _world.Query<string>("SELECT address FROM withdrawal"));
    }

    [Theory]
    [InlineData("ETH", "1", "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "EIP-55")]
    [InlineData("ETH", "1", "0x0000000000000000000000000000000000000000", "zero address")]
    [InlineData("ETH", "1", "0xdac17f958d2ee523a2206206994597c13d831ec7", "contract of a token")]
    // A contract of another network of the same family: whoever sends it there means something else.
    [InlineData("ETH", "1", "0x55d398326f99059fF775485246999027B3197955", "contract of a token")]
    [InlineData("USDTERC20", "10", HotEvm, "wallet that pays withdrawals")]
    [InlineData("USDTERC20", "10", "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", "wallet that pays withdrawals")]
    [InlineData("USDTERC20", "10", DepositEvm, "deposit address of this server")]
    [InlineData("USDTERC20", "10", "0xdbf03b407c01e7cd3cbea99509d93f8dddc8c6fb", "deposit address of this server")]
    [InlineData("USDTERC20", "10", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "begins with 0x")]
    [InlineData("USDTTRC20", "10", Evm, "begins with T")]
    [InlineData("USDTTRC20", "10", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "contract of a token")]
    [InlineData("USDTTRC20", "10", HotTron, "wallet that pays withdrawals")]
    [InlineData("BTC", "0.1", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "another Bitcoin network")]
    [InlineData("BTC", "0.1", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum")]
    public async Task Who_cannot_be_meant_is_refused_with_the_reason_and_nothing_is_reserved(
        string currency, string amount, string address, string why)
    {
        var got = await _payer.Withdraw(amount, currency, address);
        Assert.Equal((400, "invalid_address"), (got.Status, got.ErrorCode));
        Assert.Contains(why, Details(got).GetProperty("address")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(0L, await _payer.Rows());
        var estimate = await _payer.Post("/withdrawal/estimate/", $$"""{"amount":"{{amount}}","currency":"{{currency}}","address":"{{address}}"}""");
        Assert.Equal((400, "invalid_address"), (estimate.Status, estimate.ErrorCode));
    }

    [Fact]
    public async Task Every_address_of_a_Bitcoin_hot_wallet_is_known_change_too()
    {
        var hot = new HotAddresses(HotXpub, BitcoinNetwork.Main);
        foreach (var address in new[] { hot.First.Address, hot.Change(999).Address })
            Assert.Contains("wallet that pays withdrawals", (await _payer.Withdraw("0.1", "BTC", address)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_network_without_a_hot_wallet_pays_nothing_out_and_is_not_offered()
    {
        var got = await _payer.Withdraw("0.1", "BNB", Evm);
        Assert.Equal((503, "service_unavailable"), (got.Status, got.ErrorCode));
        Assert.DoesNotContain("BNB", (await _payer.Get("/withdrawal/available-currencies/")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_account_cannot_pay_its_own_deposit_address_nor_a_real_one()
    {
        var payer = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "100"));
        var given = await payer.Post("/wallets/payment", $$"""{"wallet_id":"{{payer.Account.DefaultWallet}}","currency":"USDTERC20"}""");
        var own = Text(given.Json.GetProperty("address"), "address");
        foreach (var (address, why) in new[] { (own, "deposit address of this server"), (Evm, "begin with sim1"), (DepositEvm, "begin with sim1") })
        {
            var got = await payer.Withdraw("10", address: address);
            Assert.Equal((400, "invalid_address"), (got.Status, got.ErrorCode));
            Assert.Contains(why, got.Text, StringComparison.Ordinal);
        }

        Assert.Equal(0L, await payer.Rows());
        Assert.Equal(201, (await payer.Withdraw("10")).Status);
    }

    private static ChainEntry Entry(string id, ChainKind kind, string network, HotEntry? hot) => new()
    {
        Id = id,
        Kind = kind,
        Network = network,
        Nodes = [new Uri("http://127.0.0.1:1")],
        ChainId = 1,
        Start = 0,
        Poll = TimeSpan.FromMinutes(1),
        Hot = hot,
    };
}
