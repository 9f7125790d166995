using System.Net;
using Coffer.Server.Host;

namespace Coffer.Tests.Dashboard;

/// <summary>Whose word on where a request comes from is believed.</summary>
public sealed class ProxyTests(TestCluster cluster)
{
    private const int Tries = 3;
    private const string Name = "X-Forwarded-For";

    private static readonly Settings _open = new() { TokenRequestsPerMinute = Tries };
    private static readonly Settings _proxied = _open with { Proxies = [IPNetwork.Parse("127.0.0.0/8")] };

    [Fact]
    public async Task Callers_behind_a_proxy_are_counted_each_by_his_own_address_whatever_he_says_himself()
    {
        await using var world = await World.Start(cluster, _proxied);
        for (var i = 0; i < Tries; i++)
            Assert.Equal(401, await SignIn(world, $"192.0.2.{i}, 203.0.113.7"));
        Assert.Equal(429, await SignIn(world, "192.0.2.99, 203.0.113.7"));
        Assert.Equal(401, await SignIn(world, "203.0.113.8"));
        // A second proxy inside the first one's network.
        Assert.Equal(429, await SignIn(world, "203.0.113.7, 127.0.0.9"));
    }

    [Fact]
    public async Task Without_a_proxy_nobody_says_where_he_comes_from()
    {
        await using var world = await World.Start(cluster, _open);
        for (var i = 0; i < Tries; i++)
            Assert.Equal(401, await SignIn(world, $"203.0.113.{i}"));
        Assert.Equal(429, await SignIn(world, "203.0.113.99"));
    }

    [Fact]
    public async Task A_key_for_one_address_works_through_the_proxy_from_there_alone()
    {
        await using var world = await World.Start(cluster, _proxied);
        var key = await (await world.Account()).ApiKey(addresses: ["203.0.113.7"]);
        async Task<int> From(string address) => (await world.Send(HttpMethod.Get, "/wallets", null, ("X-API-Key", key), (Name, address))).Status;
        Assert.Equal(200, await From("203.0.113.7"));
        Assert.Equal(401, await From("203.0.113.8"));
        Assert.Equal(401, await From("203.0.113.7, 203.0.113.8"));
        Assert.Equal(401, (await world.Send(HttpMethod.Get, "/wallets", null, ("X-API-Key", key))).Status);
    }

    private static async Task<int> SignIn(World world, string forwarded)
    {
        var browser = new Browser(world) { Headers = { [Name] = forwarded } };
        return (await browser.SignIn($"nobody {forwarded}")).Status;
    }
}
