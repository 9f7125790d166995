using System.Text.Json;
using Coffer.Server.Alerts;
using static Coffer.Tests.Alerts.Watcher;

namespace Coffer.Tests.Alerts;

/// <summary><c>/user/alerts/</c> over HTTP.</summary>
public sealed class AlertRequestTests(TestCluster cluster) : IAsyncLifetime
{
    private readonly FakeTime _time = new(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private World _world = null!;
    private Watcher _watcher = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, time: _time);
        _watcher = await Of(_world);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task<Got> Post(string body) => _watcher.Send(HttpMethod.Post, "/user/alerts/", body);

    [Fact]
    public async Task An_alert_is_made_shown_listed_changed_and_deleted()
    {
        await _watcher.Add(105);
        var made = await Post($$"""{"currency":"usdterc20","wallet_id":"{{_watcher.Main}}","threshold":100}""");
        var id = Text(made.Json, "id");
        Assert.Equal((201, $$"""
            {"id":"{{id}}","currency":"USDTERC20","wallet_id":"{{_watcher.Main}}","state":"ok","state_since":"2026-03-01T12:00:00Z","available":"105.000000","threshold":"100.000000","recovery_threshold":"110.000000","forecast":null,"created_at":"2026-03-01T12:00:00Z","updated_at":"2026-03-01T12:00:00Z"}
            """.Trim()), (made.Status, made.Text));
        Assert.Equal(made.Text, (await _watcher.Send(HttpMethod.Get, $"/user/alerts/{id}")).Text);
        var account = await _watcher.Alert(1_000);
        var list = (await _watcher.Send(HttpMethod.Get, "/user/alerts/?limit=1&offset=1")).Json;
        Assert.Equal((2, 1, 1), (list.GetProperty("total").GetInt32(), list.GetProperty("limit").GetInt32(), list.GetProperty("offset").GetInt32()));
        Assert.Equal(account, Text(Assert.Single(list.GetProperty("alerts").EnumerateArray()), "id"));
        Assert.Equal(JsonValueKind.Null, list.GetProperty("alerts")[0].GetProperty("wallet_id").ValueKind);
        Assert.Equal([id], Ids(await _watcher.Send(HttpMethod.Get, $"/user/alerts/?wallet_id={_watcher.Main}")));
        Assert.Equal([id, account], Ids(await _watcher.Send(HttpMethod.Get, "/user/alerts?currency=usdterc20")));
        Assert.Empty(Ids(await _watcher.Send(HttpMethod.Get, "/user/alerts?currency=BTC")));

        _time.Now = _time.Now.AddMinutes(1);
        // A change is no crossing: its answer says how the balance stands, and nobody else is told.
        var changed = await _watcher.Send(HttpMethod.Patch, $"/user/alerts/{id}/", """{"threshold":"200"}""");
        Assert.Equal((200, "low", "220.000000", "2026-03-01T12:01:00Z"), (changed.Status, Text(changed.Json, "state"),
            Text(changed.Json, "recovery_threshold"), Text(changed.Json, "state_since")));
        await _watcher.Send(HttpMethod.Patch, $"/user/alerts/{id}/", """{"recovery_threshold":"300"}""");
        changed = await _watcher.Send(HttpMethod.Patch, $"/user/alerts/{id}/", """{"threshold":"90"}""");
        Assert.Equal(("low", "300.000000"), (Text(changed.Json, "state"), Text(changed.Json, "recovery_threshold")));
        Assert.Empty(await _watcher.Told());
        await _watcher.Add(195);
        Assert.Equal(["recovered 300"], await _watcher.Told(id));

        Assert.Equal(204, (await _watcher.Send(HttpMethod.Delete, $"/user/alerts/{id}/")).Status);
        Assert.Equal(404, (await _watcher.Send(HttpMethod.Get, $"/user/alerts/{id}/")).Status);
        Assert.Equal(404, (await _watcher.Send(HttpMethod.Delete, $"/user/alerts/{id}/")).Status);
        await _watcher.Add(-290);
        Assert.Empty((await _watcher.Told(id)).Skip(1));
    }

