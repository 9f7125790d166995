using System.Text.Json;
using Coffer.Server.Events;
using Npgsql;

namespace Coffer.Tests.Webhooks;

/// <summary>GET /events/: whoever follows the cursor has every event of his account once, in order, whatever happens to those who write.</summary>
public sealed class EventsFeedTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_come_page_by_page_in_their_order()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var key = await owner.Account.ApiKey(Scopes.Read);
        var none = await Get(world, key, "/events/");
        Assert.Equal((200, 0, 0L, false), (none.Status, Rows(none).Count, Next(none), More(none)));
        for (var i = 0; i < 7; i++)
            await owner.SomethingHappens(i % 3 == 0 ? EventType.BalanceLow : EventType.BalanceRecovered);

        var first = await Get(world, key, "/events?limit=5");
        Assert.Equal([1L, 2, 3, 4, 5], Rows(first));
        Assert.Equal((5L, true), (Next(first), More(first)));
        var second = await Get(world, key, $"/events/?limit=5&after={Next(first)}");
        Assert.Equal([6L, 7], Rows(second));
        Assert.Equal((7L, false), (Next(second), More(second)));
        Assert.Equal((7L, false), (Next(await Get(world, key, "/events/?after=7")), false));
        Assert.Equal([1L, 4, 7], Rows(await Get(world, key, "/events/?types=balance.low")));
        var filtered = await Get(world, key, "/events/?types=balance.low,deposit.received&limit=2");
        Assert.Equal([1L, 4], Rows(filtered));
        Assert.Equal((4L, true), (Next(filtered), More(filtered)));
        // What the filter passed over is not looked at again.
        Assert.Equal((7L, false), (Next(await Get(world, key, "/events/?types=deposit.received")), false));

        var one = first.Json.GetProperty("events")[3];
        Assert.Equal($"evt_{owner.Account.Id.Value:N}_4", one.GetProperty("id").GetString());
        Assert.Equal(["id", "sequence", "type", "timestamp", "data"], one.EnumerateObject().Select(member => member.Name));
        Assert.Equal(JsonValueKind.Object, one.GetProperty("data").ValueKind);
        Assert.Empty(Rows(await Get(world, await (await world.Account()).ApiKey(), "/events/")));
    }

    [Theory]
    [InlineData("after=-1", "after")]
    [InlineData("after=x", "after")]
    [InlineData("after=1", "after")]
    [InlineData("after=99999999999999999999", "after")]
    [InlineData("after=9223372036854775807", "after")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=501", "limit")]
    [InlineData("types=balance.lower", "types")]
    [InlineData("types=balance.low,", "types")]
    [InlineData("from=1", "from")]
    public async Task What_cannot_be_asked_is_refused_by_name(string query, string name)
    {
        await using var world = await World.Start(cluster);
        var key = await (await world.Account()).ApiKey();
        foreach (var path in (string[])["/events/", "/events/stream"])
        {
            if (name == "limit" && path.EndsWith("stream", StringComparison.Ordinal))
                continue;
            var got = await Get(world, key, $"{path}?{query}");
            Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
            Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(name, out _), got.Text);
            Assert.Equal(401, (await world.Send(HttpMethod.Get, path)).Status);
            Assert.Equal(403, (await Get(world, await (await world.Account()).ApiKey(Scopes.Write), path)).Status);
        }
    }

    [Fact]
    public async Task A_key_for_some_wallets_is_told_of_these_alone()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var other = await owner.Account.Wallet("Other");
        Task<Got> post(string path, string body) => owner.Send(HttpMethod.Post, path, body);
        foreach (var wallet in (WalletId[])[owner.Account.DefaultWallet, other])
            await post("/sandbox/deposits", $$"""{"wallet_id":"{{wallet.Value}}","currency":"ETH","amount":"1"}""");
        await post("/sandbox/blocks", """{"count":12}""");
        await owner.SomethingHappens();
        var to = Coffer.Chains.Simulated.SimulatedAddress.Make(owner.Account.Id, new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", 1);
        var paid = await post("/withdrawal/", $$"""{"amount":"0.1","currency":"ETH","address":"{{to}}","account_id":"{{other.Value}}"}""");
        Assert.True(paid.Status == 201, paid.Text);

        var all = await Get(world, await owner.Account.ApiKey(Scopes.Read), "/events/");
        Assert.True(Rows(all).Count >= 6, all.Text);
        var seen = await Get(world, await owner.Account.ApiKey(Scopes.Read, wallets: [other.Value]), "/events/");
        Assert.Equal(["deposit.received", "deposit.confirmed", "withdrawal.updated"],
            seen.Json.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("type").GetString()).Take(3));
        Assert.All(seen.Json.GetProperty("events").EnumerateArray(), one => Assert.Contains(other.Value.ToString(), one.GetRawText(), StringComparison.Ordinal));
        Assert.Equal(Next(all), Next(seen));
    }

    [Fact]
    public async Task Who_follows_the_cursor_misses_nothing_while_many_write_and_their_connections_die()
    {
        const int writers = 6, each = 50;
        await using var world = await World.Start(cluster);
        await using var second = await World.StartOn(world.Database);
        var owner = await WebhookOwner.Of(world);
        var key = await owner.Account.ApiKey(Scopes.Read);
        var (shard, account) = (owner.Account.Account.Shard, owner.Account.Id);
        var acknowledged = new System.Collections.Concurrent.ConcurrentBag<string>();
        var lost = 0;
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            for (var i = 0; i < each; i++)
            {
                var data = $$"""{"n":"{{writer}}-{{i}}"}""";
                try
                {
                    await (writer % 2 == 0 ? world : second).App.Db.Transaction(async (tx, ct) =>
                    {
                        await tx.Write(shard, new NewEvent(account, world.Time.GetUtcNow(), EventType.BalanceLow, data), ct);
                        await Task.Delay(1, ct);
                    }, Ct);
                    acknowledged.Add(data);
                }
                catch (Exception fault) when (fault is NpgsqlException or IOException)
                {
                    Interlocked.Increment(ref lost);
                }
            }
        }));
        var killing = Task.Run(async () =>
        {
            while (!writing.IsCompleted)
            {
                await world.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'coffer writes' AND random() < 0.3");
                await Task.Delay(40, Ct);
            }
        }, Ct);
        var seen = new List<long>();
        long after = 0;
        bool done;
        do
        {
            done = writing.IsCompleted;
            var page = await Get(world, key, $"/events/?limit=3&after={after}");
            Assert.True(page.Status == 200, page.Text);
            seen.AddRange(Rows(page));
            after = Next(page);
            done &= !More(page);
        }
        while (!done);
        await Task.WhenAll(writing, killing);
        Assert.Equal(Enumerable.Range(1, seen.Count).Select(n => (long)n), seen);
        Assert.Equal(seen.Count, await world.Query<long>("SELECT last FROM event_head"));
        Assert.True(acknowledged.Count > 0);
        foreach (var data in acknowledged)
            Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM event WHERE data = $1", data));
        Assert.InRange(seen.Count, acknowledged.Count, acknowledged.Count + lost);
    }

    private static Task<Got> Get(World world, string key, string path) => world.Send(HttpMethod.Get, path, null, ("X-API-Key", key));

    private static List<long> Rows(Got got) => [.. got.Json.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("sequence").GetInt64())];

    private static long Next(Got got) => got.Json.GetProperty("next_cursor").GetInt64();

    private static bool More(Got got) => got.Json.GetProperty("has_more").GetBoolean();
}
