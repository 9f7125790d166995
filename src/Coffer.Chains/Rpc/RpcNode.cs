using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Coffer.Chains.Rpc;

/// <summary>
/// One node of a chain, spoken to by JSON-RPC over HTTP. A call throws <see cref="RpcError"/> when the node refuses it and
/// <see cref="RpcFault"/> when there is no answer; neither shows the credentials in the node's address. Safe for concurrent callers.
/// </summary>
/// <param name="url">Where it is: <c>http</c> or <c>https</c>; user name and password are sent as basic authorization.</param>
/// <param name="http">Carries the requests, see <see cref="Client"/>; shared by the nodes of a chain.</param>
/// <param name="time">Measures <see cref="RpcCall.AnswerTime"/>.</param>
/// <param name="key">A header with a key that the node asks for; null for none.</param>
public sealed class RpcNode(Uri url, HttpClient http, TimeProvider time, (string Header, string Value)? key = null)
{
    private const int ShortestSecret = 4;

    // A call tree nests two levels per call, and calls nest 1,024 deep; the parser does not recurse.
    private static readonly JsonDocumentOptions _json = new() { MaxDepth = 4_096 };
    private readonly Uri plain = new UriBuilder(url) { UserName = "", Password = "" }.Uri;
    private readonly string[] secrets = Secrets(url, key?.Value);
    private long lastId;

    /// <summary>Host and port: what messages call it.</summary>
    public string Name { get; } = $"{url.Host}:{url.Port}";

    /// <summary>A client for nodes, with the limits of <see cref="RpcLimits"/>; no redirects, cookies or proxies.</summary>
    public static HttpClient Client() => new(new SocketsHttpHandler
    {
        ConnectTimeout = RpcLimits.ConnectTime,
        MaxConnectionsPerServer = RpcLimits.ConnectionsMax,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        AutomaticDecompression = DecompressionMethods.All,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>One call; answers the result, which may be JSON null.</summary>
    public async Task<JsonElement> Call(RpcCall call, CancellationToken ct)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = await Send(plain, Write(json => Write(json, call, id)), ct, call.AnswerTime);
        return answer.Reply(call, id, Hide).Result;
    }

    /// <summary>One call; answers the result, which may be JSON null.</summary>
    public Task<JsonElement> Call(string method, CancellationToken ct, params object?[] parameters) =>
        Call(new RpcCall(method, parameters), ct);

    /// <summary>
    /// Several calls in as few requests as <see cref="RpcLimits.BatchMax"/> allows; answers in their order. An answer that is not exactly
    /// one reply per call is an <see cref="RpcFault"/>; an error in a reply is thrown when its result is read.
    /// </summary>
    public async Task<RpcReply[]> Batch(IReadOnlyList<RpcCall> calls, CancellationToken ct, int batchMax = RpcLimits.BatchMax)
    {
        var replies = new RpcReply[calls.Count];
        var parts = calls.Chunk(batchMax).Select((part, index) => (Calls: part, Start: index * batchMax));
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = RpcLimits.RequestsAtOnce, CancellationToken = ct };
        await Parallel.ForEachAsync(parts, atOnce, async (part, token) => (await Batch(part.Calls, token)).CopyTo(replies, part.Start));
        return replies;
    }

    private async Task<RpcReply[]> Batch(RpcCall[] calls, CancellationToken ct)
    {
        var first = Interlocked.Add(ref lastId, calls.Length) - calls.Length + 1;
        if (calls is [var only])
            return [(await Send(plain, Write(json => Write(json, only, first)), ct)).Reply(only, first, Hide)];
        var answer = await Send(plain, Write(json =>
        {
            json.WriteStartArray();
            for (var i = 0; i < calls.Length; i++)
                Write(json, calls[i], first + i);
            json.WriteEndArray();
        }), ct);
        return answer.Replies(calls, first, Hide);
    }

    /// <summary>Posts JSON to a path of the node that is not JSON-RPC (Tron's own interface) and answers what it says.</summary>
    public async Task<JsonElement> Post(Uri place, object body, CancellationToken ct) =>
        (await Send(new UriBuilder(place) { UserName = "", Password = "" }.Uri, JsonSerializer.SerializeToUtf8Bytes(body), ct)).Plain();

    private async Task<RpcAnswer> Send(Uri place, ReadOnlyMemory<byte> body, CancellationToken ct, TimeSpan? answerTime = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, place) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Authorize(request);
        using var timeout = new CancellationTokenSource(answerTime ?? RpcLimits.AnswerTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return new RpcAnswer(Name, response.StatusCode, RetryAfter(response), Parse(await Read(response, either.Token)));
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            throw new RpcFault($"{Name} does not answer within {(answerTime ?? RpcLimits.AnswerTime).TotalSeconds:0} s.", cause: late);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw new RpcFault($"{Name} cannot be reached: {Hide(broken.Message)}", cause: broken);
        }
    }

    private void Authorize(HttpRequestMessage request)
    {
        if (key is { } known)
            request.Headers.Add(known.Header, known.Value);
        if (url.UserInfo.Length > 0)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Basic(url));
    }

    private static string Basic(Uri url) => Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo)));

    private async Task<byte[]> Read(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.Content.Headers.ContentLength > RpcLimits.AnswerBytesMax)
            throw TooLong();
        using var body = new MemoryStream((int)(response.Content.Headers.ContentLength ?? 0));
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            while (await stream.ReadAsync(buffer, ct) is > 0 and var count)
            {
                if (body.Length + count > RpcLimits.AnswerBytesMax)
                    throw TooLong();
                body.Write(buffer, 0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return body.Capacity == body.Length ? body.GetBuffer() : body.ToArray();

        RpcFault TooLong() => new($"{Name} answers more than {RpcLimits.AnswerBytesMax} bytes.");
    }

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            return RpcText.IsReadable(body) ? JsonElement.Parse(body, _json) : null;
        }
        catch (JsonException)
        {
            // Told apart from JSON null on purpose: the caller says what a body that is not JSON means.
            return null;
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, RpcCall call, long id)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc", "2.0");
        json.WriteNumber("id", id);
        json.WriteString("method", call.Method);
        json.WritePropertyName("params");
        JsonSerializer.Serialize(json, call.Parameters);
        json.WriteEndObject();
    }

    // Hosted nodes carry the key in the path, and a node may repeat what it was sent.
    private string Hide(string words)
    {
        foreach (var secret in secrets)
            words = words.Replace(secret, "***", StringComparison.OrdinalIgnoreCase);
        words = string.Concat(words.Select(letter => char.IsControl(letter) ? ' ' : letter));
        return words.Length <= RpcLimits.WordsMax ? words : words[..RpcLimits.WordsMax];
    }

    private static string[] Secrets(Uri url, string? key) =>
        [.. new[] { url.UserInfo, Uri.UnescapeDataString(url.UserInfo), Basic(url), key ?? "", url.PathAndQuery }
            .Concat(url.Segments).Concat(url.UserInfo.Split(':')).Concat(url.UserInfo.Split(':').Select(Uri.UnescapeDataString))
            .Where(secret => secret.Length >= ShortestSecret).Distinct().OrderByDescending(secret => secret.Length)];
}
