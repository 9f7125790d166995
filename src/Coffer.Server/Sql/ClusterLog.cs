namespace Coffer.Server.Sql;

/// <summary>PostgreSQL's own log in the cluster folder, from the moment of this start.</summary>
internal sealed class ClusterLog
{
    internal const string Name = "postgresql.log";
    private const long BytesMax = 16 << 20;
    private readonly string path;
    private readonly long start;

    /// <summary>Sets a log aside that has grown too long (one older one is kept) and remembers where the new start begins.</summary>
    internal ClusterLog(string folder)
    {
        path = Path.Combine(folder, Name);
        var file = new FileInfo(path);
        start = file.Exists ? file.Length : 0;
        if (start <= BytesMax) return;
        File.Move(path, path + ".1", overwrite: true);
        start = 0;
    }

    /// <summary>The last reason PostgreSQL gave for not starting, or null if it gave none.</summary>
    internal string? Failure()
    {
        if (!File.Exists(path)) return null;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = start;
        var lines = new StreamReader(stream).ReadToEnd().Split('\n');
        return lines.LastOrDefault(l => l.Contains("FATAL: ", StringComparison.Ordinal) || l.Contains("PANIC: ", StringComparison.Ordinal))
            ?? lines.LastOrDefault(l => l.Length > 0);
    }
}
