using System.Net.ServerSentEvents;

namespace Coffer.Tests.Dashboard;

/// <summary>The line that keeps an open page up to date: it begins where the page ends, goes on where it broke, and beats.</summary>
public sealed class LiveTests(TestCluster cluster) : IAsyncLifetime
{
    private World _world = null!;
    private TestAccount _account = null!;
    private Browser _browser = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _account = await _world.Account();
        _browser = await Browser.SignedIn(_account);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task What_happens_between_the_page_and_its_line_is_told_as_the_first_thing()
    {
        await SomethingHappens();
        var shown = After(await _browser.Get("/"));
        await SomethingHappens();
        await using var line = await Line.Open(_world, _browser, $"?after={shown}");
        Assert.Equal(("change", After(await _browser.Get("/"))), await line.Next());
        Assert.NotEqual(shown, line.Last);
    }

    [Fact]
    public async Task A_page_that_knows_everything_is_told_nothing_but_beats()
    {
        await SomethingHappens();
        await using var line = await Line.Open(_world, _browser, $"?after={After(await _browser.Get("/"))}");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal("beat", (await line.Next()).Type);
        Assert.InRange(clock.Elapsed.TotalSeconds, 10, 15);
    }

    [Fact]
    public async Task A_line_that_broke_goes_on_after_the_last_it_told_whatever_the_page_was_made_with()
    {
        await SomethingHappens();
        await using var line = await Line.Open(_world, _browser, "?after=0");
        var (_, told) = await line.Next();
        await SomethingHappens();
        await using var again = await Line.Open(_world, _browser, "?after=0", told);
        var (type, now) = await again.Next();
        Assert.Equal(("change", After(await _browser.Get("/"))), (type, now));
        Assert.NotEqual(told, now);
    }

    private static string After(Got page) => page.Text.Split("data-after=\"")[1].Split('"')[0];

    private async Task SomethingHappens()
    {
        var key = ("X-API-Key", await _account.ApiKey());
        var deposit = $$"""{"wallet_id":"{{_account.DefaultWallet.Value}}","currency":"USDTERC20","amount":"1"}""";
        Assert.Equal(201, (await _world.Send(HttpMethod.Post, "/sandbox/deposits", deposit, key)).Status);
        Assert.Equal(201, (await _world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":20}""", key)).Status);
    }

    private sealed class Line(HttpResponseMessage answer, IAsyncEnumerator<SseItem<string>> items) : IAsyncDisposable
    {
        public string? Last { get; private set; }

        public static async Task<Line> Open(World world, Browser browser, string query, string? last = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/dashboard/live" + query);
            request.Headers.Add("Cookie", string.Join("; ", browser.Cookies.Select(one => $"{one.Key}={one.Value}")));
            if (last is not null)
                request.Headers.Add("Last-Event-ID", last);
            var answer = await world.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
            var items = SseParser.Create(await answer.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct).GetAsyncEnumerator(Ct);
            return new Line(answer, items);
        }

        public async Task<(string Type, string? Id)> Next()
        {
            Assert.True(await items.MoveNextAsync());
            Last = items.Current.EventId ?? Last;
            return (items.Current.EventType, items.Current.EventId);
        }

        public async ValueTask DisposeAsync()
        {
            answer.Dispose();
            await items.DisposeAsync();
        }
    }
}
