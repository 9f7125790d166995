using System.Text.Json;

namespace Coffer.Tests.Http;

/// <summary>The simulated chain over HTTP, seen only through what a customer sees.</summary>
public sealed class SandboxTests(TestCluster cluster) : IAsyncLifetime
{
    private World _world = null!;
    private TestAccount _account = null!;
    private string _key = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _account = await _world.Account();
        _key = await _account.ApiKey();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_deposit_is_pending_with_its_block_and_available_with_its_last_confirmation_in_the_very_next_read()
    {
        var deposit = await Post("/sandbox/deposits", Deposit("USDTERC20", "12.50"));
        Assert.Equal(201, deposit.Status);
        Assert.Matches("^[0-9a-f]{64}$", deposit.Json.GetProperty("txid").GetString());
        Assert.StartsWith("sim1", deposit.Json.GetProperty("address").GetString());
        Assert.True(deposit.Json.GetProperty("caught_up").GetBoolean());
        Assert.Equal("", await Balance("usdterc20"));
        Assert.Equal(1, (await Get("/sandbox/")).Json.GetProperty("mempool_total").GetInt32());

        Assert.Equal(201, (await Post("/sandbox/blocks/", "{}")).Status);
        Assert.Equal("12.50/12.50", await Balance("usdterc20"));
        await Post("/sandbox/blocks", """{"count":10}""");
        Assert.Equal("12.50/12.50", await Balance("usdterc20"));
        var line = (await Get("/sandbox")).Json.GetProperty("deposits")[0];
        Assert.Equal((11, 12), (line.GetProperty("confirmations").GetInt32(), line.GetProperty("required_confirmations").GetInt32()));
        Assert.Equal("12.50", line.GetProperty("amount").GetString());
        await Post("/sandbox/blocks", """{"count":1}""");
        Assert.Equal("12.50/0.00", await Balance("usdterc20"));
        Assert.Equal(0, (await Get("/sandbox/")).Json.GetProperty("deposits").GetArrayLength());
    }

    [Fact]
    public async Task A_reorg_takes_a_deposit_back_and_return_brings_it_again()
    {
        await Post("/sandbox/deposits", Deposit("BTC", "0.05"));
        await Post("/sandbox/blocks", """{"count":3}""");
        Assert.Equal("0.05/0.00", await Balance("btc"));
        await Post("/sandbox/reorg", """{"depth":3,"return":true}""");
        Assert.Equal("0.00/0.00", await Balance("btc"));
        await Post("/sandbox/blocks", """{"count":3}""");
        Assert.Equal("0.05/0.00", await Balance("btc"));
        await Post("/sandbox/reorg", """{"depth":3}""");
        await Post("/sandbox/blocks", """{"count":20}""");
        Assert.Equal("0.00/0.00", await Balance("btc"));
    }

