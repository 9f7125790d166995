using Npgsql;

namespace Coffer.Tests.Webhooks;

/// <summary>Secrets over HTTP: shown once, rotated with an overlap, nowhere in the database.</summary>
public sealed class WebhookSecretTests(TestCluster cluster)
{
    [Fact]
    public async Task A_rotation_shows_a_new_secret_and_says_how_long_the_old_one_signs_too()
    {
        var time = new FakeTime(new(2026, 1, 15, 9, 30, 0, TimeSpan.Zero));
        await using var world = await World.Start(cluster, time: time);
        var owner = await WebhookOwner.Of(world);
        var made = await owner.Send(HttpMethod.Post, "/user/webhooks/", """{"url":"https://example.com/hooks"}""");
        var path = $"/user/webhooks/{made.Text("id")}";
        var rotated = await owner.Send(HttpMethod.Post, path + "/rotate-secret/");
        Assert.Equal(200, rotated.Status);
        Assert.NotEqual(made.Text("secret"), rotated.Text("secret"));
        Assert.Equal("2026-01-16T09:30:00Z", rotated.Text("previous_secret_until"));
        Assert.False((await owner.Send(HttpMethod.Get, path)).Json.TryGetProperty("secret", out _));
        // A third secret would end the first one before its time.
        var early = await owner.Send(HttpMethod.Post, path + "/rotate-secret/", """{"overlap_hours":1}""");
        Assert.Equal((409, "conflict"), (early.Status, early.ErrorCode));
        time.Now = time.Now.AddHours(24);
        owner = owner with { Token = await owner.Account.Token() };
        Assert.Null((await owner.Send(HttpMethod.Get, path)).Text("previous_secret_until"));
        Assert.Equal("2026-01-16T10:30:00Z",
            (await owner.Send(HttpMethod.Post, path + "/rotate-secret/", """{"overlap_hours":1}""")).Text("previous_secret_until"));
        // Without an overlap, for a secret that leaked: every other one ends now.
        var now = await owner.Send(HttpMethod.Post, path + "/rotate-secret/", """{"overlap_hours":0}""");
        Assert.Equal((200, null), (now.Status, now.Text("previous_secret_until")));
        Assert.True(await world.Query<bool>("SELECT previous_secret IS NULL FROM webhook_endpoint"));
    }

    [Fact]
    public async Task Callbacks_get_a_secret_when_it_is_asked_for_and_are_no_endpoint()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        await owner.SomethingHappens();
        Assert.Equal("null", (await owner.Send(HttpMethod.Get, "/user/webhooks/")).Json.GetProperty("callbacks").GetRawText());
        var secret = await owner.Send(HttpMethod.Post, "/user/webhooks/callbacks/rotate-secret/");
        Assert.StartsWith("whsec_", secret.Text("secret"), StringComparison.Ordinal);
        Assert.Equal(("callbacks", "enabled", null), (secret.Text("id"), secret.Text("status"), secret.Text("url")));
        Assert.Equal(1L, await world.Query<long>("SELECT first_number FROM webhook_endpoint"));
        var listed = (await owner.Send(HttpMethod.Get, "/user/webhooks/")).Json;
        Assert.Equal((0, "callbacks"), (listed.GetProperty("total").GetInt32(), listed.GetProperty("callbacks").GetProperty("id").GetString()));
        foreach (var (method, path) in new[] { (HttpMethod.Patch, ""), (HttpMethod.Delete, ""), (HttpMethod.Post, "/ping") })
            Assert.Equal(409, (await owner.Send(method, "/user/webhooks/callbacks" + path, "{}")).Status);
        Assert.Equal("disabled", (await owner.Send(HttpMethod.Post, "/user/webhooks/callbacks/disable/")).Text("status"));
        Assert.Equal("enabled", (await owner.Send(HttpMethod.Post, "/user/webhooks/callbacks/enable/")).Text("status"));
        Assert.Empty(await owner.Pings());
        // The row's own id is no other way to it.
        var id = await world.Query<Guid>("SELECT id FROM webhook_endpoint");
        Assert.Equal(404, (await owner.Send(HttpMethod.Get, $"/user/webhooks/{id}/")).Status);
    }

    [Fact]
    public async Task A_dump_of_the_database_signs_nothing()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var made = await owner.Send(HttpMethod.Post, "/user/webhooks/", """{"url":"https://example.com/shown-in-the-dump"}""");
        var rotated = await owner.Send(HttpMethod.Post, $"/user/webhooks/{made.Text("id")}/rotate-secret/");
        var callbacks = await owner.Send(HttpMethod.Post, "/user/webhooks/callbacks/rotate-secret/");
        var dump = await Dump(world.Database);
        Assert.Contains("shown-in-the-dump", dump, StringComparison.Ordinal);
        Assert.All([made, rotated, callbacks], got =>
        {
            var text = got.Text("secret")!["whsec_".Length..];
            Assert.DoesNotContain(text, dump, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToHexStringLower(Convert.FromBase64String(text)), dump, StringComparison.Ordinal);
        });
    }

    private static async Task<string> Dump(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        using var endpoints = await connection.BeginTextExportAsync("COPY webhook_endpoint TO STDOUT");
        var dump = await endpoints.ReadToEndAsync();
        endpoints.Dispose();
        using var events = await connection.BeginTextExportAsync("COPY event TO STDOUT");
        return dump + await events.ReadToEndAsync();
    }
}
