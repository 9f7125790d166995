using System.Text.Json;
using Coffer.Chains.Simulated;
using Coffer.Tests.Ledger;
using Npgsql;

namespace Coffer.Tests.Http;

/// <summary>One request, one withdrawal, one answer: Idempotency-Key and custom_id, on one server and on two.</summary>
public sealed class WithdrawalKeyTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly string Payee =
        SimulatedAddress.Make(new AccountId(new Guid(1, 2, 3, new byte[8])), new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", 0);

    private World _world = null!;
    private World _second = null!;
    private TestAccount _account = null!;
    private string _key = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _second = await World.StartOn(_world.Database);
        _account = await _world.Account();
        _key = await _account.ApiKey();
        await Post(_world, "/sandbox/deposits", JsonSerializer.Serialize(
            new { wallet_id = _account.DefaultWallet.ToString(), currency = "USDTERC20", amount = "1000" }));
        await Post(_world, "/sandbox/blocks", """{"count":12}""");
    }

    public async ValueTask DisposeAsync()
    {
        await _second.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task Fifty_equal_requests_at_once_on_two_servers_are_one_withdrawal_with_one_answer()
    {
        for (var round = 0; round < 3; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Withdraw(i % 2 == 0 ? _world : _second, "10", $"k{round}")));
            Assert.All(answers, got => Assert.Equal(201, got.Status));
            Assert.Single(answers.Select(got => got.Text).Distinct());
            Assert.Equal(49, answers.Count(got => got.Header("Idempotent-Replayed") == "true"));
        }

        Assert.Equal(3L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
        Assert.Equal("1000.00/43.50", await Balance());
    }

    [Fact]
    public async Task A_replay_says_for_ever_what_the_first_answer_said_whatever_happened_since()
    {
        var first = await Withdraw(_world, "10", "k");
        await _world.FinishWithdrawals(_key);
        Assert.Equal("completed", (await _world.Send(HttpMethod.Get, $"/withdrawal/{Id(first)}", null, ("X-API-Key", _key))).Json.GetProperty("status").GetString());
        // The keys of other requests are forgotten after some days; these are not.
        await _world.Execute("DELETE FROM idempotency_key");
        var again = await Withdraw(_second, "10", "k");
        Assert.Equal((201, first.Text, "true"), (again.Status, again.Text, again.Header("Idempotent-Replayed")));
    }

    [Theory]
    [InlineData("30", "")]
    [InlineData("20", ", \"custom_id\":\"c\"")]
    [InlineData("20", ", \"final_amount\":false")]
    [InlineData("20", ", \"callback_url\":\"https://example.com\"")]
    public async Task Another_request_under_a_key_is_refused(string amount, string more)
    {
        await Withdraw(_world, "20", "k");
        var got = await Withdraw(_second, amount, "k", more);
        Assert.Equal((422, "idempotency_key_reused"), (got.Status, got.ErrorCode));
        // The same request in other words is the same request.
        Assert.Equal(201, (await Withdraw(_second, "20.00", "k", ", \"final_amount\" : true")).Status);
        Assert.Equal("1000.00/24.50", await Balance());
    }

    [Fact]
    public async Task Different_requests_under_one_key_at_once_are_one_withdrawal()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Withdraw(i % 2 == 0 ? _world : _second, $"{10 + (i % 4)}", "k")));
        Assert.Equal(10, answers.Count(got => got.Status == 201));
        Assert.All(answers.Where(got => got.Status != 201), got => Assert.Equal("idempotency_key_reused", got.ErrorCode));
        Assert.Equal(1L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
    }

    [Fact]
    public async Task A_refused_request_has_not_used_its_key()
    {
        Assert.Equal("insufficient_balance", (await Withdraw(_world, "5000", "k")).ErrorCode);
        Assert.Equal("invalid_amount", (await Withdraw(_world, "-1", "k")).ErrorCode);
        Assert.Equal(201, (await Withdraw(_world, "10", "k")).Status);
    }

    [Fact]
    public async Task One_custom_id_on_two_servers_at_once_is_one_withdrawal()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Withdraw(i % 2 == 0 ? _world : _second, "10", $"k{i}", ", \"custom_id\":\"x\"")));
        Assert.Equal(1, answers.Count(got => got.Status == 201));
        Assert.All(answers.Where(got => got.Status != 201), got => Assert.Equal((409, "conflict"), (got.Status, got.ErrorCode)));
        Assert.Equal("1000.00/14.50", await Balance());
    }

    [Fact]
    public async Task Two_hundred_at_once_on_two_servers_never_overdraw()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Withdraw(i % 2 == 0 ? _world : _second, "10", null)));
        Assert.Equal(68, answers.Count(got => got.Status == 201));
        Assert.All(answers.Where(got => got.Status != 201), got => Assert.Equal("insufficient_balance", got.ErrorCode));
        Assert.Equal("1000.00/986.00", await Balance());
        Assert.Equal(68L, await _world.Query<long>("SELECT count(*) FROM withdrawal w JOIN movement m USING (shard, account_id, id)"));
    }

    [Fact]
    public async Task A_lost_reply_to_the_commit_is_neither_a_second_withdrawal_nor_an_error()
    {
        using var proxy = new FireProxy(new NpgsqlConnectionStringBuilder(_world.Database).Host!);
        await using var behind = await World.StartOn(new NpgsqlConnectionStringBuilder(_world.Database) { Host = proxy.Host }.ConnectionString);
        for (var i = 0; i < 10; i++)
        {
            proxy.LoseReplies(1);
            var got = await Withdraw(behind, "10", i % 2 == 0 ? $"k{i}" : null);
            Assert.Equal((201, "pending"), (got.Status, got.Json.GetProperty("status").GetString()));
        }

        Assert.True(proxy.Lost >= 8, $"{proxy.Lost} replies were lost");
        Assert.Equal(10L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
        Assert.Equal("1000.00/145.00", await Balance());
    }

    [Fact]
    public async Task Another_accounts_keys_are_its_own()
    {
        var other = await _world.Account();
        var key = await other.ApiKey();
        await Post(_world, "/sandbox/deposits", JsonSerializer.Serialize(
            new { wallet_id = other.DefaultWallet.ToString(), currency = "USDTERC20", amount = "100" }), key);
        await Post(_world, "/sandbox/blocks", """{"count":12}""", key);
        var mine = await Withdraw(_world, "10", "k", ", \"custom_id\":\"c\"");
        var theirs = await Post(_world, "/withdrawal/", Body("20", ", \"custom_id\":\"c\""), key, ("Idempotency-Key", "k"));
        Assert.Equal((201, 201), (mine.Status, theirs.Status));
        Assert.NotEqual(Id(mine), Id(theirs));
    }

    [Fact]
    public async Task Who_asked_is_written_down()
    {
        var client = await _account.Client();
        var token = (await _world.Form("/o/token/", client, ("grant_type", "client_credentials"))).Json.GetProperty("access_token").GetString();
        await _world.Send(HttpMethod.Post, "/withdrawal/", Body("10", ""), ("Authorization", $"Bearer {token}"));
        await Withdraw(_world, "11", null);
        Assert.Equal($"client:{client.Id}", await _world.Query<string>("SELECT requested_by FROM withdrawal WHERE amount = 10000000"));
        Assert.Equal(await _world.Query<string>("SELECT 'key:' || id FROM credential WHERE kind = 1"),
            await _world.Query<string>("SELECT requested_by FROM withdrawal WHERE amount = 11000000"));
    }

    [Fact]
    public async Task What_is_wrong_with_a_request_is_told_only_to_who_may_make_it()
    {
        var readOnly = await _account.ApiKey(Scopes.Read);
        foreach (var body in new[] { "{", "[]", """{"amount":"-1"}""", Body("10", "") })
        {
            Assert.Equal(403, (await Post(_world, "/withdrawal/", body, readOnly)).Status);
            Assert.Equal(401, (await Post(_world, "/withdrawal/", body, readOnly[..^1] + (readOnly[^1] == 'a' ? 'b' : 'a'))).Status);
        }

        Assert.Equal(400, (await Post(_world, "/withdrawal/", "{", _key)).Status);
        Assert.Equal(400, (await Post(_world, "/withdrawal/", Body("10", ""), _key, ("Idempotency-Key", "\"open"))).Status);
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
    }

    private static string Body(string amount, string more) =>
        $$"""{"amount":"{{amount}}","currency":"usdterc20","address":"{{Payee}}"{{more}}}""";

    private static string Id(Got got) => got.Json.GetProperty("id").GetString()!;

    private Task<Got> Withdraw(World world, string amount, string? key, string more = "") =>
        Post(world, "/withdrawal/", Body(amount, more), _key, key is null ? [] : [("Idempotency-Key", key)]);

    private Task<Got> Post(World world, string path, string body, string? apiKey = null, params (string, string)[] more) =>
        world.Send(HttpMethod.Post, path, body, [("X-API-Key", apiKey ?? _key), .. more]);

    private async Task<string> Balance()
    {
        var got = await _world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={_account.DefaultWallet}", null, ("X-API-Key", _key));
        var line = got.Json.GetProperty("result").GetProperty("balances")[0];
        return $"{line.GetProperty("amount").GetString()}/{line.GetProperty("pendingAmount").GetString()}";
    }
}