    [Fact]
    public async Task Two_accounts_have_chains_of_their_own()
    {
        var other = await _world.Account();
        var otherKey = await other.ApiKey();
        await Post("/sandbox/deposits", Deposit("BTC", "1"));
        await Post("/sandbox/blocks", """{"count":1}""");
        await _world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":50}""", ("X-API-Key", otherKey));
        Assert.Equal("1.00/1.00", await Balance("btc"));
        Assert.Equal(1, (await Get("/sandbox/")).Json.GetProperty("height").GetInt64());
    }

    [Fact]
    public async Task Another_process_on_the_same_database_goes_on_where_the_first_was()
    {
        await Post("/sandbox/deposits", Deposit("BTC", "1"));
        await Post("/sandbox/blocks", """{"count":2}""");
        await using var second = await World.StartOn(_world.Database);
        var tip = await second.Send(HttpMethod.Get, "/sandbox", null, ("X-API-Key", _key));
        Assert.Equal((await Get("/sandbox")).Text, tip.Text);
        await second.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":1}""", ("X-API-Key", _key));
        Assert.Equal("1.00/0.00", await Balance("btc"));
    }

    [Fact]
    public async Task The_same_key_deposits_and_mines_once()
    {
        for (var i = 0; i < 3; i++)
        {
            await Post("/sandbox/deposits", Deposit("BTC", "1"), ("Idempotency-Key", "d"));
            await Post("/sandbox/blocks", """{"count":3}""", ("Idempotency-Key", "b"));
        }

        Assert.Equal("1.00/0.00", await Balance("btc"));
        Assert.Equal(3, (await Get("/sandbox/")).Json.GetProperty("height").GetInt64());
    }

    [Fact]
    public async Task A_deposit_whose_answer_was_lost_is_the_same_deposit_when_it_comes_again()
    {
        var first = await Post("/sandbox/deposits", Deposit("BTC", "1"), ("Idempotency-Key", "d"));
        // As if the process had died between the chain and the answer.
        await _world.Execute("DELETE FROM idempotency_key");
        Assert.Equal(first.Text, (await Post("/sandbox/deposits", Deposit("BTC", "1"), ("Idempotency-Key", "d"))).Text);
        Assert.Equal(1, (await Get("/sandbox/")).Json.GetProperty("mempool_total").GetInt32());
    }

    [Fact]
    public async Task A_live_account_has_no_sandbox()
    {
        var live = await _world.Account(Mode.Live);
        var key = await live.ApiKey();
        foreach (var (method, path) in new[]
                 {
                     (HttpMethod.Get, "/sandbox/"), (HttpMethod.Post, "/sandbox/deposits"), (HttpMethod.Post, "/sandbox/blocks"),
                     (HttpMethod.Post, "/sandbox/reorg"),
                 })
        {
            var got = await _world.Send(method, path, method == HttpMethod.Get ? null : "{}", ("X-API-Key", key));
            Assert.Equal((403, "forbidden"), (got.Status, got.ErrorCode));
        }

        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM simulated_operation"));
    }

    [Theory]
    [InlineData("/sandbox/deposits", """{"currency":"BTC","amount":"1"}""", "invalid_request")]
    [InlineData("/sandbox/deposits", """{"wallet_id":"WALLET","currency":"NOPE","amount":"1"}""", "invalid_currency")]
    [InlineData("/sandbox/deposits", """{"wallet_id":"WALLET","currency":"BTC","amount":"0"}""", "invalid_amount")]
    [InlineData("/sandbox/deposits", """{"wallet_id":"WALLET","currency":"BTC","amount":"1.123456789"}""", "invalid_amount")]
    [InlineData("/sandbox/deposits", """{"wallet_id":"WALLET","currency":"BTC","amount":"-1"}""", "invalid_amount")]
    [InlineData("/sandbox/deposits", """{"wallet_id":"WALLET","currency":"BTC","amount":"1","more":1}""", "invalid_request")]
    [InlineData("/sandbox/deposits", """{"wallet_id":"550e8400-e29b-41d4-a716-446655440000","currency":"BTC","amount":"1"}""", "not_found")]
    [InlineData("/sandbox/blocks", """{"count":0}""", "invalid_request")]
    [InlineData("/sandbox/blocks", """{"count":1001}""", "invalid_request")]
    [InlineData("/sandbox/blocks", """{"count":"x"}""", "invalid_request")]
    [InlineData("/sandbox/blocks", """[1]""", "invalid_request")]
    [InlineData("/sandbox/reorg", """{"depth":0}""", "invalid_request")]
    [InlineData("/sandbox/reorg", """{"depth":1}""", "invalid_request")]
    [InlineData("/sandbox/reorg", """{"depth":1,"return":"maybe"}""", "invalid_request")]
    public async Task What_makes_no_sense_is_refused_and_moves_nothing(string path, string body, string code)
    {
        var got = await Post(path, body.Replace("WALLET", _account.DefaultWallet.ToString()));
        Assert.Equal((code == "not_found" ? 404 : 400, code), (got.Status, got.ErrorCode));
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM simulated_operation"));
    }

    private string Deposit(string currency, string amount) =>
        JsonSerializer.Serialize(new { wallet_id = _account.DefaultWallet.ToString(), currency, amount });

    private Task<Got> Post(string path, string body, params (string, string)[] more) =>
        _world.Send(HttpMethod.Post, path, body, [("X-API-Key", _key), .. more]);

    private Task<Got> Get(string path) => _world.Send(HttpMethod.Get, path, null, ("X-API-Key", _key));

    /// <summary>amount/pendingAmount of a currency as the wallet's balance says it; empty when it is not listed.</summary>
    private async Task<string> Balance(string currency)
    {
        var got = await Get($"/wallets/balances?wallet_id={_account.DefaultWallet}");
        var line = got.Json.GetProperty("result").GetProperty("balances").EnumerateArray()
            .FirstOrDefault(line => line.GetProperty("currency").GetString() == currency);
        return line.ValueKind == JsonValueKind.Undefined
            ? ""
            : $"{line.GetProperty("amount").GetString()}/{line.GetProperty("pendingAmount").GetString()}";
    }
}
