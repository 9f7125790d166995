using System.Diagnostics;
using System.Text;
using Coffer.Server.Host;
using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>
/// The private PostgreSQL of a server without a connection string: a cluster in the data folder, reached over a unix socket, stopped with the
/// server. Started once by Program, before anything else touches SQL; disposed last.
///
/// Guarantees: one server per data folder (a lock that dies with its holder); durable commits; nobody but the cluster's user and root gets in
/// (the socket lies in the cluster folder, which is closed to everybody else, so local trust is enough).
///
/// If the process dies here: during the first start, a half-made cluster has another name and is thrown away next time. Later, PostgreSQL
/// may stay behind; the next start takes it over and cuts the connections of the dead server, or, if the postmaster is gone too, ends
/// what is left of its children and lets PostgreSQL recover.
/// </summary>
internal sealed class EmbeddedCluster : IAsyncDisposable
{
    /// <summary>Owns the database and is no superuser: what the migrations revoke from the owner would not bind one.</summary>
    private const string Role = "coffer", Database = "coffer";

    private const int SocketPathBytesMax = 107;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan OrphanPatience = TimeSpan.FromSeconds(3);

    private readonly TimeProvider time;
    private readonly string folder;
    private readonly Postmaster postmaster;
    private readonly FileStream? folderLock;
    private readonly string host;
    private readonly string? shortPath;

    private EmbeddedCluster(string folder, FileStream? folderLock, TimeProvider time)
    {
        this.time = time;
        this.folder = folder;
        this.folderLock = folderLock;
        postmaster = new Postmaster(folder);
        host = folder;
        if (Encoding.UTF8.GetByteCount(folder + "/.s.PGSQL.5432") > SocketPathBytesMax)
        {
            // A socket's path may not be longer; a link in a private folder names the same socket in fewer bytes.
            shortPath = Directory.CreateTempSubdirectory("coffer-").FullName;
            host = Path.Combine(shortPath, "s");
            File.CreateSymbolicLink(host, folder);
        }
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Username = Role,
            Database = Database,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
    }

    /// <summary>Npgsql keywords for the database `coffer`, as its owner.</summary>
    internal string ConnectionString { get; }

    internal static Task<EmbeddedCluster> Start(string dataFolder, TimeProvider time, CancellationToken ct) =>
        Start(dataFolder, ClusterSettings.Durable, time, ct);

    internal static async Task<EmbeddedCluster> Start(string dataFolder, string settings, TimeProvider time, CancellationToken ct)
    {
        dataFolder = Path.GetFullPath(dataFolder);
        var folderLock = Lock(dataFolder)
            ?? throw new SetupFailure($"Another Coffer server runs on the data folder {dataFolder}: stop it, or choose another folder.");
        return await Start(dataFolder, folderLock, settings, time, ct);
    }

    /// <summary>For a command beside a server: uses the cluster of a server that runs on this folder, else starts it for the time of the command.</summary>
    internal static async Task<EmbeddedCluster> Join(string dataFolder, TimeProvider time, CancellationToken ct)
    {
        dataFolder = Path.GetFullPath(dataFolder);
        while (true)
        {
            if (Lock(dataFolder) is { } folderLock) return await Start(dataFolder, folderLock, ClusterSettings.Durable, time, ct);
            var folder = ClusterFolder.In(dataFolder);
            if (new Postmaster(folder).Running() is (_, "ready")) return new EmbeddedCluster(folder, null, time);
            await Task.Delay(Poll, time, ct);
        }
    }

