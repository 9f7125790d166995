using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Coffer.Server;

/// <summary>
/// The running server: composition, read top to bottom. Started by the command line with a migrated database, and by tests.
/// Disposing it stops listening, lets running requests finish, then ends the writers and the connections.
/// </summary>
internal sealed class App : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly LedgerWriters _ledger;

    private App(WebApplication web, Db db, LedgerWriters ledger) => (_web, Db, _ledger) = (web, db, ledger);

    /// <summary>Where it listens, without a final slash.</summary>
    public string BaseUrl => _web.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
        .Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public Db Db { get; }

    public LedgerWriters Ledger => _ledger;

    /// <summary>The routes, for tests that look at all of them.</summary>
    public IReadOnlyList<Endpoint> Endpoints => ((IEndpointRouteBuilder)_web).DataSources.SelectMany(source => source.Endpoints).ToList();

    public static async Task<App> Start(Settings settings, string connectionString, int shards, Currencies currencies, TimeProvider time,
        RandomBytes random, CancellationToken ct)
    {
        var db = new Db(connectionString, time);
        var ids = new Ids(time, random);
        var ledger = new LedgerWriters(shards, db, ids, time);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Input.BodyBytesMax;
        });
        builder.WebHost.UseUrls($"http://{settings.Host}:{settings.Port}");
        var web = builder.Build();
        var outer = new Outer(ids, web.Services.GetRequiredService<ILogger<Outer>>());
        web.Use(next => http => outer.Run(http, next));
        web.UseRouting();
        await web.StartAsync(ct);
        return new App(web, db, ledger);
    }

    /// <summary>Completes when the process is asked to end.</summary>
    public Task WaitForShutdown(CancellationToken ct) => _web.WaitForShutdownAsync(ct);

    public async ValueTask DisposeAsync()
    {
        await _web.StopAsync();
        await _web.DisposeAsync();
        await _ledger.DisposeAsync();
        await Db.DisposeAsync();
    }
}
