using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Coffer.Server.Auth;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Outbound;
using Coffer.Server.Sql;
using Coffer.Server.Webhooks;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coffer.Tests.Webhooks;

/// <summary>An account with endpoints on a database of its own, and the worker that delivers to them, turned by hand.</summary>
internal sealed class DeliveryWorld : IAsyncDisposable
{
    public const short Shard = 0;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private readonly DirectoryInfo _keys = Directory.CreateTempSubdirectory("coffer-keys-");

    private DeliveryWorld(string database, TimeProvider time, Account account)
    {
        (Database, Time, Account) = (database, time, account);
        Db = new Db(database, time);
        Ids = new Ids(time, RandomNumberGenerator.Fill);
        Secrets = new EndpointSecrets(DataProtectionProvider.Create(_keys), RandomNumberGenerator.Fill);
    }

    public string Database { get; }

    /// <summary>The folder of the keys, so that another process can read the secrets.</summary>
    public string Keys => _keys.FullName;

    public Db Db { get; }

    public Ids Ids { get; }

    public TimeProvider Time { get; }

    public Account Account { get; }

    public EndpointSecrets Secrets { get; }

    public static async Task<DeliveryWorld> Start(TestCluster cluster, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        var world = new DeliveryWorld(await cluster.NewDatabase(), clock,
            new Account(new AccountId(new Guid(7, 7, 7, new byte[8])), Shard, Mode.Test, "shop", clock.GetUtcNow()));
        await world.Db.Transaction((tx, ct) => tx.Insert(world.Account, ct), default);
        return world;
    }

    /// <summary>A worker of its own, as another server on the same database would have.</summary>
    public DeliverEvents Worker(TimeProvider? time = null, Db? db = null, EndpointSecrets? secrets = null, ILogger? log = null,
        Action<string>? at = null) =>
        new(db ?? Db, NewPost(), secrets ?? Secrets, time ?? Time, RandomNumberGenerator.Fill, log ?? NullLogger.Instance, at: at);

    public static PostOut NewPost() => new(new NetworkRules([IPNetwork.Parse("127.0.0.0/8")], []), TimeProvider.System);

    /// <summary>An endpoint that has answered its ping, unless it is said to be pending.</summary>
    public async Task<EndpointKey> Endpoint(string url, string[]? types = null, EndpointState state = EndpointState.Enabled)
    {
        var key = new EndpointKey(Shard, Account.Id, Ids.New());
        var now = Time.GetUtcNow();
        await Db.Transaction(async (tx, ct) =>
        {
            await tx.Write(Shard, new NewEvent(Account.Id, now, EventType.EndpointPing, $$"""{"endpoint_id":"{{key.Id}}"}""") { OnlyEndpoint = key.Id }, ct);
            await tx.InsertEndpoint(new WebhookEndpoint(key, EndpointKind.Endpoint, url, null, types, state, null, Secrets.New(key.Id).Encrypted,
                null, null, 0, now, now), ct);
        }, default);
        return key;
    }

    /// <summary>Tells the account so many things.</summary>
    public Task Tell(int count, string type = EventType.DepositReceived, string? callback = null) => Db.Transaction((tx, ct) => tx.Write(
        [.. Enumerable.Range(0, count).Select(i => (Shard, new NewEvent(Account.Id, Time.GetUtcNow(), type, $$"""{"n":{{i}}}""") { CallbackUrl = callback }))],
        ct), default);

    /// <summary>Turns the worker until it is so.</summary>
    public static async Task Until(DeliverEvents worker, Func<bool> so)
    {
        for (var waiting = Stopwatch.StartNew(); !so();)
        {
            Assert.True(waiting.Elapsed < _patience, "It did not happen.");
            if (!await worker.Turn(default))
                await Task.Delay(5);
        }

        await Settle(worker);
    }

    /// <summary>Turns the worker until nothing is under way and nothing is due.</summary>
    public static async Task Settle(DeliverEvents worker)
    {
        for (var waiting = Stopwatch.StartNew(); await worker.Turn(default) || worker.Taken > 0;)
        {
            Assert.True(waiting.Elapsed < _patience, "It does not come to rest.");
            await Task.Delay(2);
        }
    }

    public async Task<T> Scalar<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is T value ? value : default!;
    }

    public async ValueTask DisposeAsync()
    {
        await Db.DisposeAsync();
        _keys.Delete(recursive: true);
    }
}
