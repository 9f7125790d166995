using System.Text.Json;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Http;

/// <summary>Where is my deposit? For the customer over HTTP, for the operator on the command line.</summary>
public sealed class DepositTests(TestCluster cluster) : IAsyncLifetime
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
    public async Task A_deposit_is_explained_from_the_mempool_to_its_credit_and_through_a_reorg()
    {
        var txId = await Pay("USDTERC20", "12.50");
        Assert.Equal("mempool", (await Line(txId)).GetProperty("status").GetString());
        await Post("/sandbox/blocks", """{"count":5}""");
        var line = await Line(txId.ToUpperInvariant());
        Assert.Equal($$"""
            {"status":"confirming","message":"Seen in block 1; it has 5 of 12 confirmations and counts as incoming until then.",
            "what_to_do":"Wait for the confirmations.","blockchain":"sim:{{_account.Id}}","wallet_id":"{{_account.DefaultWallet}}",
            "address":"{{line.GetProperty("address").GetString()}}","currency":"USDTERC20",
            "contract":"0xdAC17F958D2ee523a2206206994597C13D831ec7","amount":"12.50","height":1,"confirmations":5,
            "required_confirmations":12}
            """.ReplaceLineEndings(""), line.GetRawText());
        await Post("/sandbox/blocks", """{"count":7}""");
        Assert.Equal("credited", (await Line(txId)).GetProperty("status").GetString());
        await Post("/sandbox/reorg", """{"depth":12}""");
        Assert.Equal("orphaned", (await Line(txId)).GetProperty("status").GetString());

        var told = await Binary.Run("deposit", "explain", txId, "--json", "--database", _world.Database);
        Assert.True(told.Status == 0, told.Error);
        var found = told.Json.GetProperty("transactions")[0];
        Assert.Equal($"sim:{_account.Id}", found.GetProperty("chain").GetString());
        Assert.Equal("orphaned", found.GetProperty("deposits")[0].GetProperty("status").GetString());
        Assert.Equal(_account.Id.ToString(), found.GetProperty("deposits")[0].GetProperty("account_id").GetString());
    }

    [Fact]
    public async Task A_deposit_below_the_minimum_says_so()
    {
        var txId = await Pay("USDTERC20", "0.5");
        await Post("/sandbox/blocks", """{"count":1}""");
        var line = await Line(txId);
        Assert.Equal(("below_minimum", "0.50"), (line.GetProperty("status").GetString(), line.GetProperty("amount").GetString()));
        var text = await Binary.Run("deposit", "explain", txId, "--chain", $"sim:{_account.Id}", "--database", _world.Database);
        Assert.Equal((0, ""), (text.Status, text.Error));
        Assert.Contains("below_minimum: Seen in block 1 and kept, but not credited: it is below the currency's minimum.", text.Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_strangers_deposit_is_answered_exactly_as_one_that_nobody_has_seen()
    {
        var txId = await Pay("BTC", "1");
        await Post("/sandbox/blocks", """{"count":3}""");
        var other = await _world.Account();
        var live = await _world.Account(Mode.Live);
        var limited = await _account.ApiKey(wallets: [(await _account.Wallet("Other")).Value]);
        foreach (var key in new[] { await other.ApiKey(), await live.ApiKey(), limited })
        {
            var theirs = await Ask(txId, key);
            var nobodys = await Ask(new string('0', 64), key);
            Assert.Equal(200, theirs.Status);
            Assert.Equal(nobodys.Text.Replace(new string('0', 64), txId, StringComparison.Ordinal), theirs.Text);
            Assert.Equal("not_seen", theirs.Json.GetProperty("status").GetString());
        }
    }

    [Theory]
    [InlineData("xyz")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0x0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")]
    public async Task What_is_no_transaction_id_is_refused(string text)
    {
        var got = await Ask(text, _key);
        Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
        Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty("txid", out _));
    }

    [Fact]
    public async Task A_missing_deposit_is_found_by_a_rescan_beside_the_server_and_a_second_one_changes_nothing()
    {
        var txId = await Pay("BTC", "1");
        await Post("/sandbox/blocks", """{"count":3}""");
        await Pay("BTC", "2");
        await Post("/sandbox/blocks", """{"count":3}""");
        // As if a node had not told: the row is gone and so is what it gave.
        var second = await Pay("BTC", "4");
        await Post("/sandbox/blocks", """{"count":2}""");
        await _world.Execute("DELETE FROM chain_deposit WHERE tx_id = $1", second);
        Assert.Equal("missed", (await Line(second)).GetProperty("status").GetString());

        string[] rescan = ["chain", "rescan", "--chain", $"sim:{_account.Id}", "--from", "0", "--json", "--database", _world.Database];
        var done = await Binary.Run(rescan);
        Assert.True(done.Status == 0, done.Error);
        Assert.Equal((9, 3, 1), (done.Json.GetProperty("blocks").GetInt32(), done.Json.GetProperty("payments").GetInt32(),
            done.Json.GetProperty("added").GetInt32()));
        Assert.Equal("confirming", (await Line(second)).GetProperty("status").GetString());
        Assert.Equal(0, (await Binary.Run(rescan)).Json.GetProperty("added").GetInt32());
        await Post("/sandbox/blocks", """{"count":1}""");
        Assert.Equal("credited", (await Line(txId)).GetProperty("status").GetString());
        var balance = await _world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={_account.DefaultWallet}", null, ("X-API-Key", _key));
        Assert.Contains("\"amount\":\"7.00\"", balance.Text, StringComparison.Ordinal);

        var above = await Binary.Run("chain", "rescan", "--chain", $"sim:{_account.Id}", "--from", "100", "--database", _world.Database);
        Assert.Equal(1, above.Status);
        Assert.Contains("is followed up to block 9", above.Error, StringComparison.Ordinal);
    }

    private async Task<string> Pay(string currency, string amount)
    {
        var body = JsonSerializer.Serialize(new { wallet_id = _account.DefaultWallet.ToString(), currency, amount });
        return (await Post("/sandbox/deposits", body)).Json.GetProperty("txid").GetString()!;
    }

    private Task<Got> Post(string path, string body) => _world.Send(HttpMethod.Post, path, body, ("X-API-Key", _key));

    private Task<Got> Ask(string txId, string key) => _world.Send(HttpMethod.Get, $"/deposits/{txId}", null, ("X-API-Key", key));

    private async Task<JsonElement> Line(string txId)
    {
        var got = await Ask(txId, _key);
        Assert.Equal("seen", got.Json.GetProperty("status").GetString());
        return Assert.Single(got.Json.GetProperty("deposits").EnumerateArray());
    }
}
