using System.Text.Json;
using Coffer.Chains.Simulated;

namespace Coffer.Tests.Http;

public sealed class WithdrawalTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly string Payee =
        SimulatedAddress.Make(new AccountId(new Guid(1, 2, 3, new byte[8])), new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", 0);

    private World _world = null!;
    private TestAccount _account = null!;
    private string _key = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _account = await _world.Account();
        _key = await _account.ApiKey();
        await Post("/sandbox/deposits", JsonSerializer.Serialize(
            new { wallet_id = _account.DefaultWallet.ToString(), currency = "USDTERC20", amount = "1000" }));
        await Post("/sandbox/blocks", """{"count":12}""");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_withdrawal_is_held_at_once_and_leaves_when_the_chain_has_confirmed_it()
    {
        var created = await Withdraw("100", more: """, "callback_url":"https://example.com/hook" """);
        Assert.Equal(201, created.Status);
        var json = created.Json;
        Assert.Equal(("pending", "100.00", "3.50", "1.00", "4.50", "104.50", "ETH", "USDT"), (Text(json, "status"), Text(json, "amount"),
            Text(json, "network_fee"), Text(json, "transaction_fee"), Text(json, "total_fee"), Text(json, "total_deducted"),
            Text(json, "blockchain"), Text(json, "token")));
        Assert.Equal(_account.DefaultWallet.ToString(), Text(json, "account_id"));
        Assert.Equal("https://example.com/hook", Text(json, "callback_url"));
        Assert.Equal("1000.00/104.50", await Balance());

        var path = $"/withdrawal/{Text(json, "id")}/";
        await Post("/sandbox/blocks", """{"count":11}""");
        Assert.Equal("confirmed", Text((await Get(path)).Json, "status"));
        Assert.Equal("1000.00/104.50", await Balance());
        await Post("/sandbox/blocks", """{"count":1}""");
        var done = (await Get(path)).Json;
        Assert.Equal("completed", Text(done, "status"));
        Assert.Matches("^[0-9a-f]{64}$", Text(done, "transaction_hash"));
        Assert.Equal("895.50/0.00", await Balance());
    }

    [Fact]
    public async Task The_worker_sends_what_was_accepted_without_being_asked()
    {
        var id = Text((await Withdraw("100")).Json, "id");
        for (var i = 0; i < 200 && Text((await Get($"/withdrawal/{id}")).Json, "status") != "submitted"; i++)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal("submitted", Text((await Get($"/withdrawal/{id}")).Json, "status"));
        Assert.Equal(1, (await Get("/sandbox")).Json.GetProperty("mempool_total").GetInt32());
    }

    [Fact]
    public async Task Fees_come_on_top_unless_the_amount_is_said_not_to_be_final()
    {
        var within = await Withdraw("100", more: ", \"final_amount\":false");
        Assert.Equal(("95.50", "100.00"), (Text(within.Json, "amount"), Text(within.Json, "total_deducted")));
        var onTop = await Withdraw("100", more: ", \"final_amount\":true");
        Assert.Equal(("100.00", "104.50"), (Text(onTop.Json, "amount"), Text(onTop.Json, "total_deducted")));
    }

    [Fact]
    public async Task More_than_is_available_with_its_fees_is_refused_and_leaves_nothing_behind()
    {
        var got = await Withdraw("996", more: ", \"custom_id\":\"c\"");
        Assert.Equal((422, "insufficient_balance"), (got.Status, got.ErrorCode));
        var details = got.Json.GetProperty("error").GetProperty("details");
        Assert.Equal(("1000.00", "1000.50"), (Text(details, "available"), Text(details, "required")));
        Assert.Equal("USDTERC20", Text(details, "currency"));
        Assert.Equal("1000.00/0.00", await Balance());
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
        // What was refused has not used up the custom_id.
        Assert.Equal(201, (await Withdraw("995.5", more: ", \"custom_id\":\"c\"")).Status);
    }

    [Fact]
    public async Task Two_hundred_at_once_never_overdraw()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Withdraw("10")));
        // 14.50 each: 68 times in 1000.
        Assert.Equal(68, answers.Count(got => got.Status == 201));
        Assert.All(answers.Where(got => got.Status != 201), got => Assert.Equal("insufficient_balance", got.ErrorCode));
        Assert.Equal("1000.00/986.00", await Balance());
        await _world.FinishWithdrawals(_key);
        Assert.Equal("14.00/0.00", await Balance());
        Assert.Equal(68L, await _world.Query<long>("SELECT count(DISTINCT tx_id) FROM withdrawal WHERE state = 6"));
    }

    [Fact]
    public async Task A_custom_id_is_one_withdrawal_for_ever()
    {
        Assert.Equal(201, (await Withdraw("10", more: ", \"custom_id\":\"order 1\"")).Status);
        foreach (var amount in new[] { "10", "20" })
        {
            var again = await Withdraw(amount, more: ", \"custom_id\":\"order 1\"");
            Assert.Equal((409, "conflict"), (again.Status, again.ErrorCode));
        }

        await _world.FinishWithdrawals(_key);
        Assert.Equal(409, (await Withdraw("10", more: ", \"custom_id\":\"order 1\"")).Status);
        Assert.Equal(1L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
        var found = await Get("/withdrawal/?custom_id=order%201");
        Assert.Equal(1, found.Json.GetProperty("total").GetInt32());
        Assert.Equal("985.50/0.00", await Balance());
    }

    [Fact]
    public async Task Fifty_at_once_with_one_custom_id_are_one_withdrawal()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Withdraw("10", more: ", \"custom_id\":\"x\"")));
        Assert.Equal(1, answers.Count(got => got.Status == 201));
        Assert.All(answers.Where(got => got.Status != 201), got => Assert.Equal(409, got.Status));
        Assert.Equal("1000.00/14.50", await Balance());
    }

    [Theory]
    [InlineData("")]
    [InlineData(", \"custom_id\":\"order 2\"")]
    public async Task The_same_idempotency_key_is_the_same_withdrawal_also_when_its_answer_was_lost(string more)
    {
        var first = await Withdraw("10", more: more, headers: ("Idempotency-Key", "k"));
        var replayed = await Withdraw("10", more: more, headers: ("Idempotency-Key", "k"));
        Assert.Equal((201, first.Text, "true"), (replayed.Status, replayed.Text, replayed.Header("Idempotent-Replayed")));
        // As if the process had died between the ledger and the answer.
        await _world.Execute("DELETE FROM idempotency_key");
        var again = await Withdraw("10", more: more, headers: ("Idempotency-Key", "k"));
        Assert.Equal((201, Text(first.Json, "id")), (again.Status, Text(again.Json, "id")));
        Assert.Equal("1000.00/14.50", await Balance());
    }

    [Fact]
    public async Task A_live_account_is_told_that_no_live_chain_is_there_and_nothing_is_reserved()
    {
        var live = await _world.Account(Mode.Live);
        var key = await live.ApiKey();
        var got = await _world.Send(HttpMethod.Post, "/withdrawal/", Body("10", ""), ("X-API-Key", key));
        Assert.Equal((503, "service_unavailable"), (got.Status, got.ErrorCode));
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
    }

    [Fact]
    public async Task Another_accounts_withdrawal_or_wallet_is_nobodys()
    {
        var id = Text((await Withdraw("10")).Json, "id");
        var other = await _world.Account();
        var key = await other.ApiKey();
        Assert.Equal(404, (await _world.Send(HttpMethod.Get, $"/withdrawal/{id}/", null, ("X-API-Key", key))).Status);
        Assert.Equal(0, (await _world.Send(HttpMethod.Get, "/withdrawal/", null, ("X-API-Key", key))).Json.GetProperty("total").GetInt32());
        Assert.Equal(404, (await Withdraw("10", more: $", \"account_id\":\"{other.DefaultWallet}\"")).Status);
        var second = await _account.Wallet("second");
        var limited = await _account.ApiKey(wallets: [second.Value]);
        Assert.Equal(404, (await _world.Send(HttpMethod.Get, $"/withdrawal/{id}/", null, ("X-API-Key", limited))).Status);
        Assert.Equal(404, (await _world.Send(HttpMethod.Post, "/withdrawal/", Body("10", ""), ("X-API-Key", limited))).Status);
        Assert.Equal("1000.00/14.50", await Balance());
    }

    [Fact]
    public async Task The_list_is_newest_first_with_filters_and_pages()
    {
        for (var i = 0; i < 3; i++)
            await Withdraw($"{10 + i}");
        await _world.FinishWithdrawals(_key);
        await Withdraw("13");
        Assert.Equal(["13.00", "12.00"], Amounts(await Get("/withdrawal/?limit=2")));
        Assert.Equal(["11.00", "10.00"], Amounts(await Get("/withdrawal/?limit=2&offset=2")));
        Assert.Equal(["12.00", "11.00", "10.00"], Amounts(await Get("/withdrawal/?status=completed")));
        Assert.Empty(Amounts(await Get("/withdrawal/?currency=btc")));
        Assert.Equal(400, (await Get("/withdrawal/?status=lost")).Status);
        Assert.Equal(400, (await Get("/withdrawal/?limit=101")).Status);
        Assert.Equal(4, (await Get("/withdrawal/?currency=usdterc20")).Json.GetProperty("total").GetInt32());
        Assert.Equal(404, (await Get("/withdrawal/no-uuid/")).Status);
    }

    [Theory]
    [InlineData("amount", "\"0\"", "invalid_amount")]
    [InlineData("amount", "\"9.99\"", "invalid_amount")]
    [InlineData("amount", "\"-10\"", "invalid_amount")]
    [InlineData("amount", "1e3", "invalid_amount")]
    [InlineData("amount", "\"10.0000001\"", "invalid_amount")]
    [InlineData("amount", "\"999999999999999999999999999999999999999\"", "invalid_amount")]
    [InlineData("currency", "\"NOPE\"", "invalid_currency")]
    [InlineData("address", "\"0xdAC17F958D2ee523a2206206994597C13D831ec7\"", "invalid_address")]
    [InlineData("address", "null", "invalid_request")]
    [InlineData("account_id", "\"x\"", "invalid_request")]
    [InlineData("custom_id", "\"\"", "invalid_request")]
    [InlineData("callback_url", "\"javascript:alert(1)\"", "invalid_request")]
    [InlineData("final_amount", "\"perhaps\"", "invalid_request")]
    [InlineData("surprise", "1", "invalid_request")]
    public async Task What_makes_no_sense_is_refused_and_reserves_nothing(string member, string value, string code)
    {
        var members = new Dictionary<string, string>
        {
            ["amount"] = "\"10\"",
            ["currency"] = "\"USDTERC20\"",
            ["address"] = $"\"{Payee}\"",
            [member] = value,
        };
        var got = await Post("/withdrawal/", $"{{{string.Join(',', members.Select(m => $"\"{m.Key}\":{m.Value}"))}}}");
        Assert.Equal((400, code), (got.Status, got.ErrorCode));
        Assert.Equal("1000.00/0.00", await Balance());
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM withdrawal"));
    }

    private static string Body(string amount, string more) =>
        $$"""{"amount":"{{amount}}","currency":"usdterc20","address":"{{Payee}}"{{more}}}""";

    private Task<Got> Withdraw(string amount, string more = "", params (string, string)[] headers) =>
        Post("/withdrawal/", Body(amount, more), headers);

    private Task<Got> Post(string path, string body, params (string, string)[] more) =>
        _world.Send(HttpMethod.Post, path, body, [("X-API-Key", _key), .. more]);

    private Task<Got> Get(string path) => _world.Send(HttpMethod.Get, path, null, ("X-API-Key", _key));

    private async Task<string> Balance()
    {
        var got = await Get($"/wallets/balances?wallet_id={_account.DefaultWallet}");
        var line = got.Json.GetProperty("result").GetProperty("balances")[0];
        return $"{Text(line, "amount")}/{Text(line, "pendingAmount")}";
    }

    private static string[] Amounts(Got got) =>
        [.. got.Json.GetProperty("withdrawals").EnumerateArray().Select(line => Text(line, "amount"))];

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
