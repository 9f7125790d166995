using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Payouts;
using Coffer.Server.Host;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// Asks the signer of one chain, another process on this machine. Only what it said itself is an answer: an error, a silence or a sentence
/// that nobody understands is a <see cref="ChainFault"/>, and the bytes may be signed; the same request, asked again, gets the same bytes.
/// Safe for concurrent callers.
/// </summary>
internal sealed class SignerClient : IDisposable
{
    /// <summary>How long an answer is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string UnixPrefix = "unix:";
    private const int AnswerBytesMax = 4_000_000;

    private readonly string signer;
    private readonly HttpClient http;

    /// <param name="signer">Where it listens: <c>unix:PATH</c>, or <c>http://</c> on loopback.</param>
    /// <param name="secretFile">The file with its secret.</param>
    /// <param name="patience">How long an answer is waited for; null: <see cref="Patience"/>.</param>
    /// <exception cref="SetupFailure">The secret cannot be read.</exception>
    public SignerClient(string signer, string secretFile, TimeSpan? patience = null)
    {
        this.signer = signer;
        var secret = Secrets.Shared(secretFile);
        var isUnix = signer.StartsWith(UnixPrefix, StringComparison.Ordinal);
        // Never through a proxy: the secret stays on this machine.
        var sockets = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        if (isUnix)
            sockets.ConnectCallback = (_, ct) => Connect(signer[UnixPrefix.Length..], ct);
        http = new HttpClient(sockets)
        {
            BaseAddress = new Uri(isUnix ? "http://signer" : signer),
            Timeout = patience ?? Patience,
            MaxResponseContentBufferSize = AnswerBytesMax,
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
    }

    /// <summary>Has a transaction signed. A <see cref="ChainFault"/> when no answer came.</summary>
    public async Task<SigningAnswer> Sign(SigningRequest request, CancellationToken ct)
    {
        using var content = new ByteArrayContent(request.ToBytes());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var post = new HttpRequestMessage(HttpMethod.Post, "sign") { Content = content };
        var (status, answer) = await Ask(post, ct);
        return status switch
        {
            HttpStatusCode.OK when Text(answer, "signed") is { } signed && Text(answer, "txid") is { } txId && Hex(signed) is { } bytes =>
                new SigningAnswer(new SignedPayout(txId, bytes), null),
            HttpStatusCode.UnprocessableEntity when Error(answer) is var (code, message) && SigningRefusal.Of(code, message) is { } refusal =>
                new SigningAnswer(null, refusal),
            _ => throw NoAnswer(status, answer),
        };
    }

    /// <summary>By chain: the address, or Bitcoin's extended public key, that it signs for. A <see cref="ChainFault"/> when no answer came.</summary>
    public async Task<IReadOnlyDictionary<string, string>> Addresses(CancellationToken ct)
    {
        using var get = new HttpRequestMessage(HttpMethod.Get, "addresses");
        var (status, answer) = await Ask(get, ct);
        var addresses = new Dictionary<string, string>();
        if (status != HttpStatusCode.OK || answer is not { ValueKind: JsonValueKind.Object }
            || !answer.Value.TryGetProperty("chains", out var chains) || chains.ValueKind != JsonValueKind.Array)
            throw NoAnswer(status, answer);
        foreach (var chain in chains.EnumerateArray())
            if (Text(chain, "chain") is { } id && (Text(chain, "xpub") ?? Text(chain, "address")) is { } from)
                addresses[id] = from;
        return addresses;
    }

    public void Dispose() => http.Dispose();

    private async Task<(HttpStatusCode Status, JsonElement? Answer)> Ask(HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            using var response = await http.SendAsync(request, ct);
            var body = await response.Content.ReadAsByteArrayAsync(ct);
            return (response.StatusCode, Json(body));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException || (fault is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new ChainFault($"The signer at {signer} does not answer; it is asked again ({fault.Message.TrimEnd('.')}).", retryable: true);
        }
    }

    private ChainFault NoAnswer(HttpStatusCode status, JsonElement? answer) => new(status == HttpStatusCode.Unauthorized
        ? $"The signer at {signer} does not know the secret: give both the same secret file."
        : $"The signer at {signer} answered {(int)status}{(Error(answer) is var (code, message) ? $", {code}: {message}" : "")}.", retryable: true);

    private static JsonElement? Json(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static (string Code, string Message)? Error(JsonElement? answer) =>
        answer is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("error", out var error)
            && Text(error, "code") is { } code && Text(error, "message") is { } message ? (code, message) : null;

    private static string? Text(JsonElement? element, string member) =>
        element is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;

    private static byte[]? Hex(string digits)
    {
        var bytes = new byte[digits.Length / 2];
        return digits.Length % 2 == 0 && Convert.FromHexString(digits, bytes, out _, out _) == System.Buffers.OperationStatus.Done ? bytes : null;
    }

    private static async ValueTask<Stream> Connect(string path, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
