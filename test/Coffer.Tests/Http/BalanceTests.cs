using System.Globalization;

namespace Coffer.Tests.Http;

/// <summary>The three endpoints of the seeds, byte for byte where the contract leaves no freedom.</summary>
public sealed class BalanceTests(TestCluster cluster)
{
    private static readonly DateTimeOffset _now = new(2025, 1, 15, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_wallet_answers_the_body_of_seed_000()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var wallet = await account.Wallet("Trading Wallet");
        var books = new Books(world, account);
        await books.Deposit(wallet, "USDTTRC20", "1000.50");
        await books.Deposit(wallet, "USDTERC20", "400.75");
        await books.Deposit(wallet, "USDTERC20", "100", confirmed: false);
        await books.Deposit(wallet, "BTC", "0.05");
        var expected = "{\"result\":{\"id\":\"" + wallet + "\",\"name\":\"Trading Wallet\",\"balances\":["
            + "{\"currency\":\"btc\",\"amount\":\"0.05\",\"pendingAmount\":\"0.00\"},"
            + "{\"currency\":\"usdterc20\",\"amount\":\"500.75\",\"pendingAmount\":\"100.00\"},"
            + "{\"currency\":\"usdttrc20\",\"amount\":\"1000.50\",\"pendingAmount\":\"0.00\"}]}}";

        var key = await account.ApiKey(Scopes.Read);
        foreach (var path in (string[])["/wallets/balances", "/wallets/balances/"])
        {
            var byKey = await world.Send(HttpMethod.Get, $"{path}?wallet_id={wallet}", null, ("X-API-Key", key));
            Assert.Equal((200, expected), (byKey.Status, byKey.Text));
            Assert.Equal("private, no-cache", byKey.Header("Cache-Control"));
            Assert.StartsWith("req_", byKey.Header("Request-Id"));
        }

        var byToken = await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={wallet}", null, ("Authorization", $"Bearer {await account.Token(Scopes.Read)}"));
        Assert.Equal((200, expected), (byToken.Status, byToken.Text));
    }

