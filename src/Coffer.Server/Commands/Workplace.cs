using Coffer.Chains;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Commands;

/// <summary>
/// What a command works on: the migrated database and what is made from it. A server owns the private cluster of its data folder; any
/// other command uses the cluster of a server that runs there, else starts it for as long as it needs it. Disposed last.
/// </summary>
internal sealed class Workplace : IAsyncDisposable
{
    private readonly EmbeddedCluster? _cluster;

    private Workplace(EmbeddedCluster? cluster, string connectionString, Db db, int shards, ConfigFiles files, TimeProvider time)
    {
        (_cluster, ConnectionString, Db, Shards, Clock) = (cluster, connectionString, db, shards, time);
        (Currencies, Chains) = (files.Currencies, files.Chains);
        Ids = new Ids(time, Random);
    }

    public string ConnectionString { get; }

    public Db Db { get; }

    public int Shards { get; }

    public Currencies Currencies { get; }

    /// <summary>The real chains that the operator has named; none without a chains file.</summary>
    public IReadOnlyList<ChainEntry> Chains { get; }

    public TimeProvider Clock { get; }

    public Ids Ids { get; }

    /// <summary>The operating system's generator.</summary>
    public RandomBytes Random { get; } = System.Security.Cryptography.RandomNumberGenerator.Fill;

    /// <summary>For a server, the only one on its data folder.</summary>
    public static Task<Workplace> Own(Place place, CancellationToken ct) => Open(place, EmbeddedCluster.Start, ct);

    /// <summary>For a command beside a server, or without one.</summary>
    /// <param name="mayMake">Whether an empty folder may become a new ledger; otherwise it is most likely mistyped.</param>
    /// <exception cref="SetupFailure">There is no ledger here and none may be made.</exception>
    public static Task<Workplace> Join(Place place, bool mayMake, CancellationToken ct)
    {
        if (!mayMake && place.Database is null && !Directory.Exists(ClusterFolder.In(place.Folder)))
            throw new SetupFailure($"There is no ledger in {place.Folder}: name its folder with --data or its database with --database, "
                + "or make one with `coffer migrate`.");
        return Open(place, EmbeddedCluster.Join, ct);
    }

    public async ValueTask DisposeAsync()
    {
        await Db.DisposeAsync();
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    private static async Task<Workplace> Open(
        Place place, Func<string, TimeProvider, CancellationToken, Task<EmbeddedCluster>> open, CancellationToken ct)
    {
        var time = TimeProvider.System;
        // Read before anything is started: a mistake in them should cost no wait.
        var files = ConfigFiles.Read(place.CurrenciesFile, place.ChainsFile);
        var given = place.Database is null ? null : DatabaseUrl.ToKeywords(place.Database);
        var cluster = given is null ? await open(place.Folder, time, ct) : null;
        Db? db = null;
        try
        {
            var connectionString = given ?? cluster!.ConnectionString;
            await Migrations.Apply(connectionString, time, ct);
            db = new Db(connectionString, time);
            var shards = await FixSettings.Shards(db, place.Shards, ct);
            await FixSettings.Currencies(db, files.Currencies, ct);
            return new Workplace(cluster, connectionString, db, shards, files, time);
        }
        catch
        {
            if (db is not null)
                await db.DisposeAsync();
            if (cluster is not null)
                await cluster.DisposeAsync();
            throw;
        }
    }
}
