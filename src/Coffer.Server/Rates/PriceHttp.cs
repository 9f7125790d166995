using System.Net;
using System.Text.Json;

namespace Coffer.Server.Rates;

/// <summary>
/// Asks a source of prices over HTTP. The address is the operator's own, so it may be anywhere; but no redirect is followed, and time and size
/// of an answer are bounded.
/// </summary>
internal sealed class PriceHttp(TimeProvider time) : IDisposable
{
    /// <summary>How long an answer may take, and how long it may be.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    private const int AnswerBytesMax = 4 * 1024 * 1024, WordsMax = 200;

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(5),
        MaxConnectionsPerServer = 4,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        AutomaticDecompression = DecompressionMethods.All,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = AnswerBytesMax,
    };

    /// <summary>The answer's JSON; null when there is nothing at that address (404).</summary>
    /// <param name="source">What messages call it.</param>
    /// <param name="url">With everything that is asked for.</param>
    /// <param name="key">A header with a key; null for none.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="PriceFault">No answer, a refusal, or no JSON.</exception>
    public async Task<JsonElement?> Get(string source, string url, (string Name, string Value)? key, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        // Some sources refuse who does not say what he is.
        request.Headers.UserAgent.ParseAdd("Coffer/1.0");
        request.Headers.Accept.ParseAdd("application/json");
        if (key is { } known)
            request.Headers.Add(known.Name, known.Value);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeMax);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, limit.Token);
            var body = await response.Content.ReadAsByteArrayAsync(limit.Token);
            if (response.StatusCode == HttpStatusCode.NotFound)
                return null;
            if (!response.IsSuccessStatusCode)
                throw new PriceFault($"{source} answers with status {(int)response.StatusCode}: {Words(body)}", RetryAfter(response))
                {
                    // Binance's word for it.
                    IsUnknownMarket = response.StatusCode == HttpStatusCode.BadRequest && Words(body).Contains("\"code\":-1121", StringComparison.Ordinal),
                };
            return JsonElement.Parse(body);
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            throw new PriceFault($"{source} does not answer within {TimeMax.TotalSeconds:0} s.", cause: late);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw new PriceFault($"{source} cannot be reached: {broken.Message}", cause: broken);
        }
        catch (JsonException odd)
        {
            throw new PriceFault($"{source} answers with something that is no JSON.", cause: odd);
        }
    }

    public void Dispose() => _http.Dispose();

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };

    private static string Words(byte[] body) => string.Concat(System.Text.Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, WordsMax))
        .Select(one => char.IsControl(one) || char.IsSurrogate(one) ? ' ' : one));
}