    [Fact]
    public async Task A_wallet_that_nothing_ever_moved_answers_no_balances()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var got = await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={account.DefaultWallet}", null, ("X-API-Key", await account.ApiKey()));
        Assert.Equal("{\"result\":{\"id\":\"" + account.DefaultWallet + "\",\"name\":\"Default Wallet\",\"balances\":[]}}", got.Text);
    }

    [Theory]
    [InlineData("", 400, "invalid_request")]
    [InlineData("?wallet_id=", 400, "invalid_request")]
    [InlineData("?wallet_id=abc", 400, "invalid_request")]
    [InlineData("?wallet_id=550e8400e29b41d4a716446655440000", 400, "invalid_request")]
    [InlineData("?wallet_id=550e8400-e29b-41d4-a716-446655440000&wallet_id=550e8400-e29b-41d4-a716-446655440000", 400, "invalid_request")]
    [InlineData("?wallet_id=550e8400-e29b-41d4-a716-446655440000&walletid=1", 400, "invalid_request")]
    [InlineData("?wallet_id=550e8400-e29b-41d4-a716-446655440000", 404, "not_found")]
    public async Task A_wallet_id_that_is_none_is_refused(string query, int status, string code)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var got = await world.Send(HttpMethod.Get, $"/wallets/balances{query}", null, ("X-API-Key", await account.ApiKey()));
        Assert.Equal((status, code), (got.Status, got.ErrorCode));
        if (status == 400)
            Assert.True(got.Json.GetProperty("error").GetProperty("details").EnumerateObject().Single().Value.GetArrayLength() > 0);
    }

    [Fact]
    public async Task Somebody_elses_wallet_looks_like_nobodys()
    {
        await using var world = await World.Start(cluster);
        var (mine, theirs) = (await world.Account(), await world.Account());
        var key = await mine.ApiKey();
        var foreign = await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={theirs.DefaultWallet}", null, ("X-API-Key", key));
        var nobodys = await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={Guid.CreateVersion7(_now)}", null, ("X-API-Key", key));
        Assert.Equal(404, foreign.Status);
        Assert.Equal(Without(nobodys), Without(foreign));
        var limited = await mine.ApiKey(Scopes.Read, wallets: [(await mine.Wallet("Other")).Value]);
        Assert.Equal(404, (await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={mine.DefaultWallet}", null, ("X-API-Key", limited))).Status);

        static string Without(Got got) => got.Text.Replace(got.Header("Request-Id")!, "");
    }

    [Fact]
    public async Task The_account_answers_the_figures_of_seed_002()
    {
        var time = new FakeTime(_now);
        await using var world = await World.Start(cluster, time: time);
        var account = await world.Account();
        var store = await account.Wallet("Online Store");
        var books = new Books(world, account);
        time.Now = new(2025, 1, 13, 10, 0, 0, TimeSpan.Zero);
        await books.Deposit(account.DefaultWallet, "ETH", "10");
        await books.Withdraw(account.DefaultWallet, "ETH", "4.826543211", "0.05");
        time.Now = new(2025, 1, 14, 15, 20, 0, TimeSpan.Zero);
        await books.Deposit(account.DefaultWallet, "USDCERC20", "5000");
        await books.Withdraw(account.DefaultWallet, "USDCERC20", "2475", "25");
        time.Now = new(2025, 1, 15, 9, 30, 0, TimeSpan.Zero);
        await books.Deposit(account.DefaultWallet, "USDTERC20", "8000");
        await books.Withdraw(account.DefaultWallet, "USDTERC20", "4950", "50");
        await books.Deposit(store, "USDTERC20", "1700");
        await books.Deposit(account.DefaultWallet, "USDTERC20", "300", confirmed: false);
        await books.Request(store, "USDTERC20", "199", "1");
        await books.Transfer(account.DefaultWallet, store, "USDTERC20", "0.000001");
        await books.Transfer(store, account.DefaultWallet, "USDTERC20", "0.000001");
        time.Now = _now;
        await books.Price("USDTERC20", "0.9999");
        await books.Price("USDCERC20", "1.0001");
        await books.Price("ETH", "2345.2584");

        var got = await world.Send(HttpMethod.Get, "/user/balances/", null, ("Authorization", $"Bearer {await account.Token(Scopes.Read)}"));
        var expected = """
            {"balances":[
            {"currency":"ETH","currency_name":"Ethereum","network":"ETH","total_balance":"5.123456789000000000","available_balance":"5.123456789000000000","pending_balance":"0.000000000000000000","total_deposited":"10.000000000000000000","total_withdrawn":"4.876543211000000000","total_fees_paid":"0.050000000000000000","usd_value":"12015.83","last_transaction":"2025-01-13T10:00:00Z","wallets":[{"wallet_id":"DEFAULT","wallet_name":"Default Wallet","balance":"5.123456789000000000","pending":"0.000000000000000000"}]},
            {"currency":"USDCERC20","currency_name":"USD Coin","network":"ETH","total_balance":"2500.000000","available_balance":"2500.000000","pending_balance":"0.000000","total_deposited":"5000.000000","total_withdrawn":"2500.000000","total_fees_paid":"25.000000","usd_value":"2500.25","last_transaction":"2025-01-14T15:20:00Z","wallets":[{"wallet_id":"DEFAULT","wallet_name":"Default Wallet","balance":"2500.000000","pending":"0.000000"}]},
            {"currency":"USDTERC20","currency_name":"Tether USD","network":"ETH","total_balance":"5000.000000","available_balance":"4500.000000","pending_balance":"500.000000","total_deposited":"10000.000000","total_withdrawn":"5000.000000","total_fees_paid":"50.000000","usd_value":"4999.50","last_transaction":"2025-01-15T09:30:00Z","wallets":[{"wallet_id":"DEFAULT","wallet_name":"Default Wallet","balance":"3000.000000","pending":"300.000000"},{"wallet_id":"STORE","wallet_name":"Online Store","balance":"1500.000000","pending":"200.000000"}]}],
            "summary":{"total_usd_value":"19515.58","total_currencies":3,"total_wallets":2,"last_update":"2025-01-15T10:00:00Z"}}
            """.ReplaceLineEndings("").Replace("DEFAULT", account.DefaultWallet.ToString()).Replace("STORE", store.ToString());
        Assert.Equal(expected, got.Text);

        var one = await world.Send(HttpMethod.Get, "/user/balances?currency=usdcerc20", null, ("Authorization", $"Bearer {await account.Token(Scopes.Read)}"));
        Assert.Equal("2500.25", one.Json.GetProperty("summary").GetProperty("total_usd_value").GetString());
        Assert.Equal("2025-01-15T10:00:00Z", one.Json.GetProperty("summary").GetProperty("last_update").GetString());
    }

    [Fact]
    public async Task A_price_that_is_not_known_is_null_and_left_out_of_the_sum()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var books = new Books(world, account);
        await books.Deposit(account.DefaultWallet, "BTC", "1");
        await books.Deposit(account.DefaultWallet, "ETH", "2");
        await books.Price("ETH", "10.005");
        var got = await world.Send(HttpMethod.Get, "/user/balances/", null, ("Authorization", $"Bearer {await account.Token(Scopes.Read)}"));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, got.Json.GetProperty("balances")[0].GetProperty("usd_value").ValueKind);
        Assert.Equal("20.01", got.Json.GetProperty("summary").GetProperty("total_usd_value").GetString());
    }

    [Fact]
    public async Task An_entity_tag_changes_exactly_when_the_body_does()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var books = new Books(world, account);
        await books.Deposit(account.DefaultWallet, "BTC", "1");
        var token = await account.Token(Scopes.Read);
        foreach (var path in (string[])[$"/wallets/balances?wallet_id={account.DefaultWallet}", "/user/balances/", "/user/balances/history/?currency=BTC"])
        {
            var first = await Get(path);
            var tag = first.Header("ETag")!;
            Assert.Matches("^\"[0-9a-f]{32}\"$", tag);
            var again = await Get(path, ("If-None-Match", tag));
            Assert.Equal((304, 0, tag), (again.Status, again.Body.Length, again.Header("ETag")));
            Assert.Equal(304, (await Get(path, ("If-None-Match", $"\"other\", W/{tag}"))).Status);
            Assert.Equal(304, (await Get(path, ("If-None-Match", "*"))).Status);
            await books.Deposit(account.DefaultWallet, "BTC", "1");
            var changed = await Get(path, ("If-None-Match", tag));
            Assert.Equal(200, changed.Status);
            Assert.NotEqual(first.Text, changed.Text);
        }

        Task<Got> Get(string path, params (string, string)[] headers) =>
            world.Send(HttpMethod.Get, path, null, [("Authorization", $"Bearer {token}"), .. headers]);
    }

    [Theory]
    [InlineData("/user/balances?currency=NOPE", "invalid_currency", "currency")]
    [InlineData("/user/balances?currency=BTC&currency=ETH", "invalid_request", "currency")]
    [InlineData("/user/balances?page=1", "invalid_request", "page")]
    [InlineData("/user/balances/history?currency=NOPE", "invalid_currency", "currency")]
    [InlineData("/user/balances/history?period=1d", "invalid_request", "period")]
    [InlineData("/user/balances/history?period=7D", "invalid_request", "period")]
    [InlineData("/user/balances/history?interval=weekly", "invalid_request", "interval")]
    [InlineData("/user/balances/history?interval=daily&interval=daily", "invalid_request", "interval")]
    [InlineData("/user/balances/history?from=2025-01-01", "invalid_request", "from")]
    public async Task A_parameter_that_cannot_be_is_named(string path, string code, string parameter)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var got = await world.Send(HttpMethod.Get, path, null, ("Authorization", $"Bearer {await account.Token(Scopes.Read)}"));
        Assert.Equal((400, code), (got.Status, got.ErrorCode));
        Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(parameter, out _));
    }

    [Fact]
    public async Task History_has_every_bucket_and_its_identities()
    {
        var time = new FakeTime(new(2025, 1, 9, 8, 30, 0, TimeSpan.Zero));
        await using var world = await World.Start(cluster, time: time);
        var account = await world.Account();
        var books = new Books(world, account);
        await books.Deposit(account.DefaultWallet, "USDTERC20", "4200");
        await books.Price("USDTERC20", "0.9999");
        time.Now = new(2025, 1, 10, 12, 0, 0, TimeSpan.Zero);
        await books.Deposit(account.DefaultWallet, "USDTERC20", "600");
        await books.Withdraw(account.DefaultWallet, "USDTERC20", "99", "1");
        time.Now = new(2025, 1, 11, 23, 59, 59, TimeSpan.Zero);
        await books.Deposit(account.DefaultWallet, "USDTERC20", "300");
        await books.Withdraw(account.DefaultWallet, "USDTERC20", "499", "1");
        time.Now = _now;
        await books.Price("USDTERC20", "1");
        var token = await account.Token(Scopes.Read);

        var week = await Get("?currency=usdterc20");
        Assert.Equal(("USDTERC20", "7d", "daily"), (Text(week, "currency"), Text(week, "period"), Text(week, "interval")));
        Assert.Equal(
            [("2025-01-09T00:00:00Z", "4200.000000", "4199.58"), ("2025-01-10T00:00:00Z", "4700.000000", "4699.53"),
                ("2025-01-11T00:00:00Z", "4500.000000", "4499.55"), ("2025-01-12T00:00:00Z", "4500.000000", "4499.55"),
                ("2025-01-13T00:00:00Z", "4500.000000", "4499.55"), ("2025-01-14T00:00:00Z", "4500.000000", "4499.55"),
                ("2025-01-15T00:00:00Z", "4500.000000", "4500.00")],
            week.GetProperty("history").EnumerateArray().Select(row => (Text(row, "timestamp"), Text(row, "balance"), Text(row, "usd_value"))));
        Assert.Equal(
            "{\"starting_balance\":\"0.000000\",\"ending_balance\":\"4500.000000\",\"total_deposits\":\"5100.000000\",\"total_withdrawals\":\"600.000000\","
            + "\"net_change\":\"4500.000000\",\"total_deposit_count\":3,\"total_withdrawal_count\":2,\"average_daily_deposits\":\"728.571429\","
            + "\"average_daily_withdrawals\":\"85.714286\"}", week.GetProperty("summary").GetRawText());

        foreach (var (period, interval, count) in ((string, string, int)[])[("24h", "hourly", 24), ("24h", "daily", 1), ("7d", "hourly", 168), ("30d", "hourly", 720), ("30d", "daily", 30)])
        {
            foreach (var currency in (string[])["&currency=USDTERC20", ""])
            {
                var rows = (await Get($"?period={period}&interval={interval}{currency}")).GetProperty("history").EnumerateArray().ToList();
                Assert.Equal(count, rows.Count);
                var step = interval == "hourly" ? TimeSpan.FromHours(1) : TimeSpan.FromDays(1);
                var times = rows.Select(row => DateTimeOffset.Parse(Text(row, "timestamp"), CultureInfo.InvariantCulture)).ToList();
                Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(step, pair.Second - pair.First));
                Assert.Equal(currency == "" ? "4500.00" : "4500.000000", Text(rows[^1], "balance"));
            }
        }

        Assert.Equal("ALL", Text(await Get("?period=7d"), "currency"));
        Assert.Equal(7, (await Get("?currency=BTC")).GetProperty("history").GetArrayLength());

        async Task<System.Text.Json.JsonElement> Get(string query) =>
            (await world.Send(HttpMethod.Get, $"/user/balances/history/{query}", null, ("Authorization", $"Bearer {token}"))).Json;

        static string Text(System.Text.Json.JsonElement json, string name) => json.GetProperty(name).GetString()!;
    }

    [Fact]
    public async Task A_vanished_deposit_is_taken_out_of_the_bucket_that_had_it()
    {
        var time = new FakeTime(_now);
        await using var world = await World.Start(cluster, time: time);
        var account = await world.Account();
        var books = new Books(world, account);
        var reference = await books.Deposit(account.DefaultWallet, "BTC", "3", at: _now.AddDays(-2));
        await books.Deposit(account.DefaultWallet, "BTC", "1", at: _now.AddDays(7));
        await books.Reverse(account.DefaultWallet, "BTC", reference);
        var got = await world.Send(HttpMethod.Get, "/user/balances/history/?currency=BTC", null, ("Authorization", $"Bearer {await account.Token(Scopes.Read)}"));
        Assert.Equal(["0.00000000", "0.00000000", "0.00000000", "0.00000000", "0.00000000", "0.00000000", "1.00000000"],
            got.Json.GetProperty("history").EnumerateArray().Select(row => row.GetProperty("deposits").GetString()));
        Assert.Equal(1, got.Json.GetProperty("summary").GetProperty("total_deposit_count").GetInt32());
    }
}
