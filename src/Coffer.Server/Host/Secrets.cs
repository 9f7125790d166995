using System.Security.Cryptography;
using System.Text;
using Coffer.Chains.Keys;

namespace Coffer.Server.Host;

/// <summary>Secrets in files of their own: read by nobody but their owner, which is checked.</summary>
internal static class Secrets
{
    /// <summary>The least characters of the secret that the server and its signer share.</summary>
    public const int SharedMin = 32;

    private const int BytesMax = 4_096;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>The bytes of a small file; the caller ends them.</summary>
    /// <param name="file">Its name.</param>
    /// <param name="what">What it is, for the sentence.</param>
    /// <exception cref="SetupFailure">It cannot be read, is too large, or others may read it.</exception>
    public static SecretBytes Read(string file, string what)
    {
        try
        {
            using var stream = new FileStream(file, new FileStreamOptions { BufferSize = 0 });
            if ((File.GetUnixFileMode(stream.SafeFileHandle) & Others) != 0)
                throw new SetupFailure($"The {what} {file} can be read or written by others: run chmod 600 {file}, and make a new one if it was exposed.");
            using var all = new SecretBytes(BytesMax + 1);
            var length = stream.ReadAtLeast(all.Span, all.Length, throwOnEndOfStream: false);
            if (length > BytesMax)
                throw new SetupFailure($"The {what} {file} is too large for one: check its name.");
            return new SecretBytes(all.Span[..length]);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The {what} {file} cannot be read: check its name and its rights ({fault.Message.TrimEnd('.')}).");
        }
    }

    /// <summary>The same without spaces and line ends around it: what a text editor adds.</summary>
    public static SecretBytes ReadText(string file, string what)
    {
        using var read = Read(file, what);
        return new SecretBytes(read.Span.Trim(" \t\r\n"u8));
    }

    /// <summary>The secret that the server and its signer share.</summary>
    public static string Shared(string file)
    {
        using var read = ReadText(file, "secret file");
        return read.Length >= SharedMin ? Encoding.UTF8.GetString(read.Span)
            : throw new SetupFailure($"The secret file {file} must hold at least {SharedMin} characters.");
    }

    /// <summary>Makes the secret that the server and its signer share, unless there is one.</summary>
    public static void MakeShared(string file, RandomBytes random)
    {
        if (File.Exists(file))
            return;
        Span<byte> bytes = stackalloc byte[SharedMin];
        random(bytes);
        PrivateFile.Write(file, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes) + "\n"));
        CryptographicOperations.ZeroMemory(bytes);
    }
}
