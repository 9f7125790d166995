using System.Net.Sockets;
using System.Text;

namespace Coffer.Bench;

/// <summary>
/// One keep-alive connection that sends the same request again and again, a POST each time with a new Idempotency-Key, and checks that each
/// answer is a 200 or 201. Client and server share the cores, so the client does as little as it can.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private const int KeyDigits = 10;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _request;
    private byte[] _buffer = new byte[16 * 1024];

    private readonly int _key;
    private long _keys;

    private HttpConnection(byte[] request, int key) => (_request, _key) = (request, key);

    /// <summary>The last answer, head and body.</summary>
    public ReadOnlyMemory<byte> Whole { get; private set; }

    /// <summary>The body of the last answer.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    public static async Task<HttpConnection> Open(Uri url, string path, params string[] headers)
    {
        var lines = string.Concat(headers.Select(h => $"{h}\r\n"));
        var connection = new HttpConnection(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {url.Authority}\r\n{lines}\r\n"), 0);
        await connection._socket.ConnectAsync(url.Host, url.Port);
        return connection;
    }

    /// <summary>A connection that posts a JSON body.</summary>
    public static async Task<HttpConnection> OpenPost(Uri url, string path, string body, string header)
    {
        var start = $"POST {path} HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n{header}\r\n"
            + $"Idempotency-Key: {Guid.NewGuid():N}-";
        var request = Encoding.ASCII.GetBytes($"{start}{new string('0', KeyDigits)}\r\n\r\n{body}");
        var connection = new HttpConnection(request, start.Length);
        await connection._socket.ConnectAsync(url.Host, url.Port);
        return connection;
    }

    /// <summary>The next POST.</summary>
    public Task<bool> Post()
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(++_keys, _request.AsSpan(_key, KeyDigits), out _, new('D', KeyDigits));
        return Get();
    }

    public async Task<bool> Get()
    {
        await _socket.SendAsync(_request);
        var (length, head, body) = (0, -1, 0);
        while (head < 0 || length < head + body)
        {
            if (length == _buffer.Length)
                Array.Resize(ref _buffer, length * 2);
            var count = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (count == 0)
                throw new IOException("The server closed the connection.");
            length += count;
            if (head < 0)
                (head, body) = Head(_buffer.AsSpan(0, length));
        }

        Whole = _buffer.AsMemory(0, length);
        Body = _buffer.AsMemory(head, body);
        if (!_buffer.AsSpan(9, 2).SequenceEqual("20"u8))
            throw new IOException(Encoding.ASCII.GetString(_buffer, 0, length));
        return true;
    }

    public void Dispose() => _socket.Dispose();

    private static (int Head, int Body) Head(ReadOnlySpan<byte> answer)
    {
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return (-1, 0);
        var at = answer.IndexOf("Content-Length: "u8);
        var digits = answer[(at + 16)..];
        return (end + 4, int.Parse(digits[..digits.IndexOf((byte)'\r')]));
    }
}
