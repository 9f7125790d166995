using System.Diagnostics;
using System.Text.RegularExpressions;
using Coffer.Server.Host;

namespace Coffer.Server.Sql;

/// <summary>The system's own PostgreSQL programs: a folder with <c>initdb</c> and <c>postgres</c>, and their major version.</summary>
internal sealed partial record PostgresPrograms(string Folder, int Major)
{
    internal const int OldestMajor = 15;
    private const string DebianRoot = "/usr/lib/postgresql";

    internal string Initdb => Path.Combine(Folder, "initdb");

    internal string Postgres => Path.Combine(Folder, "postgres");

    /// <summary>The programs for a new cluster (<paramref name="clusterMajor"/> null), or those that can open an existing one: PostgreSQL
    /// only reads clusters of its own major version, so after a system upgrade the older programs are still the right ones.</summary>
    internal static PostgresPrograms Find(int? clusterMajor)
    {
        var installed = new List<PostgresPrograms>();
        foreach (var folder in Candidates())
        {
            if (MajorOf(folder) is not { } major) continue;
            if (clusterMajor is null ? major >= OldestMajor : major == clusterMajor) return new PostgresPrograms(folder, major);
            installed.Add(new PostgresPrograms(folder, major));
        }
        var found = string.Join(", ", installed.Select(i => i.Major).Distinct().Order());
        throw (installed.Count, clusterMajor) switch
        {
            (0, _) => new SetupFailure(
                $"PostgreSQL is not installed: run `apt-get install postgresql` (version {OldestMajor} or later), or set a connection string."),
            (_, null) => new SetupFailure(
                $"PostgreSQL {OldestMajor} or later is needed but only {found} is installed: run `apt-get install postgresql`."),
            _ => new SetupFailure(
                $"The data folder belongs to PostgreSQL {clusterMajor} but only {found} is installed: run `apt-get install postgresql-{clusterMajor}`."),
        };
    }

    private static IEnumerable<string> Candidates()
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        var debian = !Directory.Exists(DebianRoot)
            ? []
            : Directory.GetDirectories(DebianRoot)
                .OrderByDescending(d => int.TryParse(Path.GetFileName(d), out var n) ? n : 0)
                .Select(d => Path.Combine(d, "bin"));
        return onPath.Concat(debian).Where(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")));
    }

    private static int? MajorOf(string folder)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(folder, "postgres"), "--version") { RedirectStandardOutput = true });
        var line = process!.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return VersionLine().Match(line) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan) : null;
    }

    [GeneratedRegex(@"\(PostgreSQL\) (\d+)")]
    private static partial Regex VersionLine();
}
