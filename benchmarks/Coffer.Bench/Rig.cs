using System.Security.Cryptography;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Bench;

/// <summary>A private, durable PostgreSQL with the current schema in a temporary folder; gone afterwards.</summary>
internal sealed class Rig : IAsyncDisposable
{
    /// <summary>Segments of the write-ahead log, 16 MB each, that are made before anything is measured; a quick run writes less.</summary>
    private const int WalSegments = 180, WalSegmentsQuick = 40;

    private readonly EmbeddedCluster _cluster;
    private readonly string _folder;

    private Rig(EmbeddedCluster cluster, string folder)
    {
        (_cluster, _folder) = (cluster, folder);
        Db = new Db(cluster.ConnectionString, TimeProvider.System);
        Ids = new Ids(TimeProvider.System, RandomNumberGenerator.Fill);
    }

    public Db Db { get; }

    public Ids Ids { get; }

    public string ConnectionString => _cluster.ConnectionString;

    public static async Task<Rig> Start(bool quick)
    {
        var folder = Directory.CreateTempSubdirectory("coffer-bench-").FullName;
        var cluster = await EmbeddedCluster.Start(folder, TimeProvider.System, CancellationToken.None);
        await Migrations.Apply(cluster.ConnectionString, TimeProvider.System, CancellationToken.None);
        var rig = new Rig(cluster, folder);
        await rig.MakeWal(quick ? WalSegmentsQuick : WalSegments);
        return rig;
    }

    /// <summary>
    /// A server that runs for long writes into segments of the log that it has used before. A new one makes each of them when it needs it, and
    /// all commits wait meanwhile: that would measure the first minutes of a database's life.
    /// </summary>
    private async Task MakeWal(int segments)
    {
        var superuser = new Npgsql.NpgsqlConnectionStringBuilder(_cluster.ConnectionString) { Username = ClusterSettings.Superuser };
        await using var source = Npgsql.NpgsqlDataSource.Create(superuser.ConnectionString);
        for (var i = 0; i < segments; i++)
        {
            await using var next = source.CreateCommand("SELECT pg_logical_emit_message(false, '', ''); SELECT pg_switch_wal()");
            await next.ExecuteNonQueryAsync();
        }

        // What it ends, it keeps for later.
        await using var checkpoint = source.CreateCommand("CHECKPOINT");
        await checkpoint.ExecuteNonQueryAsync();
    }

    /// <summary>Runs SQL that is no part of the product: filling tables, looking at their sizes.</summary>
    public async Task<long> Sql(string sql)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(_cluster.ConnectionString);
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 600;
        return await command.ExecuteScalarAsync() is { } value and not DBNull ? Convert.ToInt64(value) : 0;
    }

    /// <summary>The first process of PostgreSQL; the others are its children.</summary>
    public int Postmaster => int.Parse(File.ReadLines(Path.Combine(_folder, "cluster", "postmaster.pid")).First());

    public async ValueTask DisposeAsync()
    {
        await Db.DisposeAsync();
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
