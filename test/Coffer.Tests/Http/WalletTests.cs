using Coffer.Server.Wallets;

namespace Coffer.Tests.Http;

public sealed class WalletTests(TestCluster cluster)
{
    private static readonly HttpMethod Get = HttpMethod.Get, Post = HttpMethod.Post, Patch = HttpMethod.Patch;
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wallet_is_made_shown_renamed_and_listed_with_golden_bodies()
    {
        var clock = new FakeTime(new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero));
        await using var world = await World.Start(cluster, time: clock);
        var key = ("X-API-Key", await (await world.Account()).ApiKey());
        var made = await world.Send(Post, "/wallets", """{"name":"Trading \"Wallet\" €"}""", key);
        Assert.Equal(201, made.Status);
        var id = made.Json.GetProperty("result").GetProperty("id").GetString()!;
        Assert.Equal($$$"""{"result":{"id":"{{{id}}}","name":"Trading \"Wallet\" €","created_at":"2030-01-15T09:30:00Z"}}""", made.Text);

        clock.Now += TimeSpan.FromHours(1);
        var renamed = await world.Send(Patch, $"/wallets/{id}/", """{"name":"Savings"}""", key);
        var detail = $$$"""{"result":{"id":"{{{id}}}","name":"Savings","created_at":"2030-01-15T09:30:00Z","updated_at":"2030-01-15T10:30:00Z"}}""";
        Assert.Equal((200, detail), (renamed.Status, renamed.Text));
        foreach (var path in new[] { $"/wallets/{id}", $"/wallets/{id}/" })
            Assert.Equal(detail, (await world.Send(Get, path, null, key)).Text);

