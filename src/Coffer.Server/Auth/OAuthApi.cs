using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Auth;

/// <summary>
/// The authorization server for machines: client credentials (RFC 6749, 4.4), revocation (RFC 7009), introspection (RFC 7662) and the
/// document that says where they are (RFC 8414). Errors are those of RFC 6749, 5.2, also the framework's own.
/// </summary>
internal sealed class OAuthApi(Db db, IssueCredential issue, OAuthClientAuthentication clients, Settings settings, Func<string> baseUrl,
    TimeProvider time)
{
    private const string TokenPath = "/o/token/";
    private const string RevokePath = "/o/revoke_token/";
    private const string IntrospectPath = "/o/introspect/";
    private static readonly string[] _authentications = ["client_secret_basic", "client_secret_post"];

    public void Map(IEndpointRouteBuilder web)
    {
        web.MapPost(TokenPath, Token).Public();
        web.MapPost(RevokePath, Revoke).Public();
        web.MapPost(IntrospectPath, Introspect).Public();
        web.MapGet("/.well-known/oauth-authorization-server", Metadata).Public();
    }

    private async Task Token(HttpContext http)
    {
        var (client, form) = await clients.Read(http);
        var grant = form.Required("grant_type");
        if (grant != "client_credentials")
            throw new OAuthRefused(OAuthRefused.UnsupportedGrantType, "Only the grant_type client_credentials is given.");
        var scopes = Scopes(form.Optional("scope"), client);
        var token = await issue.Token(client, scopes, TimeSpan.FromSeconds(settings.TokenSeconds), http.RequestAborted);
        await Send(http, new TokenAnswer(token, "Bearer", settings.TokenSeconds, Credentials.Text(scopes)));
    }

    /// <summary>
    /// RFC 7009, 2.2: a token that is not known, or no longer valid, is as good as revoked: 200. One that was given to another
    /// client is refused (2.1) and stays; that tells nothing to whom has the token in hand already.
    /// </summary>
    private async Task Revoke(HttpContext http)
    {
        var (client, form) = await clients.Read(http);
        var secret = form.Required("token");
        if (SecretText.TryRead(secret, out var kind) && kind == SecretKind.AccessToken)
        {
            var token = await db.Token(Authenticate.Hash(secret), http.RequestAborted);
            if (token is not null && token.ClientId != client.ClientId)
                throw new OAuthRefused(OAuthRefused.InvalidGrant, "This token was issued to another client.");
            if (token is not null)
                await issue.RevokeToken(client, secret, http.RequestAborted);
        }

        NoStore(http);
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentLength = 0;
    }

    /// <summary>
    /// RFC 7662, 2.2: of a token that is not active, or that this client may not look at, nothing is told but that. A client may look
    /// at the tokens that it was given itself.
    /// </summary>
    private async Task Introspect(HttpContext http)
    {
        var (client, form) = await clients.Read(http);
        var secret = form.Required("token");
        var token = SecretText.TryRead(secret, out var kind) && kind == SecretKind.AccessToken
            ? await db.Token(Authenticate.Hash(secret), http.RequestAborted)
            : null;
        if (token is null || token.ClientId != client.ClientId || token.RevokedAt is not null || token.ExpiresAt <= time.GetUtcNow())
            await Send(http, new { Active = false });
        else
        {
            await Send(http, new ActiveToken(true, Credentials.Text(token.Scopes), token.ClientId, "Bearer",
                token.ExpiresAt.ToUnixTimeSeconds(), token.CreatedAt.ToUnixTimeSeconds(), token.Account.ToString()));
        }
    }

    private Task Metadata(HttpContext http)
    {
        var issuer = Issuer(http);
        NoStore(http);
        http.Response.Headers.Vary = "Host";
        return Answer.Json(http, StatusCodes.Status200OK, new ServerMetadata(
            issuer, issuer + TokenPath, issuer + RevokePath, issuer + IntrospectPath, [Credentials.ReadScope, Credentials.WriteScope],
            [], ["client_credentials"], _authentications, _authentications, _authentications));
    }

    /// <summary>
    /// The URL that the operator set; otherwise what the server listens on. Then it may also be called by an address or as localhost, which
    /// the document repeats, since a client only believes the issuer that it asked (RFC 8414, 3.3). A name is never repeated from the
    /// request: it could be anybody's.
    /// </summary>
    private string Issuer(HttpContext http)
    {
        if (settings.PublicUrl is { } set)
            return set.TrimEnd('/');
        var host = http.Request.Host;
        var isAddress = System.Net.IPAddress.TryParse(host.Host.Trim('[', ']'), out _) || host.Host == "localhost";
        return isAddress ? $"http://{host.ToUriComponent()}" : baseUrl();
    }

    private static Scopes Scopes(string? text, OAuthClient client)
    {
        if (text is null)
            return client.Scopes;
        var asked = Coffer.Scopes.None;
        foreach (var name in text.Split(' '))
        {
            if (Credentials.Scope(name) is not { } scope || (client.Scopes & scope) == 0)
            {
                throw new OAuthRefused(OAuthRefused.InvalidScope,
                    $"This client may ask for the scopes: {Credentials.Text(client.Scopes)}; names with one space between.");
            }

            asked |= scope;
        }

        return asked;
    }

    private static Task Send<T>(HttpContext http, T record)
    {
        NoStore(http);
        return Answer.Json(http, StatusCodes.Status200OK, record);
    }

    private static void NoStore(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
    }

    private sealed record TokenAnswer(string AccessToken, string TokenType, int ExpiresIn, string Scope);

    private sealed record ActiveToken(bool Active, string Scope, string ClientId, string TokenType, long Exp, long Iat, string Sub);

    private sealed record ServerMetadata(string Issuer, string TokenEndpoint, string RevocationEndpoint, string IntrospectionEndpoint,
        string[] ScopesSupported, string[] ResponseTypesSupported, string[] GrantTypesSupported, string[] TokenEndpointAuthMethodsSupported,
        string[] RevocationEndpointAuthMethodsSupported, string[] IntrospectionEndpointAuthMethodsSupported);
}
