using System.Net;
using Coffer.Server.Auth;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Coffer.Tests.Http;

/// <summary>Who may call: the judgement on values, and every bad credential over HTTP.</summary>
public sealed class AuthTests(TestCluster cluster)
{
    private static readonly DateTimeOffset _now = new(2026, 1, 15, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_valid_credential_becomes_the_caller_of_its_account()
    {
        var row = Row();
        Assert.Null(Credentials.Judge(row, Presented(), null, _now, out var caller));
        Assert.Equal((row.Account, row.Shard, row.Id), (caller!.Account, caller.Shard, caller.Credential));
    }

    [Fact]
    public void A_credential_that_is_unknown_revoked_expired_or_of_the_other_mode_is_401()
    {
        CredentialRow?[] rows =
        [
            null, Row() with { RevokedAt = _now.UtcDateTime }, Row() with { ExpiresAt = _now.UtcDateTime }, Row() with { Mode = Mode.Live },
        ];
        Assert.All(rows, row =>
        {
            Assert.Equal(RefusalCode.Unauthorized, Credentials.Judge(row, Presented(), null, _now, out var caller)!.Code);
            Assert.Null(caller);
        });
    }

    [Fact]
    public void A_credential_that_expires_later_is_valid()
    {
        Assert.Null(Credentials.Judge(Row() with { ExpiresAt = _now.AddSeconds(1).UtcDateTime }, Presented(), null, _now, out _));
    }

    [Fact]
    public void A_missing_scope_is_403_and_names_it()
    {
        var refusal = Credentials.Judge(Row() with { Scopes = Scopes.Read }, Presented(new Access(Scopes.Write)), null, _now, out _)!;
        Assert.Equal(RefusalCode.Forbidden, refusal.Code);
        Assert.Equal("write", refusal.Details!["required_scope"]);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("10.0.0.0/8", "10.200.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.2.3.4", true)]
    [InlineData("::ffff:10.2.3.4", "10.2.3.4", true)]
    [InlineData("2001:db8::/32", "2001:db8:1::5", true)]
    [InlineData("2001:db8::/32", "2001:db9::5", false)]
    [InlineData("2001:DB8::0:1", "2001:db8::1", true)]
    [InlineData("fe80::1", "fe80::1%3", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    public void An_address_list_is_held_against_the_client(string entry, string client, bool allowed)
    {
        var row = Row() with { Addresses = ["192.0.2.1", ClientAddress.Normal(entry)!] };
        Assert.Equal(allowed, Credentials.Judge(row, Presented(), IPAddress.Parse(client), _now, out _) is null);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/")]
    [InlineData("127.1")]
    [InlineData("0x7f000001")]
    [InlineData("[::1]")]
    [InlineData("fe80::1%3")]
    [InlineData("example.com")]
    public void What_is_no_address_or_block_is_not_taken_into_a_list(string entry) => Assert.Null(ClientAddress.Normal(entry));

    [Fact]
    public async Task Every_route_says_once_who_may_call_it()
    {
        await using var world = await World.Start(cluster);
        Assert.NotEmpty(world.App.Endpoints);
        Assert.All(world.App.Endpoints, route => Assert.Single(route.Metadata.GetOrderedMetadata<Access>()));
    }

    [Fact]
    public void A_server_with_a_route_that_does_not_say_who_may_call_it_does_not_start()
    {
        var route = new RouteEndpointBuilder(_ => Task.CompletedTask, RoutePatternFactory.Parse("/open"), 0);
        Assert.Throws<InvalidOperationException>(() => Authenticate.Check([route.Build()]));
        route.Metadata.Add(new Access(Scopes.Read));
        Authenticate.Check([route.Build()]);
        route.Metadata.Add(new Access(Scopes.None));
        Assert.Throws<InvalidOperationException>(() => Authenticate.Check([route.Build()]));
    }

    [Fact]
    public async Task Every_route_that_is_not_public_refuses_who_has_no_credential()
    {
        await using var world = await World.Start(cluster);
        foreach (var route in world.App.Endpoints.OfType<RouteEndpoint>()
            .Where(r => r.Metadata.GetMetadata<Access>()!.Scope != Scopes.None))
        {
            foreach (var method in route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods)
            {
                var path = "/" + string.Join('/', route.RoutePattern.PathSegments
                    .Select(s => s.Parts[0] is RoutePatternLiteralPart p ? p.Content : "x"));
                var got = await world.Send(new HttpMethod(method), path);
                Assert.Equal((401, "unauthorized"), (got.Status, got.ErrorCode));
                var challenge = got.Header("WWW-Authenticate")!;
                Assert.StartsWith("Bearer realm=", challenge);
                Assert.DoesNotContain("error=", challenge);
            }
        }
    }

    [Fact]
    public async Task A_bad_credential_is_401_with_the_challenge_that_belongs_to_it_also_where_the_route_asks_itself()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (key, token) = (await account.ApiKey(), await account.Token());
        var revoked = await account.ApiKey();
        await world.Execute("UPDATE credential SET revoked_at = now() WHERE hash = $1", Authenticate.Hash(revoked));
        var expired = await account.ApiKey(expiresAt: world.Time.GetUtcNow().AddMilliseconds(1));
        var elsewhere = await account.ApiKey(addresses: ["192.0.2.0/24"]);
        var otherMode = await account.ApiKey();
        await world.Execute("UPDATE credential SET mode = 0 WHERE hash = $1", Authenticate.Hash(otherMode));
        var unknown = SecretText.Make(SecretKind.ApiKeyTest, new byte[32]);
        await Task.Delay(5, TestContext.Current.CancellationToken);
        var cases = new (string Name, string Value, bool IsToken)[]
        {
            ("X-API-Key", unknown, false), ("X-API-Key", revoked, false), ("X-API-Key", expired, false), ("X-API-Key", elsewhere, false),
            ("X-API-Key", otherMode, false), ("X-API-Key", key[..^1], false), ("X-API-Key", "", false), ("X-API-Key", token, false),
            ("X-API-Key", Mistyped(key), false), ("X-API-Key", new string('x', 5_000), false),
            ("Authorization", "Bearer " + SecretText.Make(SecretKind.AccessToken, new byte[32]), true),
            ("Authorization", "Bearer " + key, true), ("Authorization", "Bearer " + Mistyped(token), true),
            ("Authorization", "Bearer ", false), ("Authorization", "Basic " + token, false),
            ("Authorization", token, false),
        };
        foreach (var path in new[] { $"/wallets/balances?wallet_id={account.DefaultWallet}", "/user/balances/" })
        {
            foreach (var (name, value, isToken) in cases)
            {
                var got = await world.Send(HttpMethod.Get, path, null, (name, value));
                Assert.Equal((path, name, value, 401, "unauthorized"), (path, name, value, got.Status, got.ErrorCode));
                Assert.Equal(isToken, got.Header("WWW-Authenticate")!.Contains("error=\"invalid_token\""));
            }
        }

        Assert.Equal(200, (await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={account.DefaultWallet}", null,
            ("X-API-Key", key))).Status);
        Assert.Equal(200, (await world.Send(HttpMethod.Get, "/user/balances/", null, ("authorization", "bearer " + token))).Status);
        var onlyToken = await world.Send(HttpMethod.Get, "/user/balances/", null, ("X-API-Key", key));
        Assert.Equal((401, "Bearer realm=\"coffer\""), (onlyToken.Status, onlyToken.Header("WWW-Authenticate")));
    }

    [Fact]
    public async Task A_missing_scope_is_403_with_what_is_missing()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var got = await world.Send(HttpMethod.Get, "/user/balances/", null,
            ("Authorization", "Bearer " + await account.Token(Scopes.Write)));
        Assert.Equal((403, "forbidden"), (got.Status, got.ErrorCode));
        Assert.Equal("read", got.Json.GetProperty("error").GetProperty("details").GetProperty("required_scope").GetString());
        Assert.Contains("error=\"insufficient_scope\"", got.Header("WWW-Authenticate"));
        Assert.Contains("scope=\"read\"", got.Header("WWW-Authenticate"));
    }

    [Fact]
    public async Task Two_credentials_in_one_request_are_400()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (key, token) = (("X-API-Key", await account.ApiKey()), ("Authorization", "Bearer " + await account.Token()));
        foreach (var headers in new[] { new[] { key, token }, [key, key], [token, token] })
        {
            var got = await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={account.DefaultWallet}", null, headers);
            // Two values of a header with one value may reach the server as one with a comma: that is no credential at all.
            Assert.True((got.Status, got.ErrorCode) is (400, "invalid_request") || (headers[0] == headers[1] && got.Status == 401));
        }
    }

