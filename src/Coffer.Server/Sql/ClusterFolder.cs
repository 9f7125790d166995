using System.Globalization;
using System.Net.Sockets;
using Coffer.Server.Host;

namespace Coffer.Server.Sql;

/// <summary>The cluster's files. A cluster is made under another name and renamed when it is complete and on the disk, so the folder
/// named `cluster` is always one that PostgreSQL can start.</summary>
internal static class ClusterFolder
{
    private const string Unfinished = "cluster.new-";
    private static readonly string[] LockFiles = ["postmaster.pid", ".s.PGSQL.5432.lock"];

    internal static string In(string dataFolder) => Path.Combine(dataFolder, "cluster");

    /// <summary>Makes the cluster at the first start; finds the programs that can open it and the user they run as.</summary>
    internal static async Task<(string Folder, ClusterUser User, PostgresPrograms Programs)> Prepare(
        string dataFolder, TimeProvider time, CancellationToken ct)
    {
        var folder = In(dataFolder);
        foreach (var left in Directory.GetDirectories(dataFolder, Unfinished + "*")) Discard(left);
        if (Directory.Exists(folder))
            return (folder, await ClusterUser.Of(folder, ct), PostgresPrograms.Find(await Major(folder, ct)));

        var programs = PostgresPrograms.Find(clusterMajor: null);
        var user = await ClusterUser.Of(folder, ct);
        var unfinished = Path.Combine(dataFolder, string.Create(
            CultureInfo.InvariantCulture, $"{Unfinished}{Environment.ProcessId}-{time.GetUtcNow().UtcTicks}"));
        Directory.CreateDirectory(unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await user.Own(unfinished, ct);
        using (var process = user.Start(unfinished, ClusterSettings.InitScript, [programs.Initdb]))
            await ClusterUser.Finish(process, ct);
        Directory.Move(unfinished, folder);
        await ClusterUser.Run("sync", [dataFolder], ct);
        return (folder, user, programs);
    }

    /// <summary>
    /// After a reboot the number in a left-over lock file may belong to a stranger of the same user (Debian's own cluster), and just after
    /// a kill the dead process may still have its number; PostgreSQL would refuse to start. The caller holds the lock of the data folder
    /// and has seen that no process of this cluster is left here; the socket tells of one that the process list does not show (another
    /// container on the same files).
    /// </summary>
    internal static void RemoveStaleLocks(string folder, string socketFolder)
    {
        if (IsInUse(folder, socketFolder))
            throw new SetupFailure($"A PostgreSQL that Coffer did not start runs on {folder}: stop it first.");
        foreach (var file in Locks(folder)) File.Delete(file);
    }

    /// <summary>Whether there are lock files, and somebody listens at the socket.</summary>
    internal static bool IsInUse(string folder, string socketFolder)
    {
        if (!Locks(folder).Any()) return false;
        // Without waiting: somebody who has stopped taking connections is there all the same.
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(Path.Combine(socketFolder, ".s.PGSQL.5432")));
            return true;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode == SocketError.WouldBlock;
        }
    }

    private static IEnumerable<string> Locks(string folder) => LockFiles.Select(name => Path.Combine(folder, name)).Where(File.Exists);

    private static async Task<int> Major(string folder, CancellationToken ct)
    {
        try
        {
            return int.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "PG_VERSION"), ct), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is FileNotFoundException or FormatException)
        {
            throw new SetupFailure($"{folder} is not a PostgreSQL cluster: move it away, or choose another data folder.");
        }
    }

    // An initdb that outlived its server may still be writing there; then the rest goes at the next start.
    private static void Discard(string unfinished)
    {
        try
        {
            Directory.Delete(unfinished, recursive: true);
        }
        catch (IOException)
        {
        }
    }
}
