namespace Coffer.Tests.Http;

/// <summary>The two OAuth libraries of npm, unmodified, against the running server.</summary>
public sealed class OAuthLibraryTests(TestCluster cluster, NodeFolder node)
{
    [Fact]
    public async Task Openid_client_and_oauth4webapi_discover_get_use_introspect_and_revoke_a_token()
    {
        await using var world = await World.Start(cluster);
        var client = await (await world.Account()).Client();
        var printed = await node.Run("oauth.mjs", ("ISSUER", world.App.BaseUrl), ("CLIENT_ID", client.Id), ("CLIENT_SECRET", client.Secret),
            ("API", world.App.BaseUrl + "/user/balances/"));
        Assert.Equal(["openid-client basic", "openid-client post", "oauth4webapi basic", "oauth4webapi post"],
            printed.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }
}
