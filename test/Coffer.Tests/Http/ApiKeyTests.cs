using System.Text.Json;

namespace Coffer.Tests.Http;

/// <summary>API keys over HTTP: made, listed and revoked with access tokens only, never with more than their maker may.</summary>
public sealed class ApiKeyTests(TestCluster cluster)
{
    private const string Path = "/api-keys";

    [Fact]
    public async Task A_key_is_shown_once_works_is_listed_without_its_secret_and_ends_when_it_is_revoked()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var token = Bearer(await account.Token());
        var made = await world.Send(HttpMethod.Post, Path, """{"name":"till","scopes":["read"]}""", token);
        Assert.Equal(201, made.Status);
        Assert.Equal("no-store", made.Header("Cache-Control"));
        var key = made.Json.GetProperty("key").GetString()!;
        Assert.StartsWith("cfk_test_", key);
        var balances = $"/wallets/balances?wallet_id={account.DefaultWallet}";
        Assert.Equal(200, (await world.Send(HttpMethod.Get, balances, null, Key(key))).Status);

        var listed = await world.Send(HttpMethod.Get, Path, null, token);
        var row = Assert.Single(listed.Json.GetProperty("keys").EnumerateArray());
        Assert.Equal(("till", "read", key[^4..]), (row.GetProperty("name").GetString(), row.GetProperty("scopes")[0].GetString(),
            row.GetProperty("hint").GetString()![^4..]));
        Assert.DoesNotContain(key, listed.Text);
        Assert.Equal(1, listed.Json.GetProperty("total").GetInt32());

        var one = $"{Path}/{made.Json.GetProperty("id").GetString()}";
        Assert.Equal(204, (await world.Send(HttpMethod.Delete, one, null, token)).Status);
        Assert.Equal(401, (await world.Send(HttpMethod.Get, balances, null, Key(key))).Status);
        Assert.Empty((await world.Send(HttpMethod.Get, Path, null, token)).Json.GetProperty("keys").EnumerateArray());
    }

    [Fact]
    public async Task A_key_of_another_account_is_not_found()
    {
        await using var world = await World.Start(cluster);
        var (mine, other) = (await world.Account(), await world.Account());
        var made = await world.Send(HttpMethod.Post, Path, """{"name":"a"}""", Bearer(await other.Token()));
        var id = made.Json.GetProperty("id").GetString();
        var token = Bearer(await mine.Token());
        foreach (var path in new[] { id, Guid.Empty.ToString(), "nonsense" })
        {
            var got = await world.Send(HttpMethod.Delete, $"{Path}/{path}", null, token);
            Assert.Equal((404, "not_found"), (got.Status, got.ErrorCode));
        }

        Assert.False(await world.Query<bool>("SELECT bool_or(revoked_at IS NOT NULL) FROM credential WHERE kind = 1"));
    }

    [Fact]
    public async Task A_key_holds_no_scope_that_its_maker_does_not_hold()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var got = await world.Send(HttpMethod.Post, Path, """{"name":"a","scopes":["read","write"]}""",
            Bearer(await account.Token(Scopes.Write)));
        Assert.Equal((403, "forbidden"), (got.Status, got.ErrorCode));
        Assert.Equal("read", got.Json.GetProperty("error").GetProperty("details").GetProperty("required_scope").GetString());
        Assert.Equal(0L, await world.Query<long>("SELECT count(*) FROM credential WHERE kind = 1"));
    }

    [Fact]
    public async Task A_key_may_only_be_limited_to_wallets_of_its_account()
    {
        await using var world = await World.Start(cluster);
        var (mine, other) = (await world.Account(), await world.Account());
        var token = Bearer(await mine.Token());
        var refused = await world.Send(HttpMethod.Post, Path, $$"""{"name":"a","wallets":["{{other.DefaultWallet}}"]}""", token);
        Assert.Equal((400, "invalid_request"), (refused.Status, refused.ErrorCode));
        var taken = await world.Send(HttpMethod.Post, Path, $$"""{"name":"a","wallets":["{{mine.DefaultWallet}}"]}""", token);
        Assert.Equal(mine.DefaultWallet.ToString(), taken.Json.GetProperty("wallets")[0].GetString());
    }

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":"a","scopes":["admin"]}""", "scopes")]
    [InlineData("""{"name":"a","scopes":[]}""", "scopes")]
    [InlineData("""{"name":"a","permissions":["read"],"scopes":["read"]}""", "permissions")]
    [InlineData("""{"name":"a","wallets":["x"]}""", "wallets")]
    [InlineData("""{"name":"a","wallets":[]}""", "wallets")]
    [InlineData("""{"name":"a","addresses":["10.0.0.1/8"]}""", "addresses")]
    [InlineData("""{"name":"a","expires_at":"2001-01-01T00:00:00Z"}""", "expires_at")]
    [InlineData("""{"name":"a","expires_at":"2099-01-01T00:00:00"}""", "expires_at")]
    [InlineData("""{"name":"a","colour":"red"}""", "colour")]
    public async Task What_is_malformed_is_named_and_makes_no_key(string body, string parameter)
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(HttpMethod.Post, Path, body, Bearer(await (await world.Account()).Token()));
        Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
        Assert.Equal(JsonValueKind.Array, got.Json.GetProperty("error").GetProperty("details").GetProperty(parameter).ValueKind);
        Assert.Equal(0L, await world.Query<long>("SELECT count(*) FROM credential WHERE kind = 1"));
    }

    [Fact]
    public async Task Keys_come_in_pages_newest_first()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var token = Bearer(await account.Token());
        for (var i = 0; i < 3; i++)
            await world.Send(HttpMethod.Post, Path, $$"""{"name":"key {{i}}"}""", token);
        var page = (await world.Send(HttpMethod.Get, Path + "?limit=2&offset=1", null, token)).Json;
        Assert.Equal(["key 1", "key 0"], page.GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("name").GetString()));
        Assert.Equal((3, 2, 1), (page.GetProperty("total").GetInt32(), page.GetProperty("limit").GetInt32(),
            page.GetProperty("offset").GetInt32()));
        var beyond = (await world.Send(HttpMethod.Get, Path + "?offset=9", null, token)).Json;
        Assert.Equal((3, 0), (beyond.GetProperty("total").GetInt32(), beyond.GetProperty("keys").GetArrayLength()));
        Assert.Equal(400, (await world.Send(HttpMethod.Get, Path + "?limit=101", null, token)).Status);
    }

    private static (string, string) Bearer(string token) => ("Authorization", $"Bearer {token}");

    private static (string, string) Key(string key) => ("X-API-Key", key);
}