        var list = await world.Send(Get, "/wallets?limit=1&offset=1", null, key);
        Assert.Equal($$$"""{"result":{"wallets":[{"id":"{{{id}}}","name":"Savings","created_at":"2030-01-15T09:30:00Z"}],"total":2,"limit":1,"offset":1}}""", list.Text);
        Assert.Equal("""{"result":{"wallets":[],"total":2,"limit":10,"offset":7}}""", (await world.Send(Get, "/wallets/?offset=7", null, key)).Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"name":null}""")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"   "}""")]
    [InlineData("""{"name":7}""")]
    [InlineData("""{"name":["a"]}""")]
    [InlineData("""{"name":"a\u0000b"}""")]
    [InlineData("""{"name":"a\nb"}""")]
    [InlineData("""{"name":"\ud800"}""")]
    [InlineData("""{"name":"a","name":"b"}""")]
    [InlineData("""{"name":"a","colour":"red"}""")]
    [InlineData("""{"name":"a"}{}""")]
    [InlineData("""["name"]""")]
    [InlineData("name=a")]
    public async Task A_bad_name_is_400_and_changes_nothing(string body)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = ("X-API-Key", await account.ApiKey());
        foreach (var (method, path) in new[] { (Post, "/wallets"), (Patch, $"/wallets/{account.DefaultWallet}") })
        {
            var got = await world.Send(method, path, body, key);
            Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
            Assert.NotEmpty(got.Json.GetProperty("error").GetProperty("details").EnumerateObject());
        }

        Assert.Equal("Default Wallet", await world.Query<string>("SELECT string_agg(name, ',') FROM wallet"));
    }

    [Fact]
    public async Task A_name_has_at_most_100_characters_and_a_body_64_KiB()
    {
        await using var world = await World.Start(cluster);
        var key = ("X-API-Key", await (await world.Account()).ApiKey());
        Assert.Equal(201, (await world.Send(Post, "/wallets", $$"""{"name":"{{new string('x', 100)}}"}""", key)).Status);
        Assert.Equal(400, (await world.Send(Post, "/wallets", $$"""{"name":"{{new string('x', 101)}}"}""", key)).Status);
        Assert.Equal(413, (await world.Send(Post, "/wallets", $$"""{"name":"{{new string('x', 70_000)}}"}""", key)).Status);
    }

    [Theory]
    [InlineData("/wallets?limit=0", "limit")]
    [InlineData("/wallets?limit=101", "limit")]
    [InlineData("/wallets?limit=", "limit")]
    [InlineData("/wallets?limit=1e1", "limit")]
    [InlineData("/wallets?limit=5&limit=5", "limit")]
    [InlineData("/wallets?offset=-1", "offset")]
    [InlineData("/wallets?offset=99999999999", "offset")]
    [InlineData("/wallets?page=2", "page")]
    [InlineData("/wallets/default", "wallet_id")]
    [InlineData("/wallets/550e8400e29b41d4a716446655440000", "wallet_id")]
    [InlineData("/wallets/550e8400-e29b-41d4-a716-446655440000?x=1", "x")]
    public async Task A_bad_parameter_is_400_and_is_named(string path, string name)
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(Get, path, null, ("X-API-Key", await (await world.Account()).ApiKey()));
        Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
        Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(name, out _));
    }

    [Fact]
    public async Task Another_accounts_wallet_answers_as_a_random_id_does_and_stays_as_it_is()
    {
        await using var world = await World.Start(cluster);
        var (mine, other) = (await world.Account(), await world.Account());
        var third = await world.Account();
        Assert.Equal(mine.Account.Shard, third.Account.Shard);
        var key = ("X-API-Key", await mine.ApiKey());
        foreach (var (method, body) in new[] { (Get, null), (Patch, """{"name":"Mine now"}""") })
        {
            var answers = new List<string>();
            foreach (var id in new[] { other.DefaultWallet.Value, third.DefaultWallet.Value, world.Ids.New() })
            {
                var got = await world.Send(method, $"/wallets/{id}", body, key);
                Assert.Equal((404, "not_found"), (got.Status, got.ErrorCode));
                answers.Add(got.Text.Replace(got.Header("Request-Id")!, "", StringComparison.Ordinal));
            }

            Assert.Single(answers.Distinct());
        }

        Assert.Equal(0L, await world.Query<long>("SELECT count(*) FROM wallet WHERE name <> 'Default Wallet'"));
    }

    [Fact]
    public async Task A_credential_that_is_limited_to_wallets_sees_only_those_and_makes_none()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (seen, hidden) = (await account.Wallet("Seen"), await account.Wallet("Hidden"));
        var key = ("X-API-Key", await account.ApiKey(wallets: [seen.Value]));
        Assert.Equal(200, (await world.Send(Get, $"/wallets/{seen}", null, key)).Status);
        Assert.Equal(404, (await world.Send(Get, $"/wallets/{hidden}", null, key)).Status);
        Assert.Equal(404, (await world.Send(Patch, $"/wallets/{hidden}", """{"name":"x"}""", key)).Status);
        var list = (await world.Send(Get, "/wallets", null, key)).Json.GetProperty("result");
        Assert.Equal(1, list.GetProperty("total").GetInt32());
        Assert.Equal("Seen", Assert.Single(list.GetProperty("wallets").EnumerateArray()).GetProperty("name").GetString());
        var made = await world.Send(Post, "/wallets", """{"name":"x"}""", key);
        Assert.Equal((403, "forbidden"), (made.Status, made.ErrorCode));
    }

    [Fact]
    public async Task Wallets_beyond_the_limit_are_refused_also_when_many_ask_at_once()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await world.Execute("""
            INSERT INTO wallet (shard, account_id, id, name, is_default, created_at, updated_at)
            SELECT $1, $2, gen_random_uuid(), 'w', false, now(), now() FROM generate_series(1, $3)
            """, account.Account.Shard, account.Id.Value, Wallet.CountMax - 4);
        var key = ("X-API-Key", await account.ApiKey());
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => world.Send(Post, "/wallets", """{"name":"x"}""", key)));
        Assert.Equal(3, answers.Count(a => a.Status == 201));
        Assert.All(answers.Where(a => a.Status != 201), a => Assert.Equal((422, "limit_exceeded"), (a.Status, a.ErrorCode)));
    }

    [Fact]
    public async Task An_account_is_made_with_its_default_wallet_on_the_shard_asked_for_or_spread()
    {
        await using var world = await World.Start(cluster);
        var (account, wallet) = await CreateAccount.Run(world.App.Db, world.Ids, world.Time, 2, "Acme", Mode.Live, 1, Ct);
        Assert.Equal((short)1, account.Shard);
        Assert.Equal(wallet, await world.App.Db.FindWallet(account.Id, 1, wallet.Id, Ct) is { } found
            ? found with { CreatedAt = wallet.CreatedAt, UpdatedAt = wallet.UpdatedAt } : null);
        Assert.True(wallet.IsDefault);
        for (var i = 0; i < 40; i++)
            await CreateAccount.Run(world.App.Db, world.Ids, world.Time, 2, "Many", Mode.Test, null, Ct);
        Assert.InRange(await world.Query<long>("SELECT count(*) FROM account WHERE shard = 0"), 5, 35);
        await Assert.ThrowsAsync<Refused>(() => CreateAccount.Run(world.App.Db, world.Ids, world.Time, 2, "x", Mode.Test, 2, Ct));
        await Assert.ThrowsAsync<Refused>(() => CreateAccount.Run(world.App.Db, world.Ids, world.Time, 2, " ", Mode.Test, null, Ct));
    }

    [Fact]
    public async Task Currencies_are_listed_as_the_file_has_them()
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(Get, "/currencies/", null, ("X-API-Key", await (await world.Account()).ApiKey()));
        var usdt = got.Json.GetProperty("currencies").EnumerateArray().Single(c => c.GetProperty("currency").GetString() == "USDTERC20");
        Assert.Equal("""
            {"currency":"USDTERC20","name":"Tether USD","network":"ETH","token":"USDT","decimals":6,
            "contract":"0xdAC17F958D2ee523a2206206994597C13D831ec7","confirmations":12,"finalized":false,"deposit_minimum":"1.000000","deposit_fee":"0.000000",
            "withdrawal_minimum":"10.000000","withdrawal_maximum":null,"withdrawal_day_maximum":null,"withdrawal_fee":"1.000000",
            "withdrawal_fee_per_mille":0,"network_fee":"3.500000","network_fee_max":null}
            """.ReplaceLineEndings(""), usdt.GetRawText());
    }

    [Fact]
    public async Task The_user_is_shown_to_access_tokens_only()
    {
        await using var world = await World.Start(cluster, time: new FakeTime(new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero)));
        var account = await world.Account();
        Assert.Equal(401, (await world.Send(Get, "/user/me/", null, ("X-API-Key", await account.ApiKey()))).Status);
        var got = await world.Send(Get, "/user/me/", null, ("Authorization", "Bearer " + await account.Token(Scopes.Read)));
        Assert.Equal($$$"""
            {"id":"{{{account.Id}}}","name":"Account 1","mode":"test","created_at":"2030-01-15T09:30:00Z","scopes":["read"],
            "limits":{"requests_per_second":1000,"token_requests_per_minute":30,"token_seconds":36000,"wallets_max":10000}}
            """.ReplaceLineEndings(""), got.Text);
    }
}
