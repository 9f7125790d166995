using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Chains.Keys;
using Coffer.Server.Host;

namespace Coffer.Server.Signer;

/// <summary>The log cannot be written any more: nothing may be signed.</summary>
internal sealed class LogFault(string sentence, Exception? cause = null) : Exception(sentence, cause);

/// <summary>
/// The signer's append-only log, one JSON object per line. Each line names the code of the line before and ends with its own, made with a
/// key of the keystore (HMAC-SHA-256): nobody without that key can change, remove, add or swap a line unseen. What is missing at the very
/// end cannot be seen from the file alone, so it should be copied to where the signer's machine cannot delete it.
///
/// A line is on the disk before what it says leaves the process. If the process dies while it writes one, the line has no end: it is cut
/// off at the next start, and nothing was signed for it. One process at a time has the file. Not for concurrent callers.
/// </summary>
internal sealed class SignerLog : IDisposable
{
    private const int HexDigits = 64, ReadBytes = 1 << 16, LineBytesMax = 8 * 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string _none = new('0', HexDigits);
    private static readonly byte[] _mark = ",\"mac\":\""u8.ToArray();

    private readonly FileStream file;
    private readonly SecretBytes key;
    private readonly TimeProvider time;
    private string last = _none;
    private long number;
    private bool broken;

    private SignerLog(FileStream file, SecretBytes key, TimeProvider time) => (this.file, this.key, this.time) = (file, key, time);

    /// <summary>The time of the last line; a clock that goes back does not go behind it.</summary>
    public DateTimeOffset LastAt { get; private set; }

    /// <summary>The lines so far.</summary>
    public long Lines => number;

    /// <summary>Bytes of a line without end that were cut off at the start; 0: none.</summary>
    public long CutBytes { get; private set; }

    /// <summary>Makes a new, empty log; fails where there is one.</summary>
    public static SignerLog Begin(string path, SecretBytes key, TimeProvider time)
    {
        var log = new SignerLog(Open(path, FileMode.CreateNew), key, time);
        log.Append("begun", _ => { });
        return log;
    }

    /// <summary>Opens a log, proves it from the first line to the last, and hands every line to <paramref name="replay"/> with its place.</summary>
    /// <exception cref="SetupFailure">It is missing, in use, or a line of it is not what was written.</exception>
    public static SignerLog Continue(string path, SecretBytes key, TimeProvider time, Action<JsonElement, DateTimeOffset, (long At, int Length)> replay)
    {
        if (!File.Exists(path))
            throw new SetupFailure($"There is no log {path}, without which the signer cannot know what it has signed: put it back. "
                + "If these keys have never signed anything, begin one with --new-log.");
        var log = new SignerLog(Open(path, FileMode.Open), key, time);
        try
        {
            log.Replay(path, replay);
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Writes a line and returns when it is on the disk.</summary>
    /// <exception cref="LogFault">It cannot be written; from then on nothing can.</exception>
    public (long At, int Length) Append(string name, Action<Utf8JsonWriter> write)
    {
        if (broken)
            throw new LogFault("The signer's log could not be written.");
        var now = Now();
        var bytes = Answer.Bytes(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("number"u8, number + 1);
            json.WriteString("at"u8, now);
            json.WriteString("event"u8, name);
            write(json);
            json.WriteString("previous"u8, last);
            json.WriteEndObject();
        });
        var content = bytes.AsSpan(0, bytes.Length - 1);
        var mac = Mac(content);
        byte[] line = [.. content, .. _mark, .. Encoding.ASCII.GetBytes(mac), .. "\"}\n"u8];
        var at = file.Length;
        try
        {
            file.Position = at;
            file.Write(line);
            file.Flush(flushToDisk: true);
        }
        catch (Exception fault)
        {
            // Whatever it was, nobody knows what of the line is on the disk; the next start finds out.
            broken = true;
            throw new LogFault($"The signer's log {file.Name} cannot be written ({fault.Message.TrimEnd('.')}): nothing was signed. Make room "
                + "and start the signer again.", fault);
        }

        (last, number, LastAt) = (mac, number + 1, now);
        return (at, line.Length);
    }

    /// <summary>The line at a place that <see cref="Append"/> or the replay named.</summary>
    public JsonElement Line((long At, int Length) place)
    {
        var line = new byte[place.Length];
        file.Position = place.At;
        file.ReadExactly(line);
        return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>The time now, or that of the last line if the clock has gone back.</summary>
    public DateTimeOffset Now() => time.GetUtcNow() is var now && now > LastAt ? now : LastAt;

    public void Dispose() => file.Dispose();

    private static FileStream Open(string path, FileMode mode)
    {
        try
        {
            var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
            if (mode == FileMode.CreateNew)
                options.UnixCreateMode = OwnerOnly;
            return new FileStream(path, options);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The signer's log {path} cannot be opened: another signer has it, or it may not be written "
                + $"({fault.Message.TrimEnd('.')}).");
        }
    }

    private void Replay(string path, Action<JsonElement, DateTimeOffset, (long At, int Length)> replay)
    {
        var (buffer, filled, at) = (new byte[ReadBytes], 0, 0L);
        file.Position = 0;
        while (true)
        {
            var read = file.Read(buffer.AsSpan(filled));
            filled += read;
            var from = 0;
            while (buffer.AsSpan(from, filled - from).IndexOf((byte)'\n') is var length and >= 0)
            {
                Take(path, buffer.AsMemory(from, length), (at, length + 1), replay);
                (from, at) = (from + length + 1, at + length + 1);
            }

            buffer.AsSpan(from, filled - from).CopyTo(buffer);
            filled -= from;
            if (read == 0)
                break;
            if (filled == buffer.Length && filled >= LineBytesMax)
                throw Broken(path, "is too long");
            if (filled == buffer.Length)
                Array.Resize(ref buffer, 2 * buffer.Length);
        }

        if (number == 0)
            throw Broken(path, "is missing");
        if (filled == 0)
            return;
        CutBytes = filled;
        file.SetLength(at);
        Append("cut", json => json.WriteNumber("bytes"u8, CutBytes));
    }

    private void Take(
        string path, ReadOnlyMemory<byte> line, (long At, int Length) place, Action<JsonElement, DateTimeOffset, (long At, int Length)> replay)
    {
        var tail = _mark.Length + HexDigits + 2;
        if (line.Length <= tail || !line.Span[^tail..].StartsWith(_mark) || !line.Span.EndsWith("\"}"u8))
            throw Broken(path, "is not one that the signer wrote");
        var mac = Encoding.ASCII.GetString(line.Span.Slice(line.Length - 2 - HexDigits, HexDigits));
        var expected = Mac(line.Span[..^tail]);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(mac), Encoding.ASCII.GetBytes(expected)))
            throw Broken(path, "was changed, or was written with another keystore");
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        if (root.GetProperty("number").GetInt64() != number + 1 || root.GetProperty("previous").GetString() != last)
            throw Broken(path, "does not follow the one before: lines are missing or were moved");
        var at = root.GetProperty("at").GetDateTimeOffset();
        replay(root, at, place);
        (last, number, LastAt) = (mac, number + 1, at);
    }

    private string Mac(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(HMACSHA256.HashData(key.Span, content));

    private SetupFailure Broken(string path, string why) => new(string.Create(CultureInfo.InvariantCulture,
        $"Line {number + 1} of the signer's log {path} {why}. Nothing is signed until it is as it was: put it back from a copy."));
}
