using System.Security.Cryptography;
using System.Text;
using Coffer.Chains.Payouts;
using Coffer.Server.Host;

namespace Coffer.Server.Signer;

/// <summary>
/// What the signer answers: <c>POST /sign</c>, <c>GET /addresses</c>, <c>GET /health/live</c>. Everything but the last asks for the secret.
/// 200 signed, 422 refused with a code, 400 a body that is no request, 401 without the secret; an error has the members code and message.
/// </summary>
internal sealed class SignerApi(SignPayout sign, string secret, Action<LogFault> stop)
{
    /// <summary>The most bytes of a body: two digits for each byte to sign, and the withdrawals.</summary>
    public const int BodyBytesMax = (2 * SigningRequest.UnsignedBytesMax) + (SigningRequest.WithdrawalsMax * 1_000);

    private const string Scheme = "Bearer ";

    private readonly byte[] expected = SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    public void Map(WebApplication web)
    {
        web.Run(http => (http.Request.Method, http.Request.Path.Value) switch
        {
            ("GET", "/health/live") => Answer.Json(http, StatusCodes.Status200OK, new { status = "live" }),
            _ when !Knows(http) => Error(http, StatusCodes.Status401Unauthorized, "unauthorized",
                "Send the signer's secret in Authorization: Bearer."),
            ("GET", "/addresses") => Answer.Json(http, StatusCodes.Status200OK, new { chains = sign.Chains.Select(SignerAddress.Of) }),
            ("POST", "/sign") => Sign(http),
            _ => Error(http, StatusCodes.Status404NotFound, "not_found", "There is POST /sign, GET /addresses and GET /health/live."),
        });
    }

    // Hashed first: then the comparison takes the same time whatever was sent, its length too.
    private bool Knows(HttpContext http) => http.Request.Headers.Authorization is [{ } header]
        && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim())), expected);

    private async Task Sign(HttpContext http)
    {
        SigningRequest request;
        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            request = SigningRequest.Parse(body.ToArray());
        }
        catch (FormatException fault)
        {
            await Error(http, StatusCodes.Status400BadRequest, "invalid_request", fault.Message);
            return;
        }
        catch (BadHttpRequestException fault)
        {
            await Error(http, fault.StatusCode, "invalid_request", $"The body cannot be read, or has more than {BodyBytesMax} bytes.");
            return;
        }

        try
        {
            var (signed, refusal) = await sign.Run(request, http.RequestAborted);
            if (signed is not null)
                await Answer.Json(http, StatusCodes.Status200OK, new { signed = Convert.ToHexStringLower(signed.Bytes), txid = signed.TxId });
            else
                await Error(http, StatusCodes.Status422UnprocessableEntity, refusal!.Word, refusal.Message);
        }
        catch (LogFault fault)
        {
            stop(fault);
            await Error(http, StatusCodes.Status503ServiceUnavailable, "service_unavailable", "The signer cannot write its log; nothing was signed.");
        }
    }

    private static Task Error(HttpContext http, int status, string code, string message) =>
        Answer.Json(http, status, new { error = new { code, message } });
}

/// <summary>Whose coins a chain's transactions spend.</summary>
internal sealed record SignerAddress(string Chain, string Kind, string Address, string? Xpub)
{
    public static SignerAddress Of((SignerChain Chain, HotKey Key) one) =>
        new(one.Chain.Id, one.Chain.Kind.ToString().ToLowerInvariant(), one.Key.Address, one.Key.Xpub);
}
