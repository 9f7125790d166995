using System.Text.Json;
using Coffer.Chains.Simulated;

namespace Coffer.Tests.Http;

/// <summary>Who gets a deposit address, and for what he sends.</summary>
public sealed class DepositAddressRequestTests(TestCluster cluster) : IAsyncLifetime
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

    [Theory]
    [InlineData("wallet_id", null, "invalid_request")]
    [InlineData("wallet_id", "null", "invalid_request")]
    [InlineData("wallet_id", "\"x\"", "invalid_request")]
    [InlineData("wallet_id", "17", "invalid_request")]
    [InlineData("wallet_id", "\"550e8400-e29b-41d4-a716-446655440000\"", "not_found")]
    [InlineData("currency", null, "invalid_request")]
    [InlineData("currency", "\"NOPE\"", "invalid_currency")]
    [InlineData("currency", "\"\"", "invalid_request")]
    [InlineData("currency", "[\"BTC\"]", "invalid_request")]
    [InlineData("surprise", "1", "invalid_request")]
    public async Task What_makes_no_sense_is_refused_and_uses_no_index(string member, string? value, string code)
    {
        var members = new Dictionary<string, string?> { ["wallet_id"] = $"\"{_account.DefaultWallet}\"", ["currency"] = "\"BTC\"", [member] = value };
        var sent = members.Where(m => m.Value is not null).Select(m => $"\"{m.Key}\":{m.Value}");
        var got = await Post("/wallets/payment", $"{{{string.Join(',', sent)}}}", _key);
        Assert.Equal((code == "not_found" ? 404 : 400, code), (got.Status, got.ErrorCode));
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM address_source"));
    }

    [Fact]
    public async Task Another_accounts_wallet_and_one_that_the_key_may_not_use_are_nobodys()
    {
        var other = await _world.Account();
        var second = await _account.Wallet("second");
        var limited = await _account.ApiKey(wallets: [second.Value]);
        Assert.Equal(404, (await Ask(other.DefaultWallet, _key)).Status);
        Assert.Equal(404, (await Ask(_account.DefaultWallet, limited)).Status);
        Assert.Equal(201, (await Ask(second, limited)).Status);
        Assert.Equal(403, (await Ask(second, await _account.ApiKey(Scopes.Read))).Status);
        Assert.Equal(1L, await _world.Query<long>("SELECT count(*) FROM chain_address"));
    }

    [Fact]
    public async Task Each_request_gets_an_address_of_its_own_and_the_same_key_the_same_one()
    {
        var first = await Ask(_account.DefaultWallet, _key);
        Assert.NotEqual(Address(first), Address(await Ask(_account.DefaultWallet, _key)));
        var kept = await Ask(_account.DefaultWallet, _key, ("Idempotency-Key", "a"));
        var again = await Ask(_account.DefaultWallet, _key, ("Idempotency-Key", "a"));
        Assert.Equal(kept.Text, again.Text);
        Assert.Equal("true", again.Header("Idempotent-Replayed"));
        Assert.Equal(3L, await _world.Query<long>("SELECT count(*) FROM chain_address"));
    }

    [Fact]
    public async Task The_first_address_given_out_stays_watched_when_others_follow()
    {
        var first = Address(await Ask(_account.DefaultWallet, _key));
        for (var i = 0; i < 5; i++)
            await Ask(_account.DefaultWallet, _key);
        await Post("/sandbox/deposits", Deposit(first), _key);
        await Post("/sandbox/blocks", """{"count":3}""", _key);
        Assert.Equal(100_000_000m, await _world.Query<decimal>("SELECT available FROM balance"));
    }

    [Fact]
    public async Task The_sandbox_neither_pays_nor_shows_a_row_that_somebody_changed()
    {
        var given = Address(await Ask(_account.DefaultWallet, _key));
        var thief = SimulatedAddress.Make(_account.Id, _account.DefaultWallet, "BTC", 1_000);
        await _world.Execute("UPDATE chain_address SET address = $1", thief);
        foreach (var body in new[] { Deposit(null), Deposit(thief) })
        {
            var got = await Post("/sandbox/deposits", body, _key);
            Assert.Equal((500, "internal_error"), (got.Status, got.ErrorCode));
            Assert.DoesNotContain(thief, got.Text, StringComparison.Ordinal);
        }

        Assert.Equal(404, (await Post("/sandbox/deposits", Deposit(given), _key)).Status);
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM simulated_operation"));
    }

    private string Deposit(string? address) =>
        JsonSerializer.Serialize(new { wallet_id = _account.DefaultWallet.Value, currency = "BTC", amount = "1", address });

    private Task<Got> Ask(WalletId wallet, string key, params (string, string)[] more) =>
        Post("/wallets/payment", JsonSerializer.Serialize(new { wallet_id = wallet.Value, currency = "BTC" }), key, more);

    private Task<Got> Post(string path, string body, string key, params (string, string)[] more) =>
        _world.Send(HttpMethod.Post, path, body, [("X-API-Key", key), .. more]);

    private static string Address(Got got) => got.Json.GetProperty("address").GetProperty("address").GetString()!;
}
