namespace Coffer.Tests.Webhooks;

/// <summary>What cannot be meant is refused with a sentence that names the parameter, and nothing is made.</summary>
public sealed class WebhookRequestTests(TestCluster cluster)
{
    [Theory]
    [InlineData("""{}""", "url", "required")]
    [InlineData("""{"url":null}""", "url", "required")]
    [InlineData("""{"url":7}""", "url", "JSON string")]
    [InlineData("""{"url":""}""", "url", "characters")]
    [InlineData("""{"url":"example.com/hooks"}""", "url", "https://")]
    [InlineData("""{"url":"ftp://example.com/"}""", "url", "https://")]
    [InlineData("""{"url":"https://example.com/","types":[]}""", "types", "balance.low")]
    [InlineData("""{"url":"https://example.com/","types":["balance.high"]}""", "types", "balance.low")]
    [InlineData("""{"url":"https://example.com/","types":["BALANCE.LOW"]}""", "types", "balance.low")]
    [InlineData("""{"url":"https://example.com/","types":"balance.low"}""", "types", "JSON array")]
    [InlineData("""{"url":"https://example.com/","types":[1]}""", "types", "JSON array")]
    [InlineData("""{"url":"https://example.com/","description":""}""", "description", "characters")]
    [InlineData("""{"url":"https://example.com/","event_types":["balance.low"]}""", "event_types", "not a parameter")]
    [InlineData("""{"url":"https://example.com/","secret":"whsec_mine"}""", "secret", "not a parameter")]
    public async Task What_no_endpoint_can_be_is_refused_by_name(string body, string parameter, string says)
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var got = await owner.Send(HttpMethod.Post, "/user/webhooks/", body);
        Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
        Assert.Contains(says, got.Json.GetProperty("error").GetProperty("details").GetProperty(parameter)[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(0L, await world.Query<long>("SELECT (SELECT count(*) FROM webhook_endpoint) + (SELECT count(*) FROM event)"));
    }

    [Fact]
    public async Task An_overlong_url_or_description_is_refused()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var url = await owner.Send(HttpMethod.Post, "/user/webhooks/", $$"""{"url":"https://example.com/{{new string('a', 3_000)}}"}""");
        Assert.Equal((400, true), (url.Status, url.Json.GetProperty("error").GetProperty("details").TryGetProperty("url", out _)));
        var about = await owner.Send(HttpMethod.Post, "/user/webhooks/",
            $$"""{"url":"https://example.com/","description":"{{new string('a', 256)}}"}""");
        Assert.Equal((400, true), (about.Status, about.Json.GetProperty("error").GetProperty("details").TryGetProperty("description", out _)));
    }

    [Fact]
    public async Task A_live_account_is_told_over_https_only_and_a_test_account_also_over_http()
    {
        await using var world = await World.Start(cluster);
        var (live, test) = (await WebhookOwner.Of(world, Mode.Live), await WebhookOwner.Of(world));
        const string plain = """{"url":"http://example.com/hooks"}""";
        var refused = await live.Send(HttpMethod.Post, "/user/webhooks/", plain);
        Assert.Equal((400, "invalid_request"), (refused.Status, refused.ErrorCode));
        Assert.Contains("https://", refused.Text, StringComparison.Ordinal);
        var id = await live.Make();
        Assert.Equal(400, (await live.Send(HttpMethod.Patch, $"/user/webhooks/{id}/", plain)).Status);
        Assert.Equal("https://example.com/hooks", (await live.Send(HttpMethod.Get, $"/user/webhooks/{id}/")).Text("url"));
        await test.Make(plain);
    }

    [Theory]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://10.1.2.3/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:10.0.0.1]/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://localhost/")]
    [InlineData("https://user:password@example.com/")]
    [InlineData("https://example.com:25/")]
    [InlineData("https://example.com./")]
    public async Task A_url_that_leads_inside_or_may_be_read_in_two_ways_is_refused_when_it_is_made_and_when_it_is_changed(string url)
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world, Mode.Live);
        var body = $$"""{"url":"{{url}}"}""";
        var id = await owner.Make();
        foreach (var got in new[] { await owner.Send(HttpMethod.Post, "/user/webhooks", body), await owner.Send(HttpMethod.Patch, $"/user/webhooks/{id}", body) })
        {
            Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
            Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty("url", out _));
        }

        Assert.Equal("https://example.com/hooks", await world.Query<string>("SELECT url FROM webhook_endpoint"));
    }

    [Theory]
    [InlineData("rotate-secret", """{"overlap_hours":-1}""", "overlap_hours")]
    [InlineData("rotate-secret", """{"overlap_hours":169}""", "overlap_hours")]
    [InlineData("rotate-secret", """{"overlap_hours":1.5}""", "overlap_hours")]
    [InlineData("ping", """{"now":true}""", "now")]
    [InlineData("enable", """[]""", "body")]
    public async Task What_is_not_a_parameter_or_none_that_can_be_meant_is_refused_by_name(string path, string body, string parameter)
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var got = await owner.Send(HttpMethod.Post, $"/user/webhooks/{await owner.Make()}/{path}", body);
        Assert.Equal((400, true), (got.Status, got.Json.GetProperty("error").GetProperty("details").TryGetProperty(parameter, out _)));
    }

    [Fact]
    public async Task A_change_to_no_url_is_refused_and_an_id_that_is_none_too()
    {
        await using var world = await World.Start(cluster);
        var owner = await WebhookOwner.Of(world);
        var got = await owner.Send(HttpMethod.Patch, $"/user/webhooks/{await owner.Make()}", """{"url":null}""");
        Assert.Equal((400, "invalid_request"), (got.Status, got.ErrorCode));
        Assert.Equal(400, (await owner.Send(HttpMethod.Get, "/user/webhooks/17")).Status);
        Assert.Equal(404, (await owner.Send(HttpMethod.Get, $"/user/webhooks/{world.Ids.New()}")).Status);
    }
}
