using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Auth;

/// <summary>
/// Which OAuth client sends a request to a path under <c>/o/</c>: HTTP Basic or form (RFC 6749, 2.3.1), not both. Requests are counted
/// per client and address, before the database is asked, and per address alone with a wider limit, so that nobody gets more tries
/// or fills the memory by inventing client ids.
/// </summary>
internal sealed class OAuthClientAuthentication(Db db, Settings settings, TimeProvider time)
{
    /// <summary>How many times the requests of one client all clients of one address may make.</summary>
    public const int AddressFactor = 10;

    private const string BasicScheme = "Basic ";
    private const int ClientIdMax = 64;

    private readonly RequestCounters _perClient =
        new(new RequestRate("client", settings.TokenRequestsPerMinute, TimeSpan.FromMinutes(1), time));

    private readonly RequestCounters _perAddress =
        new(new RequestRate("address", settings.TokenRequestsPerMinute * AddressFactor, TimeSpan.FromMinutes(1), time));

    /// <summary>The client of the request, and its form.</summary>
    /// <exception cref="OAuthRefused">With <c>invalid_client</c> unless its secret is right.</exception>
    public async Task<(OAuthClient Client, OAuthForm Form)> Read(HttpContext http)
    {
        var address = ClientAddress.Group(http.Connection.RemoteIpAddress);
        Count(http, _perAddress, address);
        var form = await OAuthForm.Read(http);
        var (id, secret) = Sent(http, form);
        Count(http, _perClient, $"{address} {id}");
        var client = id.Length <= ClientIdMax && SecretText.TryRead(secret, out var kind) && kind == SecretKind.ClientSecret
            ? await db.OAuthClientById(id, http.RequestAborted)
            : null;
        if (client is null || !CryptographicOperations.FixedTimeEquals(Authenticate.Hash(secret), client.SecretHash))
            throw Wrong();
        return (client, form);
    }

    private static (string Id, string Secret) Sent(HttpContext http, OAuthForm form)
    {
        var header = http.Request.Headers.Authorization;
        if (header.Count == 0)
            return (form.Optional("client_id") ?? throw Wrong(), form.Optional("client_secret") ?? throw Wrong());
        if (header.Count > 1 || form.Optional("client_secret") is not null)
            throw new OAuthRefused(OAuthRefused.InvalidRequest, "Send the client's secret once: in Authorization: Basic or in the form.");
        var (id, secret) = Basic(header[0] ?? "") ?? throw Wrong();
        if (form.Optional("client_id") is { } other && other != id)
            throw new OAuthRefused(OAuthRefused.InvalidRequest, "The client_id of the form is not that of Authorization: Basic.");
        return (id, secret);
    }

    /// <summary>Id and secret are form-encoded each, then joined and base64-encoded.</summary>
    private static (string Id, string Secret)? Basic(string header)
    {
        if (!header.StartsWith(BasicScheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var base64 = header.AsSpan(BasicScheme.Length).Trim();
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64Chars(base64, bytes, out var length))
            return null;
        var text = Encoding.Latin1.GetString(bytes, 0, length);
        var colon = text.IndexOf(':');
        return colon > 0 && OAuthForm.Decode(text[..colon]) is { } id && OAuthForm.Decode(text[(colon + 1)..]) is { } secret
            ? (id, secret) : null;
    }

    private static void Count(HttpContext http, RequestCounters counters, string who)
    {
        var wait = counters.Take(who, out var remaining);
        http.Response.Headers["RateLimit-Policy"] = counters.Rate.Policy;
        http.Response.Headers["RateLimit"] = counters.Rate.Text(remaining, wait);
        if (wait == 0)
            return;
        http.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        throw new OAuthRefused(OAuthRefused.TooMany,
            "Too many requests; wait as long as Retry-After says, and keep a token until it expires.");
    }

    private static OAuthRefused Wrong() => new(OAuthRefused.InvalidClient, "The client is not known or its secret is wrong.");
}
