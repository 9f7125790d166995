using System.Diagnostics;
using Coffer.Server.Host;

namespace Coffer.Server.Sql;

/// <summary>
/// Who PostgreSQL runs as. It refuses to run as root, so a server started as root hands the cluster folder to another user:
/// Debian's <c>postgres</c>, else <c>nobody</c>, or whoever owns an existing cluster. That user need not be able to reach the folder: the
/// data folder may lie below /root or be closed to everybody. Every program is started inside the folder and names it by an open file
/// descriptor, which needs no permission on the folders above.
/// </summary>
internal sealed record ClusterUser(string? UidGid)
{
    /// <summary>The cluster folder as the started programs see it.</summary>
    internal const string Folder = "/proc/self/fd/9";

    internal static async Task<ClusterUser> Of(string clusterFolder, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess) return new ClusterUser((string?)null);
        if (!Directory.Exists(clusterFolder)) return new ClusterUser(Unprivileged());
        var owner = (await Run("stat", ["-c", "%u:%g", clusterFolder], ct)).Trim();
        if (!owner.StartsWith("0:", StringComparison.Ordinal)) return new ClusterUser(owner);
        // Somebody copied or restored the folder as root.
        var user = new ClusterUser(Unprivileged());
        await user.Own(clusterFolder, ct);
        return user;
    }

    internal async Task Own(string folder, CancellationToken ct)
    {
        if (UidGid is not null) await Run("chown", ["-R", "-h", UidGid, folder], ct);
    }

    /// <summary>Starts a shell script inside <paramref name="folder"/> as this user, with <paramref name="arguments"/> as its $1, $2...</summary>
    internal Process Start(string folder, string script, IEnumerable<string> arguments)
    {
        string[] shell = ["/bin/sh", "-c", "exec 9<. && cd / && " + script, "sh"];
        string[] words = UidGid?.Split(':') is [var uid, var gid]
            ? ["setpriv", "--reuid", uid, "--regid", gid, "--clear-groups", "--", .. shell]
            : shell;
        var start = new ProcessStartInfo(words[0], words.Skip(1).Concat(arguments))
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";
        return Process.Start(start)!;
    }

    internal static async Task<string> Run(string program, IEnumerable<string> arguments, CancellationToken ct)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        return await Finish(process, ct);
    }

    /// <summary>Waits for the end; returns what was printed, or fails with the last line of what was complained about.</summary>
    internal static async Task<string> Finish(Process process, CancellationToken ct)
    {
        var error = process.StandardError.ReadToEndAsync(ct);
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        var complaint = (await error).Trim();
        await process.WaitForExitAsync(ct);
        if (process.ExitCode == 0) return output;
        var line = complaint.Split('\n').FirstOrDefault(l => l.Contains("error", StringComparison.OrdinalIgnoreCase)) ?? complaint;
        throw new SetupFailure($"The private PostgreSQL cannot be set up: {line.Trim()}");
    }

    private static string Unprivileged()
    {
        var users = File.ReadLines("/etc/passwd").Select(l => l.Split(':')).Where(f => f.Length > 3).ToLookup(f => f[0]);
        var user = users["postgres"].Concat(users["nobody"]).FirstOrDefault()
            ?? throw new SetupFailure("PostgreSQL does not run as root and there is no user `postgres` or `nobody`: add one of them.");
        return $"{user[2]}:{user[3]}";
    }
}
