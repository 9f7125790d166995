using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Coffer.Server.Outbound;

/// <summary>
/// Sends one message to where a customer wants it, once. No redirect is followed, no proxy, cookie or compression used; the whole attempt,
/// from the name to the last byte that is read, has <see cref="TimeMax"/>, and of the answer <see cref="AnswerBytesMax"/> are read.
/// A receiver may close a kept connection in the moment in which it is used again: then the message goes once more, over a new one.
/// </summary>
internal sealed class PostOut : IDisposable
{
    /// <summary>How long an attempt may take.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(15);

    /// <summary>Bytes of an answer that are read, and characters of it that are kept.</summary>
    public const int AnswerBytesMax = 16 * 1024, ExcerptMax = 500;

    // The status has decided by then: what a slow receiver says beside it is not worth its place.
    private static readonly TimeSpan _excerptTimeMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _connectionMax = TimeSpan.FromMinutes(1), _idleMax = TimeSpan.FromSeconds(20);
    private static readonly MediaTypeHeaderValue _json = new("application/json");
    private static readonly HttpRequestOptionsKey<bool> _onNewConnection = new("on a new connection");
    private readonly HttpClient _http;
    private readonly HttpClient _unkept;
    private readonly GuardedConnect _connect;
    private readonly NetworkRules _rules;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeMax;

    /// <param name="rules">Where something may be sent to.</param>
    /// <param name="time">The clock.</param>
    /// <param name="resolve">What names mean; null: as the operating system says.</param>
    /// <param name="timeMax">How long an attempt may take; null: <see cref="TimeMax"/>.</param>
    /// <param name="trust">Whose certificates are believed; null: those of the authorities that the operating system trusts.</param>
    public PostOut(NetworkRules rules, TimeProvider time, Resolve? resolve = null, TimeSpan? timeMax = null, X509ChainPolicy? trust = null)
    {
        (_rules, _time, _timeMax) = (rules, time, timeMax ?? TimeMax);
        _connect = new GuardedConnect(rules, resolve ?? new Names().Resolve);
        (_http, _unkept) = (Client(_connectionMax, trust), Client(TimeSpan.Zero, trust));
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
            using var response = await Answer(post, url, limit.Token);
            var took = Since(start);
            limit.CancelAfter(_timeMax - TimeSpan.FromMilliseconds(took) is var left && left < _excerptTimeMax ? Positive(left) : _excerptTimeMax);
            var excerpt = await Read(response, limit.Token);
            var status = (int)response.StatusCode;
            return new Attempt(status, status is >= 300 and < 400 ? PostFault.Redirect : null, took, excerpt, RetryAfter(response));
        }
        catch (Exception problem) when (!ct.IsCancellationRequested)
        {
            return new Attempt(null, Fault(problem), Since(start), null, null);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _unkept.Dispose();
    }

    /// <param name="kept">How long a connection is used; zero: for one request.</param>
    /// <param name="trust">Whose certificates are believed.</param>
    private HttpClient Client(TimeSpan kept, X509ChainPolicy? trust)
    {
        var http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = kept,
            PooledConnectionIdleTimeout = _idleMax,
            MaxResponseHeadersLength = AnswerBytesMax / 1024,
            MaxResponseDrainSize = 0,
            ConnectCallback = (context, ct) =>
            {
                context.InitialRequestMessage.Options.Set(_onNewConnection, true);
                return _connect.Connect(context, ct);
            },
            // Else a connection to a black hole is waited for long after the attempt that wanted it is over.
            ConnectTimeout = _timeMax,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.UserAgent.ParseAdd("Coffer-Webhooks/1.0");
        return http;
    }

    private async Task<HttpResponseMessage> Answer(Post post, Uri url, CancellationToken ct)
    {
        using var request = Request(post, url);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (HttpRequestException problem) when (WasClosed(problem) && !request.Options.TryGetValue(_onNewConnection, out _))
        {
            // Should the receiver have read the message all the same, it knows the second by its id.
            using var again = Request(post, url);
            return await _unkept.SendAsync(again, HttpCompletionOption.ResponseHeadersRead, ct);
        }
    }

    /// <summary>The connection ended before an answer began, or without one.</summary>
    private static bool WasClosed(HttpRequestException problem) => problem.HttpRequestError == HttpRequestError.ResponseEnded
        || problem is { HttpRequestError: HttpRequestError.Unknown, InnerException: IOException };

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
            .Select(one => IsHarmless(one) ? one : ' '));
        return text.Length == 0 ? null : text;
    }

    // Format: what turns the direction of writing, or cannot be seen.
    private static bool IsHarmless(char one) => char.GetUnicodeCategory(one) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    private static TimeSpan Positive(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.Zero;

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