    [Fact]
    public async Task The_forecast_is_that_of_the_wallet_or_of_the_account_and_of_what_leaves_now()
    {
        var other = await _watcher.Account.Wallet("Other");
        await _watcher.Add(400);
        await _watcher.Add(100, other);
        var (main, whole) = (await _watcher.Alert(10, _watcher.Main), await _watcher.Alert(10));
        await _watcher.Add(-70);
        await _watcher.Add(-14, other);
        await _watcher.Request(30);
        // 100 of one wallet and 114 of both within the day; what is held is on its way.
        Assert.Equal(("100.000000", "2026-03-04T12:00:00Z"), await Forecast(main));
        Assert.Equal("114.000000", (await Forecast(whole)).Item1);
        _time.Now = _time.Now.AddDays(2);
        // 70 were a week's; the 30 that wait are still on their way.
        Assert.Equal("30.000000", (await Forecast(main)).Item1);
        await _watcher.World.Execute("UPDATE flow_hour SET withdrawals = withdrawals + 700000000 WHERE wallet_id = $1", _watcher.Main.Value);
        Assert.Equal("114.285715", (await Forecast(main)).Item1);
        _time.Now = _time.Now.AddDays(5).AddHours(-1);
        Assert.Equal("114.285715", (await Forecast(main)).Item1);
        _time.Now = _time.Now.AddHours(1);
        Assert.Equal("30.000000", (await Forecast(main)).Item1);

        async Task<(string, string?)> Forecast(string id)
        {
            // Tokens do not last for days.
            var watcher = _watcher with { Token = await _watcher.Account.Token() };
            var forecast = (await watcher.Shown(id)).GetProperty("forecast");
            return (Text(forecast, "outflow_per_day"), forecast.GetProperty("empty_at").GetString());
        }
    }

