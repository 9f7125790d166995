using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Coffer.Server.Events;
using Coffer.Server.Outbound;
using Coffer.Server.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using EventId = Coffer.Server.Events.EventId;

namespace Coffer.Bench;

/// <summary>
/// Events told to ten receivers of one account, one of which takes the request and never answers: how many deliveries a second when all are
/// there at once, against bare POSTs of the same bytes to the same receiver; and how long after the commit they arrive when events come
/// steadily. Receivers and worker share the machine's cores with PostgreSQL.
/// </summary>
internal static class WebhookBench
{
    private const int Endpoints = 10, Events = 10_000, EventsAtOnce = 50, BareAtOnce = 64;
    private const double SteadyShare = 0.5, SecondsMax = 2;
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(60);
    private static readonly string _data = $$"""{"deposit_id":"{{Guid.Empty}}","status":"confirmed","amount":"125.000000","n":"NUMBER"}""";

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var count = quick ? Events / 10 : Events;
        var arrived = new ConcurrentDictionary<(string Path, string Id), long>();
        await using var receiver = await Receive(arrived);
        var url = receiver.Urls.First();
        var account = await BenchAccounts.Make(rig, "webhooks", Mode.Test);
        var secrets = new EndpointSecrets(new EphemeralDataProtectionProvider(), RandomNumberGenerator.Fill);
        for (var i = 0; i < Endpoints; i++)
            await Endpoint(rig, secrets, account, i == 0 ? $"{url}/dead" : $"{url}/{i}");
        using var post = new PostOut(new NetworkRules([IPNetwork.Parse("127.0.0.0/8")], []), TimeProvider.System);
        var bare = await Bare(post, url, quick ? 2_000 : 10_000);
        await using var worker = new DeliverEvents(rig.Db, post, secrets, TimeProvider.System, RandomNumberGenerator.Fill, NullLogger.Instance);
        worker.Start();
        await All(arrived, Endpoints - 1);
        arrived.Clear();

        // All at once.
        var burst = count / 5;
        var watch = Stopwatch.StartNew();
        await Tell(rig, account, burst, perSecond: double.PositiveInfinity);
        await All(arrived, burst * (Endpoints - 1));
        var rate = burst * (Endpoints - 1) / watch.Elapsed.TotalSeconds;
        table.Add($"webhook deliveries a second, {burst:N0} events to {Endpoints} receivers, one dead", ResultTable.Number(rate),
            $"{ResultTable.Number(bare)} bare POSTs", $"{rate / bare * 100:F0} %", ">= 1,000/s", rate >= 1_000);
        arrived.Clear();

        // Steadily, at half of that.
        var told = await Tell(rig, account, count, rate * SteadyShare / (Endpoints - 1));
        await All(arrived, count * (Endpoints - 1));
        var waits = arrived.Select(one => (one.Value - told[one.Key.Id]) * 1_000.0 / Stopwatch.Frequency).Order().ToList();
        double At(double share) => waits[(int)(share * (waits.Count - 1))];
        table.Add($"  commit to arrival at {rate * SteadyShare:N0} a second, {count:N0} events", $"p50 {At(0.5):F0} ms, p95 {At(0.95):F0} ms",
            $"p99 {At(0.99):F0} ms", "", "p95 < 2 s", At(0.95) < SecondsMax * 1_000);
    }

    private static async Task<WebApplication> Receive(ConcurrentDictionary<(string, string), long> arrived)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        web.Run(async http =>
        {
            await http.Request.Body.CopyToAsync(Stream.Null);
            if (http.Request.Path == "/dead")
            {
                await Task.Delay(_silence, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            arrived.TryAdd((http.Request.Path, http.Request.Headers["webhook-id"].ToString()), Stopwatch.GetTimestamp());
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        });
        await web.StartAsync();
        return web;
    }

    private static async Task Endpoint(Rig rig, EndpointSecrets secrets, BenchAccount account, string url)
    {
        var key = new EndpointKey(account.Shard, new AccountId(account.Id), rig.Ids.New());
        var now = TimeProvider.System.GetUtcNow();
        await rig.Db.Transaction(async (tx, ct) =>
        {
            await tx.Write(account.Shard, new NewEvent(key.Account, now, EventType.EndpointPing, "{}") { OnlyEndpoint = key.Id }, ct);
            await tx.InsertEndpoint(new WebhookEndpoint(key, EndpointKind.Endpoint, url, null, null, EndpointState.Enabled, null,
                secrets.New(key.Id).Encrypted, null, null, 0, now, now), ct);
        }, CancellationToken.None);
    }

    /// <summary>Signed POSTs of the same size, by as many callers as the worker has places for nine lanes, nothing stored.</summary>
    private static async Task<double> Bare(PostOut post, string url, int count)
    {
        var body = System.Text.Encoding.UTF8.GetBytes($$"""{"type":"deposit.confirmed","timestamp":"2026-01-15T12:00:00Z","data":{{_data}}}""");
        var secret = new byte[EndpointSecrets.Length];
        var sent = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, BareAtOnce).Select(async _ =>
        {
            while (Interlocked.Increment(ref sent) is var number && number <= count)
            {
                var attempt = await post.Send(new Post($"{url}/bare", Mode.Test, $"bare_{number}", TimeProvider.System.GetUtcNow(), body, [secret]), CancellationToken.None);
                if (!attempt.Succeeded)
                    throw new InvalidOperationException($"A bare POST failed: {attempt}");
            }
        }));
        return count / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Tells the account so many things, in transactions of a few; answers when each had committed.</summary>
    private static async Task<Dictionary<string, long>> Tell(Rig rig, BenchAccount account, int count, double perSecond)
    {
        var id = new AccountId(account.Id);
        var told = new Dictionary<string, long>();
        var number = await rig.Sql($"SELECT last FROM event_head WHERE account_id = '{account.Id}'");
        var atOnce = double.IsInfinity(perSecond) ? EventsAtOnce * 10 : Math.Max(1, (int)(perSecond / 100));
        var watch = Stopwatch.StartNew();
        for (var done = 0; done < count;)
        {
            var some = Math.Min(atOnce, count - done);
            await rig.Db.Transaction((tx, ct) => tx.Write([.. Enumerable.Range(0, some).Select(_ => (account.Shard,
                new NewEvent(id, TimeProvider.System.GetUtcNow(), EventType.DepositConfirmed, _data)))], ct), CancellationToken.None);
            var now = Stopwatch.GetTimestamp();
            for (var i = 0; i < some; i++)
                told[EventId.Of(id, ++number)] = now;
            done += some;
            if (!double.IsInfinity(perSecond) && TimeSpan.FromSeconds(done / perSecond) - watch.Elapsed is { Ticks: > 0 } early)
                await Task.Delay(early);
        }

        return told;
    }

    private static async Task All(ConcurrentDictionary<(string, string), long> arrived, int count)
    {
        for (var (last, since) = (0, Stopwatch.StartNew()); arrived.Count < count;)
        {
            await Task.Delay(20);
            if (arrived.Count != last)
                (last, since) = (arrived.Count, Stopwatch.StartNew());
            else if (since.Elapsed > _silence)
                throw new InvalidOperationException($"Only {last:N0} of {count:N0} arrived.");
        }
    }
}
