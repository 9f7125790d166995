using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Coffer.Server.Sql;

/// <summary>
/// The PostgreSQL processes of one cluster folder, as the operating system shows them. A process is known by the name of the cluster in
/// its command line, never by a number alone: after a crash the number in postmaster.pid may belong to anybody. The name comes from
/// the folder's real path, so a copied folder does not lead to the processes of the original.
/// </summary>
internal sealed class Postmaster(string folder)
{
    internal const int Interrupt = 2, Quit = 3, Kill = 9;
    private const int StatusLine = 7;

    /// <summary>Shown by ps as part of the title of every process of the cluster.</summary>
    internal string Name { get; } = "coffer-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(RealPath(folder))))[..12];

    /// <summary>The postmaster that holds the folder and what it says of itself (starting, ready, stopping), or null if none runs.</summary>
    internal (int Pid, string Status)? Running()
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(Path.Combine(folder, "postmaster.pid"));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        if (lines.Length == 0 || !int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid) || !IsOurs(pid)) return null;
        return (pid, lines.Length > StatusLine ? lines[StatusLine].Trim() : "starting");
    }

    /// <summary>Every process of the cluster; after the postmaster was killed its children may still be at work for a moment.</summary>
    internal List<int> Processes() =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && IsOurs(pid))];

    internal static void Signal(int pid, int signal) => _ = kill(pid, signal);

    // A zombie has an empty command line, so it counts as gone.
    internal bool IsOurs(int pid)
    {
        try
        {
            var words = File.ReadAllText($"/proc/{pid}/cmdline");
            return words.Contains("cluster_name=" + Name, StringComparison.Ordinal)
                || words.StartsWith($"postgres: {Name}: ", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string RealPath(string path)
    {
        var resolved = realpath(path, 0);
        if (resolved == 0) return path;
        var text = Marshal.PtrToStringUTF8(resolved)!;
        free(resolved);
        return text;
    }

#pragma warning disable SYSLIB1054, IDE1006 // three calls without any marshalling to generate; they keep the names of the C library
    [DllImport("libc")]
    private static extern int kill(int pid, int signal);

    [DllImport("libc")]
    private static extern nint realpath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, nint buffer);

    [DllImport("libc")]
    private static extern void free(nint pointer);
#pragma warning restore SYSLIB1054, IDE1006
}