    private static async Task<EmbeddedCluster> Start(
        string dataFolder, FileStream folderLock, string settings, TimeProvider time, CancellationToken ct)
    {
        EmbeddedCluster? cluster = null;
        try
        {
            var (folder, user, programs) = await ClusterFolder.Prepare(dataFolder, time, ct);
            cluster = new EmbeddedCluster(folder, folderLock, time);
            var adopted = await cluster.Adopt(ct);
            if (!adopted) await cluster.Launch(user, programs, settings, ct);
            await cluster.Enter(adopted, ct);
            return cluster;
        }
        catch (Exception e)
        {
            if (cluster is null) await folderLock.DisposeAsync();
            else await cluster.DisposeAsync();
            if (e is UnauthorizedAccessException) throw new SetupFailure($"The data folder {dataFolder} belongs to another user: {e.Message}");
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (var pool = new NpgsqlConnection(ConnectionString)) NpgsqlConnection.ClearPool(pool);
        if (shortPath is not null) Directory.Delete(shortPath, recursive: true);
        if (folderLock is null) return;
        if (postmaster.Running() is var (pid, _))
        {
            // What `pg_ctl stop -m fast` does, without its waits. If even that hangs: stop hard, the next start recovers.
            Postmaster.Signal(pid, Postmaster.Interrupt);
            if (!await Gone(() => postmaster.IsOurs(pid), StopPatience)) Postmaster.Signal(pid, Postmaster.Quit);
            await Gone(() => postmaster.IsOurs(pid), StopPatience);
        }
        await folderLock.DisposeAsync();
    }

    private static FileStream? Lock(string dataFolder)
    {
        try
        {
            Directory.CreateDirectory(dataFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new FileStream(Path.Combine(dataFolder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException) && Directory.Exists(dataFolder))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The data folder {dataFolder} cannot be made or written: choose another one, or run as its owner ({e.Message}).");
        }
    }

    /// <summary>Takes over a PostgreSQL that outlived its server. False if there is none, or it is on its way out (then: after it is gone).</summary>
    private async Task<bool> Adopt(CancellationToken ct)
    {
        while (postmaster.Running() is var (_, status))
        {
            if (status == "ready") return true;
            await Task.Delay(Poll, time, ct);
        }
        return false;
    }

    private async Task Launch(ClusterUser user, PostgresPrograms programs, string settings, CancellationToken ct)
    {
        var orphans = postmaster.Processes();
        foreach (var pid in orphans) Postmaster.Signal(pid, Postmaster.Quit);
        if (!await Gone(() => orphans.Any(postmaster.IsOurs), OrphanPatience))
            foreach (var pid in orphans.Where(postmaster.IsOurs)) Postmaster.Signal(pid, Postmaster.Kill);
        await Gone(() => orphans.Any(postmaster.IsOurs), OrphanPatience);
        // A process that was killed is off the list before its socket is closed.
        await Gone(() => ClusterFolder.IsInUse(folder, host), OrphanPatience);
        ClusterFolder.RemoveStaleLocks(folder, host);

        var log = new ClusterLog(folder);
        using var process = user.Start(folder, ClusterSettings.LaunchScript, [settings, programs.Postgres, postmaster.Name]);
        while (postmaster.Running() is not (_, "ready"))
        {
            if (process.HasExited) throw new SetupFailure($"PostgreSQL does not start: {log.Failure() ?? await Complaint(process, ct)}");
            await Task.Delay(Poll, time, ct);
        }
    }

    private static async Task<string> Complaint(Process process, CancellationToken ct) =>
        (await process.StandardError.ReadToEndAsync(ct)).Trim();

    private async Task Enter(bool adopted, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        NpgsqlConnection.ClearPool(connection); // a pool of this process may remember an earlier life of the cluster
        try
        {
            await connection.OpenAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState
            is PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            await CreateDatabase(ct);
            return;
        }
        if (!adopted) return;
        // Waited for, so that nothing of the dead server can still write when this one begins.
        await using var cut = new NpgsqlCommand(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND usename = current_user
            """, connection);
        await cut.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The first start; also what a first start that died in the middle left to do.</summary>
    private async Task CreateDatabase(CancellationToken ct)
    {
        await using var first = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString)
        {
            Database = "postgres",
            Username = ClusterSettings.Superuser,
            Pooling = false,
        }.ConnectionString);
        await first.OpenAsync(ct);
        await using var known = new NpgsqlCommand($"SELECT count(*) FROM pg_roles WHERE rolname = '{Role}'", first);
        // CREATEDB is for tests, which copy a migrated database; it gives no power over what is in one.
        if ((long)(await known.ExecuteScalarAsync(ct))! == 0)
        {
            await using var role = new NpgsqlCommand($"CREATE ROLE {Role} LOGIN NOSUPERUSER NOCREATEROLE CREATEDB", first);
            await role.ExecuteNonQueryAsync(ct);
        }

        await using var create = new NpgsqlCommand($"CREATE DATABASE {Database} OWNER {Role}", first);
        await create.ExecuteNonQueryAsync(ct);
    }

    private async Task<bool> Gone(Func<bool> present, TimeSpan patience)
    {
        var start = time.GetTimestamp();
        while (present())
        {
            if (time.GetElapsedTime(start) > patience) return false;
            await Task.Delay(Poll, time, CancellationToken.None);
        }
        return true;
    }
}
