using System.Text.Json;
using Coffer.Ledger;

namespace Coffer.Tests.Http;

public sealed class TransferTests(TestCluster cluster)
{
    private static readonly HttpMethod Post = HttpMethod.Post;

    [Fact]
    public async Task A_transfer_moves_at_once_and_answers_both_balances()
    {
        await using var world = await World.Start(cluster, time: new FakeTime(new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero)));
        var account = await world.Account();
        var trading = await account.Wallet("Trading Wallet");
        await Fund(account, account.DefaultWallet, "USDTERC20", "1000.5");
        var key = ("X-API-Key", await account.ApiKey());
        var got = await world.Send(Post, "/wallets/transfer", $$"""
            {"from_wallet_id":"{{account.DefaultWallet}}","to_wallet_id":"{{trading}}","currency":"usdterc20","amount":"250.25","description":"Daily"}
            """, key);
        Assert.Equal(200, got.Status);
        Assert.Equal($$$"""
            {"transfer":{"id":"{{{Id(got)}}}","wallet_id":"{{{account.DefaultWallet}}}","wallet_name":"Default Wallet",
            "to_wallet_id":"{{{trading}}}","to_wallet_name":"Trading Wallet","currency":"USDTERC20","amount":"250.25","description":"Daily",
            "status":"completed","created_at":"2030-01-15T09:30:00Z"},
            "wallet_balance":{"currency":"USDTERC20","amount":"750.25","pendingAmount":"0.00"},
            "to_wallet_balance":{"currency":"USDTERC20","amount":"250.25","pendingAmount":"0.00"}}
            """.ReplaceLineEndings(""), got.Text);

