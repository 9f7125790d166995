using System.Net;
using Coffer.Server.Auth;

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
        var rows = new[] { null, Row() with { RevokedAt = _now.UtcDateTime }, Row() with { ExpiresAt = _now.UtcDateTime }, Row() with { Mode = Mode.Live } };
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
    public async Task A_path_that_is_not_there_is_404_without_asking_for_a_credential()
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(HttpMethod.Get, "/nothing");
        Assert.Equal((404, "not_found"), (got.Status, got.ErrorCode));
    }

    private static CredentialRow Row() => new(CredentialKind.ApiKey, Guid.AllBitsSet, new AccountId(Guid.AllBitsSet), 1, Mode.Test,
        Scopes.Read | Scopes.Write, null, null, null, null);

    private static PresentedCredential Presented(Access? access = null) => new(new byte[32], SecretKind.ApiKeyTest, access ?? new Access(Scopes.Read));
}