    [Theory]
    [InlineData("""{"currency":"USDTERC20","threshold":"1.0000001"}""", "invalid_amount", "threshold")]
    [InlineData("""{"currency":"USDTERC20","threshold":"1","recovery_threshold":"1.0000001"}""", "invalid_amount", "recovery_threshold")]
    [InlineData("""{"currency":"USDTERC20","threshold":"0"}""", "invalid_amount", "threshold")]
    [InlineData("""{"currency":"USDTERC20","threshold":"-5"}""", "invalid_amount", "threshold")]
    [InlineData("""{"currency":"USDTERC20","threshold":1e3}""", "invalid_amount", "threshold")]
    [InlineData("""{"currency":"USDTERC20","threshold":"100000000000000000000000000000000"}""", "invalid_amount", "threshold")]
    [InlineData("""{"currency":"USDTERC20"}""", "invalid_request", "threshold")]
    [InlineData("""{"threshold":"5"}""", "invalid_request", "currency")]
    [InlineData("""{"currency":"NOPE","threshold":"5"}""", "invalid_currency", "currency")]
    [InlineData("""{"currency":"USDTERC20","threshold":"5","recovery_threshold":"4.999999"}""", "invalid_request", "recovery_threshold")]
    [InlineData("""{"currency":"USDTERC20","threshold":"5","wallet_id":"x"}""", "invalid_request", "wallet_id")]
    [InlineData("""{"currency":"USDTERC20","threshold":"5","url":"https://x"}""", "invalid_request", "url")]
    [InlineData("""{"currency":"USDTERC20","threshold":true}""", "invalid_request", "threshold")]
    public async Task What_cannot_be_watched_is_refused_by_name(string body, string code, string name)
    {
        var got = await Post(body);
        Assert.Equal((400, code), (got.Status, got.ErrorCode));
        Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(name, out _), got.Text);
        Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM alert"));
    }

    [Fact]
    public async Task A_change_is_judged_with_what_it_leaves()
    {
        var id = await _watcher.Alert(100, null, 150);
        async Task Refused(string body, int status, string code)
        {
            var got = await _watcher.Send(HttpMethod.Patch, $"/user/alerts/{id}/", body);
            Assert.Equal((status, code), (got.Status, got.ErrorCode));
        }

        await Refused("""{"threshold":"151"}""", 400, "invalid_request");
        await Refused("""{"recovery_threshold":"99"}""", 400, "invalid_request");
        await Refused("""{"threshold":"1.0000001"}""", 400, "invalid_amount");
        await Refused("""{"currency":"BTC"}""", 400, "invalid_request");
        var other = await _watcher.Alert(120);
        await Refused("""{"threshold":"120"}""", 409, "conflict");
        Assert.Equal(("100.000000", "150.000000"), (Text(await _watcher.Shown(id), "threshold"), Text(await _watcher.Shown(id), "recovery_threshold")));
        Assert.NotEqual(id, other);
    }

    [Fact]
    public async Task The_same_alert_twice_is_a_conflict_that_names_the_first()
    {
        var id = await _watcher.Alert(100);
        var got = await Post("""{"currency":"USDTERC20","threshold":"100.000000"}""");
        Assert.Equal((409, "conflict", id), (got.Status, got.ErrorCode, Text(got.Json.GetProperty("error").GetProperty("details"), "alert_id")));
        Assert.Equal(201, (await Post($$"""{"currency":"USDTERC20","wallet_id":"{{_watcher.Main}}","threshold":"100"}""")).Status);
        Assert.Equal(201, (await Post("""{"currency":"BTC","threshold":"100"}""")).Status);
    }

    [Fact]
    public async Task An_account_has_no_more_alerts_than_every_posting_can_look_at()
    {
        for (var i = 1; i < Alert.CountMax; i++)
        {
            await _world.Execute("""
                INSERT INTO alert (shard, account_id, currency, id, threshold, recovery, recovery_is_usual, state, state_since, available, created_at, updated_at)
                VALUES ($1, $2, 'USDTERC20', $3, $4, $4, true, 2, now(), 0, now(), now())
                """, _watcher.Account.Account.Shard, _watcher.Account.Id.Value, _world.Ids.New(), (decimal)i);
        }

        await _watcher.Alert(1_000);
        var got = await Post("""{"currency":"BTC","threshold":"1"}""");
        Assert.Equal((422, "limit_exceeded"), (got.Status, got.ErrorCode));
    }

    /// <summary>Making one holds up the ledger of everybody in the shard for a moment, so nobody may do so all the time.</summary>
    [Fact]
    public async Task Who_makes_and_deletes_alerts_without_end_is_slowed_down()
    {
        for (var i = 0; i < 200; i++)
        {
            var got = await Post("""{"currency":"BTC","threshold":"1"}""");
            if (got.Status == 429)
            {
                Assert.Equal(("rate_limit_exceeded", "1"), (got.ErrorCode, got.Header("Retry-After")));
                return;
            }

            Assert.Equal(204, (await _watcher.Send(HttpMethod.Delete, $"/user/alerts/{Text(got.Json, "id")}/")).Status);
        }

        Assert.Fail("200 alerts were made in a moment.");
    }

    [Fact]
    public async Task Alerts_are_their_accounts_own_and_need_an_access_token()
    {
        var id = await _watcher.Alert(100);
        var stranger = await Of(_world);
        Assert.Empty(Ids(await stranger.Send(HttpMethod.Get, "/user/alerts/")));
        foreach (var (method, body) in ((HttpMethod, string?)[])[(HttpMethod.Get, null), (HttpMethod.Patch, """{"threshold":"1"}"""), (HttpMethod.Delete, null)])
            Assert.Equal((404, "not_found"), ((await stranger.Send(method, $"/user/alerts/{id}/", body)) is var got ? got.Status : 0, got.ErrorCode));
        var foreign = await stranger.Send(HttpMethod.Post, "/user/alerts/", $$"""{"currency":"BTC","threshold":"1","wallet_id":"{{_watcher.Main}}"}""");
        Assert.Equal((404, "not_found"), (foreign.Status, foreign.ErrorCode));
        var key = await _watcher.Account.ApiKey();
        Assert.Equal(401, (await _world.Send(HttpMethod.Get, "/user/alerts/", null, ("X-API-Key", key))).Status);
        var reader = _watcher with { Token = await _watcher.Account.Token(Scopes.Read) };
        Assert.Equal(200, (await reader.Send(HttpMethod.Get, "/user/alerts/")).Status);
        Assert.Equal(403, (await reader.Send(HttpMethod.Post, "/user/alerts/", """{"currency":"BTC","threshold":"1"}""")).Status);
    }

    private static List<string> Ids(Got got) => [.. got.Json.GetProperty("alerts").EnumerateArray().Select(alert => Text(alert, "id"))];
}