        var back = await world.Send(Post, "/wallets/transfer/", $$"""{"from_wallet_id":"{{trading}}","currency":"USDTERC20","amount":0.25}""", key);
        Assert.Equal($$$"""
            {"transfer":{"id":"{{{Id(back)}}}","wallet_id":"{{{trading}}}","wallet_name":"Trading Wallet",
            "to_wallet_id":"{{{account.DefaultWallet}}}","to_wallet_name":"Default Wallet","currency":"USDTERC20","amount":"0.25","description":null,
            "status":"completed","created_at":"2030-01-15T09:30:00Z"},
            "wallet_balance":{"currency":"USDTERC20","amount":"250.00","pendingAmount":"0.00"},
            "to_wallet_balance":{"currency":"USDTERC20","amount":"750.50","pendingAmount":"0.00"},
            "main_balance":{"currency":"USDTERC20","amount":"750.50","pendingAmount":"0.00"}}
            """.ReplaceLineEndings(""), back.Text);
    }

    [Theory]
    [InlineData("-1", "invalid_amount")]
    [InlineData("\"-1\"", "invalid_amount")]
    [InlineData("0", "invalid_amount")]
    [InlineData("\"0.000000\"", "invalid_amount")]
    [InlineData("1e3", "invalid_amount")]
    [InlineData("\"1e3\"", "invalid_amount")]
    [InlineData("\"NaN\"", "invalid_amount")]
    [InlineData("\"Infinity\"", "invalid_amount")]
    [InlineData("\" 1\"", "invalid_amount")]
    [InlineData("\"1,5\"", "invalid_amount")]
    [InlineData("\"0x10\"", "invalid_amount")]
    [InlineData("\"\u0661\"", "invalid_amount")]
    [InlineData("\"\"", "invalid_amount")]
    [InlineData("1.0000001", "invalid_amount")]
    [InlineData("\"1.0000000\"", "invalid_amount")]
    [InlineData("\"100000000000000000000000000000000\"", "invalid_amount")]
    [InlineData("123456789012345678901234567890123456789", "invalid_amount")]
    [InlineData("NaN", "invalid_request")]
    [InlineData("true", "invalid_request")]
    [InlineData("[1]", "invalid_request")]
    [InlineData("null", "invalid_request")]
    public async Task A_bad_amount_is_400_and_moves_nothing(string amount, string code)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var to = await account.Wallet("Other");
        await Fund(account, account.DefaultWallet, "USDTERC20", "1000");
        var got = await world.Send(Post, "/wallets/transfer",
            $$"""{"from_wallet_id":"{{account.DefaultWallet}}","to_wallet_id":"{{to}}","currency":"USDTERC20","amount":{{amount}}}""",
            ("X-API-Key", await account.ApiKey()));
        Assert.Equal((400, code), (got.Status, got.ErrorCode));
        if (code == "invalid_amount")
            Assert.Equal(JsonValueKind.Array, got.Json.GetProperty("error").GetProperty("details").GetProperty("amount").ValueKind);
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Theory]
    [InlineData("""{"to_wallet_id":"$to","currency":"ETH","amount":"1"}""", "invalid_request", "from_wallet_id")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$to","amount":"1"}""", "invalid_request", "currency")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$to","currency":"ETH"}""", "invalid_request", "amount")]
    [InlineData("""{"from_wallet_id":"x","to_wallet_id":"$to","currency":"ETH","amount":"1"}""", "invalid_request", "from_wallet_id")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"x","currency":"ETH","amount":"1"}""", "invalid_request", "to_wallet_id")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$from","currency":"ETH","amount":"1"}""", "invalid_request", "to_wallet_id")]
    [InlineData("""{"from_wallet_id":"$from","currency":"ETH","amount":"1"}""", "invalid_request", "to_wallet_id")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$to","currency":"XYZ","amount":"1"}""", "invalid_currency", "currency")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$to","currency":7,"amount":"1"}""", "invalid_request", "currency")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$to","currency":"ETH","amount":"1","fee":"1"}""", "invalid_request", "fee")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$to","currency":"ETH","amount":"1","description":""}""", "invalid_request", "description")]
    [InlineData("""{"from_wallet_id":"$from","to_wallet_id":"$to","currency":"ETH","amount":"1","amount":"2"}""", "invalid_request", "body")]
    [InlineData("", "invalid_request", "from_wallet_id")]
    [InlineData("[]", "invalid_request", "body")]
    [InlineData("{", "invalid_request", "body")]
    public async Task A_bad_member_is_400_and_is_named(string body, string code, string name)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var to = await account.Wallet("Other");
        await Fund(account, account.DefaultWallet, "ETH", "5");
        var got = await world.Send(Post, "/wallets/transfer",
            body.Replace("$from", $"{account.DefaultWallet}", StringComparison.Ordinal).Replace("$to", $"{to}", StringComparison.Ordinal),
            ("X-API-Key", await account.ApiKey()));
        Assert.Equal((400, code), (got.Status, got.ErrorCode));
        Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(name, out _));
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task What_available_does_not_cover_is_422_with_the_exact_figures()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var to = await account.Wallet("Other");
        await Fund(account, account.DefaultWallet, "ETH", "1.000000000000000001");
        var got = await world.Send(Post, "/wallets/transfer",
            $$"""{"from_wallet_id":"{{account.DefaultWallet}}","to_wallet_id":"{{to}}","currency":"ETH","amount":1.000000000000000002}""",
            ("X-API-Key", await account.ApiKey()));
        Assert.Equal((422, "insufficient_balance"), (got.Status, got.ErrorCode));
        Assert.Equal("""{"available":"1.000000000000000001","required":"1.000000000000000002","currency":"ETH"}""",
            got.Json.GetProperty("error").GetProperty("details").GetRawText());
    }

    [Fact]
    public async Task Wallets_of_others_and_of_nobody_answer_alike_at_either_end()
    {
        await using var world = await World.Start(cluster);
        var (mine, same, third) = (await world.Account(), await world.Account(), await world.Account());
        await Fund(mine, mine.DefaultWallet, "ETH", "5");
        await Fund(third, third.DefaultWallet, "ETH", "5");
        var key = ("X-API-Key", await mine.ApiKey());
        var answers = new List<string>();
        foreach (var id in new[] { same.DefaultWallet.Value, third.DefaultWallet.Value, world.Ids.New() })
        {
            foreach (var (from, to) in new[] { (id, mine.DefaultWallet.Value), (mine.DefaultWallet.Value, id) })
            {
                var got = await world.Send(Post, "/wallets/transfer",
                    $$"""{"from_wallet_id":"{{from}}","to_wallet_id":"{{to}}","currency":"ETH","amount":"1"}""", key);
                Assert.Equal(404, got.Status);
                answers.Add(got.Text.Replace(got.Header("Request-Id")!, "", StringComparison.Ordinal));
            }
        }

        Assert.Single(answers.Distinct());
        Assert.Equal(2L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task A_credential_moves_money_only_between_its_wallets_and_only_with_write()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (a, b) = (await account.Wallet("A"), await account.Wallet("B"));
        await Fund(account, a, "ETH", "5");
        var limited = ("X-API-Key", await account.ApiKey(wallets: [a.Value, b.Value]));
        string Body(WalletId from, WalletId? to) =>
            $$"""{"from_wallet_id":"{{from}}",{{(to is null ? "" : $"\"to_wallet_id\":\"{to}\",")}}"currency":"ETH","amount":"1"}""";
        Assert.Equal(200, (await world.Send(Post, "/wallets/transfer", Body(a, b), limited)).Status);
        Assert.Equal(404, (await world.Send(Post, "/wallets/transfer", Body(a, account.DefaultWallet), limited)).Status);
        Assert.Equal(404, (await world.Send(Post, "/wallets/transfer", Body(account.DefaultWallet, a), limited)).Status);
        var unnamed = await world.Send(Post, "/wallets/transfer", Body(a, null), limited);
        Assert.Equal((400, "invalid_request"), (unnamed.Status, unnamed.ErrorCode));
        var read = await world.Send(Post, "/wallets/transfer", Body(a, b), ("X-API-Key", await account.ApiKey(Scopes.Read)));
        Assert.Equal((403, "forbidden"), (read.Status, read.ErrorCode));
        Assert.Equal(401, (await world.Send(Post, "/wallets/transfer", Body(a, b))).Status);
        Assert.Equal(3L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task The_same_key_moves_once_also_when_twenty_ask_at_once_and_another_body_is_422()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var to = await account.Wallet("Other");
        await Fund(account, account.DefaultWallet, "ETH", "5");
        var key = ("X-API-Key", await account.ApiKey());
        var once = ("Idempotency-Key", "order-17");
        string Body(string amount) => $$"""{"from_wallet_id":"{{account.DefaultWallet}}","to_wallet_id":"{{to}}","currency":"ETH","amount":"{{amount}}"}""";
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.Send(Post, "/wallets/transfer", Body("1"), key, once)));
        var done = answers.Where(a => a.Status == 200).ToList();
        Assert.All(answers.Where(a => a.Status != 200), a => Assert.Equal((409, "idempotency_in_flight"), (a.Status, a.ErrorCode)));
        Assert.Single(done.Select(Id).Distinct());
        Assert.Single(done, a => a.Header("Idempotent-Replayed") is null);
        var again = await world.Send(Post, "/wallets/transfer", Body("1"), key, once);
        Assert.Equal((200, "true", Id(done[0])), (again.Status, again.Header("Idempotent-Replayed"), Id(again)));
        var other = await world.Send(Post, "/wallets/transfer", Body("2"), key, once);
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.ErrorCode));

        // Long after, when the key is forgotten, the ledger still knows the reference.
        await world.Execute("DELETE FROM idempotency_key");
        var late = await world.Send(Post, "/wallets/transfer", Body("1"), key, once);
        Assert.Equal((200, "true", Id(done[0])), (late.Status, late.Header("Idempotent-Replayed"), Id(late)));
        var reused = await world.Send(Post, "/wallets/transfer", Body("2"), key, once);
        Assert.Equal((422, "idempotency_key_reused"), (reused.Status, reused.ErrorCode));
        Assert.Equal(3L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task A_key_that_is_too_long_is_400_and_moves_nothing()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var to = await account.Wallet("Other");
        await Fund(account, account.DefaultWallet, "ETH", "5");
        var got = await world.Send(Post, "/wallets/transfer",
            $$"""{"from_wallet_id":"{{account.DefaultWallet}}","to_wallet_id":"{{to}}","currency":"ETH","amount":"1"}""",
            ("X-API-Key", await account.ApiKey()), ("Idempotency-Key", new string('k', 256)));
        Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task Of_200_parallel_transfers_of_7_from_1000_exactly_142_succeed()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var to = await account.Wallet("Other");
        await Fund(account, account.DefaultWallet, "USDTERC20", "1000");
        var key = ("X-API-Key", await account.ApiKey());
        var body = $$"""{"from_wallet_id":"{{account.DefaultWallet}}","to_wallet_id":"{{to}}","currency":"USDTERC20","amount":"7"}""";
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => world.Send(Post, "/wallets/transfer", body, key)));
        var done = answers.Where(a => a.Status == 200).ToList();
        Assert.Equal(142, done.Count);
        // Each answer is the state right after its own transfer: 142 different remainders, every sum 1,000.
        Assert.Equal(Enumerable.Range(1, 142).Select(n => 1000 - (7 * n)), done.Select(a => Total(a, "wallet_balance")).OrderDescending());
        Assert.All(done, a => Assert.Equal(1000, Total(a, "wallet_balance") + Total(a, "to_wallet_balance")));
        foreach (var no in answers.Where(a => a.Status != 200))
        {
            Assert.Equal((422, "insufficient_balance"), (no.Status, no.ErrorCode));
            Assert.Equal("""{"available":"6.00","required":"7.00","currency":"USDTERC20"}""",
                no.Json.GetProperty("error").GetProperty("details").GetRawText());
        }

        Assert.Equal("6000000|994000000", await world.Query<string>("SELECT string_agg(available::text, '|' ORDER BY available) FROM balance"));
    }

    internal static async Task<Movement> Fund(TestAccount account, WalletId wallet, string code, string amount)
    {
        var currency = account.World.App.Currencies.Find(code);
        Assert.True(Amount.TryParse(amount, currency.Decimals, out var units, out _));
        return (await account.World.App.Ledger.Write(account.Account.Shard, new Correct(account.Id, wallet, currency,
            Reference.Of($"test:{account.World.Ids.New()}"), units, null, "Funds for a test"))).Accepted();
    }

    private static string Id(Got got) => got.Json.GetProperty("transfer").GetProperty("id").GetString()!;

    private static int Total(Got got, string member) =>
        int.Parse(got.Json.GetProperty(member).GetProperty("amount").GetString()![..^3], System.Globalization.CultureInfo.InvariantCulture);
}