    [Fact]
    public async Task A_mistyped_key_does_not_reach_the_database()
    {
        await using var world = await World.Start(cluster);
        var key = await (await world.Account()).ApiKey();
        await world.Execute("ALTER TABLE credential RENAME TO credential_away");
        Assert.Equal(401, (await world.Send(HttpMethod.Get, "/api-keys", null, ("Authorization", "Bearer " + Mistyped(key)))).Status);
        Assert.Equal(401, (await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={Guid.Empty}", null,
            ("X-API-Key", Mistyped(key)))).Status);
        Assert.Equal(500, (await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={Guid.Empty}", null, ("X-API-Key", key))).Status);
    }

    [Fact]
    public async Task A_credential_that_asks_too_often_is_429_and_another_one_is_not()
    {
        await using var world = await World.Start(cluster, new Coffer.Server.Host.Settings { RequestsPerSecond = 2 }, new FakeClock());
        var account = await world.Account();
        var (token, other) = (("Authorization", "Bearer " + await account.Token()), ("Authorization", "Bearer " + await account.Token()));
        var first = await world.Send(HttpMethod.Get, "/user/balances/", null, token);
        Assert.Equal((200, "\"credential\";q=2;w=1", "\"credential\";r=1;t=1"),
            (first.Status, first.Header("RateLimit-Policy"), first.Header("RateLimit")));
        Assert.Equal(200, (await world.Send(HttpMethod.Get, "/user/balances/", null, token)).Status);
        var refused = await world.Send(HttpMethod.Get, "/user/balances/", null, token);
        Assert.Equal((429, "rate_limit_exceeded", "1", "\"credential\";r=0;t=1"),
            (refused.Status, refused.ErrorCode, refused.Header("Retry-After"), refused.Header("RateLimit")));
        Assert.Equal(200, (await world.Send(HttpMethod.Get, "/user/balances/", null, other)).Status);
        ((FakeClock)world.Time).Stamp += TimeSpan.TicksPerSecond / 2;
        Assert.Equal(200, (await world.Send(HttpMethod.Get, "/user/balances/", null, token)).Status);
        Assert.Equal(429, (await world.Send(HttpMethod.Get, "/user/balances/", null, token)).Status);
    }

    [Fact]
    public async Task The_last_use_is_written_down_when_the_server_stops_and_not_by_the_request()
    {
        var world = await World.Start(cluster);
        var key = await (await world.Account()).ApiKey();
        await world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={Guid.Empty}", null, ("X-API-Key", key));
        Assert.Equal(0L, await world.Query<long>("SELECT count(last_used_at) FROM credential"));
        await world.DisposeAsync();
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM credential WHERE last_used_at BETWEEN created_at AND now()"));
    }

    [Fact]
    public async Task A_path_that_is_not_there_is_404_without_asking_for_a_credential()
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(HttpMethod.Get, "/nothing");
        Assert.Equal((404, "not_found"), (got.Status, got.ErrorCode));
    }

    private static string Mistyped(string secret) => secret[..^1] + (secret[^1] == 'a' ? 'b' : 'a');

    private static CredentialRow Row() => new(CredentialKind.ApiKey, Guid.AllBitsSet, new AccountId(Guid.AllBitsSet), 1, Mode.Test,
        Scopes.Read | Scopes.Write, null, null, null, null, null, null);

    private static PresentedCredential Presented(Access? access = null) =>
        new(new byte[32], SecretKind.ApiKeyTest, access ?? new Access(Scopes.Read));

    /// <summary>Rates are counted on the stamp; it moves only when told.</summary>
    private sealed class FakeClock : TimeProvider
    {
        public long Stamp { get; set; } = TimeSpan.TicksPerDay;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Stamp;
    }
}
