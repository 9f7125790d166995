using System.Text;
using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Tests.Http;

/// <summary>The authorization server: RFC 6749 client credentials, RFC 7009, RFC 7662, RFC 8414.</summary>
public sealed class OAuthTests(TestCluster cluster)
{
    private const string Token = "/o/token/", Revoke = "/o/revoke_token/", Introspect = "/o/introspect/";
    private static readonly (string, string) _grant = ("grant_type", "client_credentials");

    [Theory]
    [InlineData(true, "/o/token/")]
    [InlineData(false, "/o/token")]
    public async Task A_client_gets_a_token_that_works_by_Basic_and_by_form(bool basic, string path)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var client = await account.Client();
        var got = basic
            ? await world.Form(path, client, _grant)
            : await world.Form(path, null, _grant, ("client_id", client.Id), ("client_secret", client.Secret));
        Assert.Equal(200, got.Status);
        Assert.Equal(("Bearer", 36_000, "read write"), (got.Json.GetProperty("token_type").GetString(),
            got.Json.GetProperty("expires_in").GetInt32(), got.Json.GetProperty("scope").GetString()));
        Assert.Equal("no-store", got.Header("Cache-Control"));
        Assert.StartsWith("application/json", got.Header("Content-Type"));
        Assert.Equal(200, (await Use(world, AccessToken(got))).Status);
    }

    [Theory]
    [InlineData("read", Scopes.Read | Scopes.Write, "read")]
    [InlineData("write read", Scopes.Read | Scopes.Write, "read write")]
    [InlineData("", Scopes.Read, "read")]
    [InlineData("write", Scopes.Read, null)]
    [InlineData("read write", Scopes.Read, null)]
    [InlineData("read  write", Scopes.Read | Scopes.Write, null)]
    [InlineData("admin", Scopes.Read | Scopes.Write, null)]
    public async Task A_token_holds_what_was_asked_for_within_what_the_client_may(string asked, Scopes may, string? given)
    {
        await using var world = await World.Start(cluster);
        var got = await world.Form(Token, await (await world.Account()).Client(may), _grant, ("scope", asked));
        if (given is null)
            Assert.Equal((400, "invalid_scope"), (got.Status, Error(got)));
        else
            Assert.Equal((200, given), (got.Status, got.Json.GetProperty("scope").GetString()));
    }

    [Fact]
    public async Task A_wrong_client_is_401_invalid_client_with_a_challenge_whatever_is_wrong_about_it()
    {
        await using var world = await World.Start(cluster);
        var (mine, other) = (await (await world.Account()).Client(), await (await world.Account()).Client());
        var revoked = await world.Account();
        var gone = await revoked.Client();
        await world.App.Issue.RevokeClient(revoked.Id, gone.Id, CancellationToken.None);
        var answers = new List<Got>
        {
            await world.Form(Token, null, _grant),
            await world.Form(Token, mine with { Secret = other.Secret }, _grant),
            await world.Form(Token, mine with { Id = Guid.Empty.ToString() }, _grant),
            await world.Form(Token, mine with { Secret = mine.Secret[..^1] + (mine.Secret[^1] == 'a' ? 'b' : 'a') }, _grant),
            await world.Form(Token, mine with { Id = new string('x', 2_000) }, _grant),
            await world.Form(Token, gone, _grant),
            await world.Form(Token, null, _grant, ("client_id", mine.Id), ("client_secret", "x")),
            await world.Form(Introspect, mine with { Secret = other.Secret }, ("token", "x")),
            await world.Form(Revoke, mine with { Secret = other.Secret }, ("token", "x")),
        };
        Assert.All(answers, got =>
        {
            Assert.Equal((401, "invalid_client"), (got.Status, Error(got)));
            Assert.StartsWith("Basic", got.Header("WWW-Authenticate"));
            Assert.Equal("no-store", got.Header("Cache-Control"));
        });
    }

    [Fact]
    public async Task A_malformed_request_is_400_in_the_form_of_the_RFC()
    {
        await using var world = await World.Start(cluster);
        var client = await (await world.Account()).Client();
        var json = new HttpRequestMessage(HttpMethod.Post, Token) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        var broken = new HttpRequestMessage(HttpMethod.Post, Token)
        {
            Content = new StringContent("grant_type=%zz", Encoding.UTF8, "application/x-www-form-urlencoded"),
        };
        var answers = new (Got Got, string Error)[]
        {
            (await world.Form(Token, client), "invalid_request"),
            (await world.Form(Token, client, ("grant_type", "")), "invalid_request"),
            (await world.Form(Token, client, ("grant_type", "password")), "unsupported_grant_type"),
            (await world.Form(Token, client, _grant, _grant), "invalid_request"),
            (await world.Form(Token, client, _grant, ("client_secret", client.Secret)), "invalid_request"),
            (await world.Form(Token, client, _grant, ("client_id", "another")), "invalid_request"),
            (await world.Form(Token + "?grant_type=client_credentials", client), "invalid_request"),
            (await world.Form(Revoke, client), "invalid_request"),
            (await world.Form(Introspect, client), "invalid_request"),
            (await world.Send(json), "invalid_request"),
            (await world.Send(broken), "invalid_request"),
        };
        Assert.All(answers, answer => Assert.Equal((400, answer.Error), (answer.Got.Status, Error(answer.Got))));
    }

    [Fact]
    public async Task What_the_framework_refuses_under_o_has_the_form_of_the_RFC_too()
    {
        await using var world = await World.Start(cluster);
        var large = new HttpRequestMessage(HttpMethod.Post, Token)
        {
            Content = new StringContent(new string('a', Input.BodyBytesMax + 1), Encoding.UTF8, "application/x-www-form-urlencoded"),
        };
        foreach (var (got, status) in new[]
        {
            (await world.Send(HttpMethod.Get, Token), 405),
            (await world.Send(HttpMethod.Get, "/o/nothing"), 404),
            (await world.Send(large), 413),
        })
        {
            Assert.Equal((status, "invalid_request"), (got.Status, Error(got)));
            Assert.NotNull(got.Header("Request-Id"));
        }
    }

    [Fact]
    public async Task A_revoked_token_fails_on_the_next_call_and_an_unknown_one_is_200()
    {
        await using var world = await World.Start(cluster);
        var client = await (await world.Account()).Client();
        var token = AccessToken(await world.Form(Token, client, _grant));
        Assert.Equal(200, (await Use(world, token)).Status);
        foreach (var unknown in new[] { "nonsense", client.Secret, token[..^1] })
            Assert.Equal(200, (await world.Form(Revoke, client, ("token", unknown))).Status);
        Assert.Equal(200, (await Use(world, token)).Status);
        for (var i = 0; i < 2; i++)
            Assert.Equal(200, (await world.Form(Revoke, client, ("token", token), ("token_type_hint", "refresh_token"))).Status);
        var refused = await Use(world, token);
        Assert.Equal((401, "unauthorized"), (refused.Status, refused.ErrorCode));
        Assert.Contains("error=\"invalid_token\"", refused.Header("WWW-Authenticate"));
    }

    [Fact]
    public async Task Introspection_tells_a_client_of_its_own_active_tokens_and_of_others_only_that()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (client, other) = (await account.Client(), await account.Client());
        var token = AccessToken(await world.Form(Token, client, _grant, ("scope", "read")));
        var active = (await world.Form(Introspect, client, ("token", token))).Json;
        Assert.Equal((true, "read", client.Id, "Bearer", account.Id.ToString()), (active.GetProperty("active").GetBoolean(),
            active.GetProperty("scope").GetString(), active.GetProperty("client_id").GetString(),
            active.GetProperty("token_type").GetString(),
            active.GetProperty("sub").GetString()));
        Assert.Equal(36_000, active.GetProperty("exp").GetInt64() - active.GetProperty("iat").GetInt64());

        const string inactive = """{"active":false}""";
        Assert.Equal(inactive, (await world.Form(Introspect, other, ("token", token))).Text);
        Assert.Equal(inactive, (await world.Form(Introspect, client, ("token", await account.ApiKey()))).Text);
        Assert.Equal(inactive, (await world.Form(Introspect, client, ("token", "nonsense"))).Text);
        await world.Execute("UPDATE credential SET expires_at = now() WHERE kind = 2");
        Assert.Equal(inactive, (await world.Form(Introspect, client, ("token", token))).Text);
    }

    [Fact]
    public async Task A_token_of_another_client_is_not_revoked()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (client, other) = (await account.Client(), await account.Client());
        var token = AccessToken(await world.Form(Token, client, _grant));
        var got = await world.Form(Revoke, other, ("token", token));
        Assert.Equal((400, "invalid_grant"), (got.Status, Error(got)));
        Assert.Equal(200, (await Use(world, token)).Status);
    }

    [Fact]
    public async Task Revoking_a_client_ends_its_tokens()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var client = await account.Client();
        var token = AccessToken(await world.Form(Token, client, _grant));
        Assert.True(await world.App.Issue.RevokeClient(account.Id, client.Id, CancellationToken.None));
        Assert.Equal(401, (await Use(world, token)).Status);
        Assert.False(await world.App.Issue.RevokeClient((await world.Account()).Id, client.Id, CancellationToken.None));
    }

    [Fact]
    public async Task Requests_for_tokens_are_limited_per_client()
    {
        await using var world = await World.Start(cluster, new Settings { TokenRequestsPerMinute = 3 });
        var account = await world.Account();
        var (client, other) = (await account.Client(), await account.Client());
        for (var i = 0; i < 3; i++)
            Assert.Equal(200, (await world.Form(Token, client, _grant)).Status);
        var got = await world.Form(Token, client, _grant);
        Assert.Equal(429, got.Status);
        Assert.InRange(int.Parse(got.Header("Retry-After")!), 1, 20);
        Assert.Equal("\"client\";q=3;w=60", got.Header("RateLimit-Policy"));
        Assert.Equal(200, (await world.Form(Token, other, _grant)).Status);
    }

    [Fact]
    public async Task Inventing_client_ids_gives_no_more_tries()
    {
        await using var world = await World.Start(cluster, new Settings { TokenRequestsPerMinute = 1 });
        var statuses = new List<int>();
        for (var i = 0; i < 12; i++)
            statuses.Add((await world.Form(Token, new TestClient($"client {i}", "x"), _grant)).Status);
        Assert.Equal([401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 429, 429], statuses);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(null, "localhost")]
    [InlineData("https://pay.example.com/", null)]
    public async Task The_metadata_document_names_the_issuer_that_was_asked(string? publicUrl, string? host)
    {
        await using var world = await World.Start(cluster, new Settings { PublicUrl = publicUrl });
        var address = host is null ? world.App.BaseUrl : world.App.BaseUrl.Replace("127.0.0.1", host);
        var issuer = publicUrl?.TrimEnd('/') ?? address;
        var got = await world.Send(new HttpRequestMessage(HttpMethod.Get, "/.well-known/oauth-authorization-server")
        {
            Headers = { Host = new Uri(address).Authority },
        });
        Assert.Equal((issuer, issuer + Token, issuer + Revoke, issuer + Introspect), (got.Json.GetProperty("issuer").GetString(),
            got.Json.GetProperty("token_endpoint").GetString(), got.Json.GetProperty("revocation_endpoint").GetString(),
            got.Json.GetProperty("introspection_endpoint").GetString()));
        Assert.Equal(JsonValueKind.Array, got.Json.GetProperty("response_types_supported").ValueKind);
    }

    [Fact]
    public async Task The_metadata_document_repeats_no_foreign_name()
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(new HttpRequestMessage(HttpMethod.Get, "/.well-known/oauth-authorization-server")
        {
            Headers = { Host = "evil.example" },
        });
        Assert.Equal(world.App.BaseUrl, got.Json.GetProperty("issuer").GetString());
    }

    [Fact]
    public async Task Expired_tokens_are_deleted_and_others_stay()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (client, key) = (await account.Client(), await account.ApiKey());
        await world.Form(Token, client, _grant);
        await world.Execute("UPDATE credential SET expires_at = now() - interval '2 days'");
        var token = AccessToken(await world.Form(Token, client, _grant));
        await world.App.Issue.DeleteExpiredTokens(CancellationToken.None);
        Assert.Equal(200, (await Use(world, token)).Status);
        Assert.Equal(2L, await world.Query<long>("SELECT count(*) FROM credential"));
        Assert.NotEmpty(key);
    }

    private static string AccessToken(Got got) => got.Json.GetProperty("access_token").GetString()!;

    private static string Error(Got got)
    {
        Assert.StartsWith("application/json", got.Header("Content-Type"));
        Assert.NotEmpty(got.Json.GetProperty("error_description").GetString()!);
        return got.Json.GetProperty("error").GetString()!;
    }

    private static Task<Got> Use(World world, string token) =>
        world.Send(HttpMethod.Get, "/user/balances/", null, ("Authorization", $"Bearer {token}"));
}
