using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Coffer.Server.Host;

/// <summary>An answer that is not sent yet, so that it can be kept and sent again.</summary>
internal sealed record Reply(int Status, byte[] Body)
{
    /// <summary>A record as JSON, its members in snake_case.</summary>
    public static Reply Json<T>(int status, T record) => new(status, Answer.Bytes(record));

    /// <summary>What <paramref name="write"/> puts into the writer.</summary>
    public static Reply Json(int status, Action<Utf8JsonWriter> write) => new(status, Answer.Bytes(write));
}

/// <summary>How an answer is written: UTF-8 JSON with a length, and for reads of balances with a strong entity tag.</summary>
internal static class Answer
{
    private const string JsonType = "application/json; charset=utf-8";
    private const int BodyBytesUsual = 1024;
    private const int TagBytes = 16;

    /// <summary>Bytes of a writer's buffer that a thread keeps for its next answer; larger ones are rare.</summary>
    private const int BodyBytesKept = 64 * 1024;

    /// <summary>Neither is cheap to make. Away while something is written, so that what is written inside gets its own.</summary>
    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? _own;

    private static readonly JsonWriterOptions _writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions _records = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes a record as JSON, its members in snake_case.</summary>
    public static Task Json<T>(HttpContext http, int status, T record) =>
        Send(http, status, Bytes(record));

    /// <summary>The bytes of <see cref="Json{T}(HttpContext, int, T)"/>.</summary>
    public static byte[] Bytes<T>(T record) => JsonSerializer.SerializeToUtf8Bytes(record, _records);

    /// <summary>The bytes of <see cref="Json(HttpContext, int, Action{Utf8JsonWriter}, string)"/>.</summary>
    public static byte[] Bytes(Action<Utf8JsonWriter> write) => Written(write, static bytes => bytes.ToArray());

    /// <summary>The same as text.</summary>
    public static string Text(Action<Utf8JsonWriter> write) => Written(write, static bytes => Encoding.UTF8.GetString(bytes));

    /// <summary>Sends an answer that was made before.</summary>
    public static Task Send(HttpContext http, Reply reply) => Send(http, reply.Status, reply.Body);

    /// <summary>Writes what <paramref name="write"/> puts into the writer.</summary>
    public static Task Json(HttpContext http, int status, Action<Utf8JsonWriter> write, string type = JsonType) =>
        Send(http, status, Bytes(write), type);

    /// <summary>
    /// A read of balances: a strong ETag that changes exactly when the body does (it is the body's digest), 304 when the caller
    /// has it, and the server's half of the caching advice of contract 2.
    /// </summary>
    public static Task Tagged(HttpContext http, Action<Utf8JsonWriter> write)
    {
        var body = Bytes(write);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        var tag = $"\"{Convert.ToHexStringLower(hash[..TagBytes])}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.CacheControl = "private, no-cache";
        http.Response.Headers.Vary = "Authorization, X-API-Key";
        if (!Has(http.Request.Headers.IfNoneMatch, tag))
            return Send(http, StatusCodes.Status200OK, body);
        http.Response.StatusCode = StatusCodes.Status304NotModified;
        return Task.CompletedTask;
    }

    /// <summary>RFC 9110, 13.1.2: a list of tags, weak comparison, or an asterisk.</summary>
    private static bool Has(Microsoft.Extensions.Primitives.StringValues header, string tag)
    {
        foreach (var value in header)
        {
            foreach (var part in (value ?? "").Split(',', StringSplitOptions.TrimEntries))
            {
                if (part == "*" || part == tag || (part.StartsWith("W/", StringComparison.Ordinal) && part.AsSpan(2).SequenceEqual(tag)))
                    return true;
            }
        }

        return false;
    }

    private static T Written<T>(Action<Utf8JsonWriter> write, Func<ReadOnlySpan<byte>, T> take)
    {
        var (buffer, json) = _own ?? New();
        _own = null;
        write(json);
        json.Flush();
        var taken = take(buffer.WrittenSpan);
        if (buffer.Capacity > BodyBytesKept)
            return taken;
        buffer.ResetWrittenCount();
        json.Reset();
        _own = (buffer, json);
        return taken;
    }

    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json) New()
    {
        var buffer = new ArrayBufferWriter<byte>(BodyBytesUsual);
        return (buffer, new Utf8JsonWriter(buffer, _writing));
    }

    private static Task Send(HttpContext http, int status, ReadOnlyMemory<byte> body, string type = JsonType)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        http.Response.ContentLength = body.Length;
        return http.Response.Body.WriteAsync(body, http.RequestAborted).AsTask();
    }
}
