using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Coffer.Server.Outbound;

/// <summary>
/// Sends one message to where a customer wants it, once. No redirect is followed, no proxy, cookie or compression used; the whole attempt,
/// from the name to the last byte that is read, has <see cref="TimeMax"/>, and of the answer <see cref="AnswerBytesMax"/> are read.
/// </summary>
internal sealed class PostOut : IDisposable
{
    /// <summary>How long an attempt may take.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(15);

    /// <summary>Bytes of an answer that are read, and characters of it that are kept.</summary>
    public const int AnswerBytesMax = 16 * 1024, ExcerptMax = 500;

    private static readonly TimeSpan _connectionMax = TimeSpan.FromMinutes(1), _idleMax = TimeSpan.FromSeconds(20);
    private static readonly MediaTypeHeaderValue _json = new("application/json");
    private readonly HttpClient _http;
    private readonly NetworkRules _rules;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeMax;

    public PostOut(NetworkRules rules, TimeProvider time, Resolve? resolve = null, TimeSpan? timeMax = null)
    {
        (_rules, _time, _timeMax) = (rules, time, timeMax ?? TimeMax);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = _connectionMax,
            PooledConnectionIdleTimeout = _idleMax,
            MaxResponseHeadersLength = AnswerBytesMax / 1024,
            MaxResponseDrainSize = 0,
            ConnectCallback = new GuardedConnect(rules, resolve ?? Dns.GetHostAddressesAsync).Connect,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("Coffer-Webhooks/1.0");
    }

    /// <summary>Sends it; what goes wrong is in the answer.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> ended it.</exception>
    public async Task<Attempt> Send(Post post, CancellationToken ct)
    {
        var start = _time.GetTimestamp();
        if (!TargetUrl.TryParse(post.Url, post.Mode, _rules, out var url, out var fault))
            return new Attempt(null, PostFault.BadUrl, 0, fault, null);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_timeMax);
        try
        {
            using var request = Request(post, url);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var excerpt = await Read(response, limit.Token);
            var status = (int)response.StatusCode;
            return new Attempt(status, status is >= 300 and < 400 ? PostFault.Redirect : null, Since(start), excerpt, RetryAfter(response));
        }
        catch (Exception problem) when (!ct.IsCancellationRequested)
        {
            return new Attempt(null, Fault(problem), Since(start), null, null);
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Request(Post post, Uri url)
    {
        var timestamp = post.At.ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ReadOnlyMemoryContent(post.Body) };
        request.Content.Headers.ContentType = _json;
        request.Headers.Add("webhook-id", post.Id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSignature.Of(post.Id, timestamp, post.Body.Span, post.Secrets));
        return request;
    }

    /// <summary>The beginning of the answer as text that can be stored and shown: nothing that controls a terminal or a page.</summary>
    private static async Task<string?> Read(HttpResponseMessage response, CancellationToken ct)
    {
        var buffer = new byte[AnswerBytesMax];
        var length = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(ct);
            for (int read; length < buffer.Length && (read = await body.ReadAsync(buffer.AsMemory(length), ct)) > 0; length += read)
            {
            }
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException or OperationCanceledException)
        {
            // The status has been said; how the rest ends changes nothing.
        }

        var text = string.Concat(Encoding.UTF8.GetString(buffer, 0, length).Take(ExcerptMax)
            .Select(one => char.IsControl(one) || char.IsSurrogate(one) ? ' ' : one));
        return text.Length == 0 ? null : text;
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > _time.GetUtcNow() => date - _time.GetUtcNow(),
        _ => null,
    };

    private static PostFault Fault(Exception problem) => problem switch
    {
        OperationCanceledException => PostFault.Timeout,
        HttpRequestException { InnerException: PrivateTarget } => PostFault.PrivateAddress,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => PostFault.UnknownHost,
        HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } }
            => PostFault.UnknownHost,
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => PostFault.Tls,
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => PostFault.NoConnection,
        _ => PostFault.BadAnswer,
    };

    private int Since(long start) => (int)_time.GetElapsedTime(start).TotalMilliseconds;
}
