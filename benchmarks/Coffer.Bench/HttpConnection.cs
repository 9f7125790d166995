using System.Net.Sockets;
using System.Text;

namespace Coffer.Bench;

/// <summary>One keep-alive connection that sends the same GET again and again and checks that each answer is a 200. Client and server share
/// the cores, so the client does as little as it can.</summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _request;
    private byte[] _buffer = new byte[16 * 1024];

    private HttpConnection(byte[] request) => _request = request;

    /// <summary>The body of the last answer.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    public static async Task<HttpConnection> Open(Uri url, string path, params string[] headers)
    {
        var lines = string.Concat(headers.Select(h => $"{h}\r\n"));
        var connection = new HttpConnection(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {url.Authority}\r\n{lines}\r\n"));
        await connection._socket.ConnectAsync(url.Host, url.Port);
        return connection;
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

        Body = _buffer.AsMemory(head, body);
        if (!_buffer.AsSpan(9, 3).SequenceEqual("200"u8))
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
