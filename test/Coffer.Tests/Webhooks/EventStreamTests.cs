using System.Net.ServerSentEvents;
using Coffer.Server.Events;
using Coffer.Server.Webhooks;

namespace Coffer.Tests.Webhooks;

/// <summary>GET /events/stream, read with the base library's own parser: each event at once, and after any break from where it was.</summary>
public sealed class EventStreamTests(TestCluster cluster) : IAsyncLifetime
{
    private World world = null!;
    private WebhookOwner owner = null!;
    private string key = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        world = await World.Start(cluster);
        owner = await WebhookOwner.Of(world);
        key = await owner.Account.ApiKey(Scopes.Read);
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task A_stream_begins_with_what_comes_next_and_tells_it_at_once()
    {
        await owner.SomethingHappens();
        await using var stream = await Stream.Open(world, key);
        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType!.MediaType);
        Assert.NotNull(stream.Response.Headers.GetValues("Request-Id").Single());
        for (var n = 2; n <= 4; n++)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            await owner.SomethingHappens(EventType.BalanceRecovered);
            var (id, type, data) = await stream.Next();
            Assert.Equal((n.ToString(System.Globalization.CultureInfo.InvariantCulture), "balance.recovered"), (id, type));
            Assert.Contains($"\"id\":\"evt_{owner.Account.Id.Value:N}_{n}\"", data, StringComparison.Ordinal);
            // Well below what looking once a second would take.
            Assert.InRange(clock.ElapsedMilliseconds, 0, 900);
        }
    }

    [Fact]
    public async Task Who_comes_again_gets_what_came_meanwhile_also_if_nothing_had_come_before()
    {
        await owner.SomethingHappens();
        string? last;
        await using (var stream = await Stream.Open(world, key))
            last = stream.FirstId;
        Assert.Equal("1", last);
        for (var i = 0; i < 250; i++)
            await owner.SomethingHappens();
        // The browser's header is newer than the query that the page was made with.
        await using var again = await Stream.Open(world, key, "?after=0", last);
        for (var n = 2; n <= 251; n++)
            Assert.Equal(n.ToString(System.Globalization.CultureInfo.InvariantCulture), (await again.Next()).Id);
    }

    [Fact]
    public async Task What_the_types_leave_out_is_not_looked_at_again()
    {
        await using var stream = await Stream.Open(world, key, "?types=balance.low&after=0");
        for (var i = 0; i < 3; i++)
            await owner.SomethingHappens(EventType.BalanceRecovered);
        await owner.SomethingHappens(EventType.BalanceLow);
        Assert.Equal(("4", "balance.low"), ((await stream.Next()).Id, "balance.low"));
    }

    [Fact]
    public async Task What_another_process_writes_is_told_too()
    {
        await using var second = await World.StartOn(world.Database);
        await using var stream = await Stream.Open(second, key);
        await owner.SomethingHappens();
        Assert.Equal("1", (await stream.Next()).Id);
    }

    [Fact]
    public async Task An_account_has_only_so_many_streams_and_a_closed_one_makes_room()
    {
        var streams = new List<Stream>();
        for (var i = 0; i < EventStreams.PerAccountMax; i++)
            streams.Add(await Stream.Open(world, key));
        var refused = await world.Send(HttpMethod.Get, "/events/stream", null, ("X-API-Key", key));
        Assert.Equal((429, "rate_limit_exceeded"), (refused.Status, refused.ErrorCode));
        Assert.NotNull(refused.Header("Retry-After"));
        await using (await Stream.Open(world, await (await world.Account()).ApiKey()))
        {
        }

        await streams[0].DisposeAsync();
        // The server finds out when it writes the next event or a sign of life.
        await owner.SomethingHappens();
        await using var next = await Stream.OpenSoon(world, key);
        foreach (var stream in streams)
            await stream.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_stops_ends_its_streams_in_order()
    {
        var second = await World.StartOn(world.Database);
        await using var stream = await Stream.Open(second, key);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var stopping = second.App.DisposeAsync();
        Assert.False(await stream.HasNext());
        await stopping;
        second.Http.Dispose();
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
    }

    private sealed class Stream(HttpResponseMessage response, IAsyncEnumerator<SseItem<string>> items, string? firstId) : IAsyncDisposable
    {
        public HttpResponseMessage Response => response;

        public string? FirstId => firstId;

        public static async Task<Stream> Open(World world, string key, string query = "", string? lastEventId = null) =>
            await TryOpen(world, key, query, lastEventId) ?? throw new InvalidOperationException("The stream was refused.");

        public static async Task<Stream> OpenSoon(World world, string key)
        {
            for (var i = 0; i < 100; i++)
            {
                if (await TryOpen(world, key, "", null) is { } stream)
                    return stream;
                await Task.Delay(100, Ct);
            }

            throw new InvalidOperationException("There is never room for a stream.");
        }

        public async Task<(string Id, string Type, string Data)> Next()
        {
            Assert.True(await HasNext());
            return (parserId(), items.Current.EventType, items.Current.Data);

            string parserId() => items.Current.EventId!;
        }

        public Task<bool> HasNext() => items.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(15), Ct);

        public async ValueTask DisposeAsync()
        {
            response.Dispose();
            try
            {
                await items.DisposeAsync();
            }
            catch (NotSupportedException)
            {
                // It still waits for the next event.
            }
        }

        private static async Task<Stream?> TryOpen(World world, string key, string query, string? lastEventId)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/events/stream/{query}");
            request.Headers.Add("X-API-Key", key);
            if (lastEventId is not null)
                request.Headers.Add("Last-Event-ID", lastEventId);
            var response = await world.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            if (!response.IsSuccessStatusCode)
            {
                response.Dispose();
                return null;
            }

            var body = await response.Content.ReadAsStreamAsync(Ct);
            // The first block: how long to wait before coming again, and the number that it begins after.
            var lines = new List<string>();
            var line = new List<byte>();
            while (lines.LastOrDefault() != "")
            {
                var next = body.ReadByte();
                if (next == '\n')
                {
                    lines.Add(System.Text.Encoding.UTF8.GetString([.. line]));
                    line.Clear();
                }
                else
                {
                    line.Add((byte)next);
                }
            }

            Assert.Equal("retry: 2000", lines[0]);
            var items = SseParser.Create(body).EnumerateAsync(Ct).GetAsyncEnumerator(Ct);
            return new Stream(response, items, lines[1]["id: ".Length..]);
        }
    }
}
