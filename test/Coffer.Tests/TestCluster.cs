using Coffer.Server.Sql;
using Npgsql;

[assembly: AssemblyFixture(typeof(Coffer.Tests.TestCluster))]

namespace Coffer.Tests;

/// <summary>
/// One real PostgreSQL for the whole test run. A test class takes it as a constructor argument and asks for a database of its own, a copy of
/// a migrated template. Stopped and deleted at the end, also after failures; what a killed run left behind, the next one removes.
/// Without fsync: tests that are about durability start a cluster of their own.
/// </summary>
public sealed class TestCluster : IAsyncLifetime
{
    private const string Prefix = "coffer-tests-", Template = "coffer_template";
    private static readonly TimeSpan LeftOverAge = TimeSpan.FromMinutes(1);
    private readonly SemaphoreSlim starting = new(1);
    private string? folder;
    private EmbeddedCluster? cluster;
    private int databases;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The connection string of a fresh database with the current schema.</summary>
    public Task<string> NewDatabase() => Create(Template);

    /// <summary>The connection string of a fresh database without anything in it.</summary>
    public Task<string> NewEmptyDatabase() => Create("template0");

    /// <summary>A database of <see cref="NewDatabase"/> as a superuser: for tests that do what the application may not.</summary>
    public static string AsSuperuser(string database) =>
        new NpgsqlConnectionStringBuilder(database) { Username = ClusterSettings.Superuser, Pooling = false }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null) await cluster.DisposeAsync();
        if (folder is not null) Directory.Delete(folder, recursive: true);
    }

    private async Task<string> Create(string template)
    {
        var owner = (await Started()).ConnectionString;
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await Execute(owner, $"CREATE DATABASE {name} TEMPLATE {template}");
        // Small pools: many tests share the server's connections.
        return new NpgsqlConnectionStringBuilder(owner)
        {
            Database = name,
            MaxPoolSize = 20,
            ConnectionIdleLifetime = 5,
            ConnectionPruningInterval = 2,
        }.ConnectionString;
    }

    // Only runs that need a database wait for one.
    private async Task<EmbeddedCluster> Started()
    {
        await starting.WaitAsync();
        try
        {
            if (cluster is not null) return cluster;
            await RemoveLeftOvers();
            folder = Directory.CreateTempSubdirectory(Prefix).FullName;
            var started = await EmbeddedCluster.Start(folder, ClusterSettings.Forgetful, TimeProvider.System, CancellationToken.None);
            await Execute(started.ConnectionString, $"CREATE DATABASE {Template}");
            // Unpooled: a database with an open connection cannot be copied.
            var template = new NpgsqlConnectionStringBuilder(started.ConnectionString) { Database = Template, Pooling = false };
            await Migrations.Apply(template.ConnectionString, TimeProvider.System, CancellationToken.None);
            return cluster = started;
        }
        finally
        {
            starting.Release();
        }
    }

    private static async Task RemoveLeftOvers()
    {
        foreach (var left in Directory.GetDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            if (TimeProvider.System.GetUtcNow() - Directory.GetCreationTimeUtc(left) < LeftOverAge) continue;
            try
            {
                await (await EmbeddedCluster.Start(left, ClusterSettings.Forgetful, TimeProvider.System, CancellationToken.None)).DisposeAsync();
                Directory.Delete(left, recursive: true);
            }
            catch (Exception e) when (e is Server.Host.SetupFailure or IOException or UnauthorizedAccessException)
            {
                // Another run is using it, or it is another user's.
            }
        }
    }

    private static async Task Execute(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
