namespace Coffer.Server.Host;

/// <summary>A file that its owner alone may read and that is there whole or not at all, whatever dies while it is written.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void Write(string file, ReadOnlySpan<byte> content)
    {
        file = Path.GetFullPath(file);
        var unfinished = $"{file}.{Environment.ProcessId}.new";
        File.Delete(unfinished);
        using (var stream = new FileStream(unfinished, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        }))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(unfinished, file, overwrite: true);
    }
}
