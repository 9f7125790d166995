namespace Coffer.Tests.Webhooks;

/// <summary>Endpoints over HTTP: made, changed, disabled, deleted, and who may.</summary>
public sealed class WebhookTests(TestCluster cluster)
{
    private const string Url = "https://example.com/hooks";

    [Fact]
    public async Task An_endpoint_is_made_pending_with_a_ping_of_its_own_and_shows_its_secret_once()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var made = await owner.Send(HttpMethod.Post, "/user/webhooks/", $$"""{"url":"{{Url}}","description":"shop","types":["balance.low"]}""");
        Assert.Equal(201, made.Status);
        Assert.StartsWith("whsec_", made.Json.GetProperty("secret").GetString(), StringComparison.Ordinal);
        var id = made.Json.GetProperty("id").GetGuid();
        var shown = await owner.Send(HttpMethod.Get, $"/user/webhooks/{id}/");
        Assert.Equal(made.Text.Replace($"\"secret\":\"{made.Json.GetProperty("secret").GetString()}\",", "", StringComparison.Ordinal), shown.Text);
        Assert.Equal(("pending", "shop", Url), (shown.Text("status"), shown.Text("description"), shown.Text("url")));
        Assert.Equal("no-store", made.Header("Cache-Control"));
        var listed = await owner.Send(HttpMethod.Get, "/user/webhooks");
        Assert.Equal(shown.Text, listed.Json.GetProperty("webhooks")[0].GetRawText());
        Assert.Equal([("endpoint.ping", id, $$"""{"endpoint_id":"{{id}}"}""")], await owner.Pings());
    }

    [Fact]
    public async Task An_endpoint_is_told_of_everything_since_its_ping_whatever_happens_while_it_is_made()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var busy = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
                await owner.SomethingHappens();
        })));
        var ids = new List<Guid>();
        for (var i = 0; i < 10; i++)
            ids.Add(await owner.Make());
        await busy;
        foreach (var id in ids)
        {
            Assert.Equal(1L, await world.Query<long>(
                "SELECT v.number - e.first_number FROM webhook_endpoint e JOIN event v ON v.only_endpoint = e.id WHERE e.id = $1", id));
        }
    }

    [Fact]
    public async Task An_account_has_at_most_twenty_endpoints_also_when_it_makes_them_at_once()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var made = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => owner.Send(HttpMethod.Post, "/user/webhooks", $$"""{"url":"{{Url}}"}""")));
        Assert.Equal(20, made.Count(got => got.Status == 201));
        Assert.All(made.Where(got => got.Status != 201), got => Assert.Equal((422, "limit_exceeded"), (got.Status, got.ErrorCode)));
        Assert.Equal(20L, await world.Query<long>("SELECT count(*) FROM webhook_endpoint"));
        var first = made.First(got => got.Status == 201).Json.GetProperty("id").GetGuid();
        Assert.Equal(204, (await owner.Send(HttpMethod.Delete, $"/user/webhooks/{first}/")).Status);
        Assert.Equal(201, (await owner.Send(HttpMethod.Post, "/user/webhooks/", $$"""{"url":"{{Url}}"}""")).Status);
    }

    [Fact]
    public async Task What_is_not_sent_stays_and_null_takes_away()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make("""{"url":"https://example.com/hooks","description":"shop","types":["balance.low"]}""");
        await owner.Answered(id, Url);
        var same = await owner.Send(HttpMethod.Patch, $"/user/webhooks/{id}/", "{}");
        Assert.Equal(("shop", "enabled", """["balance.low"]"""), (same.Text("description"), same.Text("status"), same.Json.GetProperty("types").GetRawText()));
        var less = await owner.Send(HttpMethod.Patch, $"/user/webhooks/{id}/", """{"description":null,"types":null}""");
        Assert.Equal((null, "enabled", "null"), (less.Text("description"), less.Text("status"), less.Json.GetProperty("types").GetRawText()));
        Assert.Single(await owner.Pings());
    }

    [Fact]
    public async Task Another_url_has_to_answer_a_ping_before_anything_else_is_sent_there()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        await owner.Answered(id, Url);
        var moved = await owner.Send(HttpMethod.Patch, $"/user/webhooks/{id}", """{"url":"https://example.com/other"}""");
        Assert.Equal(("pending", "https://example.com/other"), (moved.Text("status"), moved.Text("url")));
        Assert.Equal(2, (await owner.Pings()).Count);
        await owner.Answered(id, Url);
        Assert.Equal("pending", await owner.Status(id));
        await owner.Answered(id, "https://example.com/other");
        Assert.Equal("enabled", await owner.Status(id));
    }

    [Fact]
    public async Task A_disabled_endpoint_is_enabled_by_answering_a_ping_again()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        await owner.Answered(id, Url);
        var disabled = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/disable/");
        Assert.Equal(("disabled", "owner"), (disabled.Text("status"), disabled.Text("disabled_by")));
        var ping = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/ping/");
        Assert.Equal((409, "conflict"), (ping.Status, ping.ErrorCode));
        await owner.Answered(id, Url);
        Assert.Equal("disabled", await owner.Status(id));
        Assert.Equal("pending", (await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/enable/")).Text("status"));
        Assert.Equal("pending", (await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/enable/")).Text("status"));
        Assert.Equal(2, (await owner.Pings()).Count);
        Assert.Equal(202, (await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/ping/")).Status);
        Assert.Equal(3, (await owner.Pings()).Count);
    }

    [Fact]
    public async Task Who_was_disabled_by_Coffer_sees_why_until_he_enables_it()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var id = await owner.Make();
        // What another URL says, one that it had before, is no reason.
        Assert.Null(await owner.DisabledByCoffer(id, "https://example.com/before", "gone"));
        Assert.NotNull(await owner.DisabledByCoffer(id, Url, "gone"));
        Assert.Null(await owner.DisabledByCoffer(id, Url, "again"));
        var shown = await owner.Send(HttpMethod.Get, $"/user/webhooks/{id}/");
        Assert.Equal(("disabled", "coffer", "gone"), (shown.Text("status"), shown.Text("disabled_by"), shown.Text("reason")));
        var enabled = await owner.Send(HttpMethod.Post, $"/user/webhooks/{id}/enable/");
        Assert.Equal(("pending", null, null), (enabled.Text("status"), enabled.Text("disabled_by"), enabled.Text("reason")));
    }

    [Fact]
    public async Task Nobody_sees_or_touches_what_is_not_his()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var other = await WebhookOwner.Of(world);
        var id = await owner.Make();
        foreach (var (method, path) in new[]
        {
            (HttpMethod.Get, ""), (HttpMethod.Patch, ""), (HttpMethod.Delete, ""), (HttpMethod.Post, "/enable"), (HttpMethod.Post, "/disable"),
            (HttpMethod.Post, "/ping"), (HttpMethod.Post, "/rotate-secret"),
        })
        {
            var got = await other.Send(method, $"/user/webhooks/{id}{path}", method == HttpMethod.Get ? null : "{}");
            Assert.Equal((404, "not_found"), (got.Status, got.ErrorCode));
        }

        Assert.Equal(0, (await other.Send(HttpMethod.Get, "/user/webhooks")).Json.GetProperty("total").GetInt32());
        Assert.Equal("pending", await owner.Status(id));
        var key = await owner.Account.ApiKey();
        Assert.Equal(401, (await world.Send(HttpMethod.Get, "/user/webhooks", null, ("X-API-Key", key))).Status);
        var reader = await owner.Account.Token(Scopes.Read);
        Assert.Equal(403, (await world.Send(HttpMethod.Post, "/user/webhooks", "{}", ("Authorization", $"Bearer {reader}"))).Status);
    }
}
