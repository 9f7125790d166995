using System.Security.Cryptography;
using Coffer.Server.Sql;

namespace Coffer.Server.Auth;

/// <summary>
/// Between routing and the route: headers -> <see cref="Auth.Caller"/>. Nothing else decides who is calling.
///
/// The text checks (one credential, right form, right checksum) come before the database. Then one statement reads the credential and
/// <see cref="Credentials.Judge"/> decides. A route with <see cref="Access.Deferred"/> gets only the text checks here: its own statement
/// reads the credential's columns (<see cref="CredentialSql.Columns"/>) beside what it answers, and it calls <see cref="Accept"/> with them
/// before it uses or shows anything else of the answer.
/// </summary>
internal sealed class Authenticate(Db db, CredentialUse use, TimeProvider time, Sessions sessions)
{
    private const string ApiKeyHeader = "X-API-Key";
    private const string BearerScheme = "Bearer ";
    private const string Bearer = "Bearer realm=\"coffer\"";
    private const string ApiKey = "ApiKey realm=\"coffer\"";
    private const string Both = $"{Bearer}, {ApiKey}";

    public Task Run(HttpContext http, RequestDelegate next)
    {
        // Not a route: nothing there, or the framework's own 405 and 415.
        if (http.GetEndpoint() is not RouteEndpoint route)
            return next(http);
        var access = route.Metadata.GetMetadata<Access>()
            ?? throw new InvalidOperationException($"{route.DisplayName} does not say who may call it.");
        if (access.Scope == Scopes.None)
            return route.Metadata.GetMetadata<PageAccess>() is { } page ? sessions.Run(http, page, next) : next(http);
        // Cookies are not looked at: the dashboard asks its own server in the name of a session that it has judged already.
        var presented = http.Features.Get<Session>() is { } session
            ? new PresentedCredential(session.Hash, SecretKind.Session, access) : Read(http, access);
        presented.Meter = use.Find(presented.Hash);
        if (presented.Meter is not null)
            use.Count(http, presented.Meter);
        http.Features.Set(presented);
        return access.Deferred ? next(http) : Ask(http, presented, next);
    }

    /// <summary>
    /// Judges the credential of this request by its row (null: not known) and makes it the request's caller, or refuses the request
    /// with the challenge that belongs to it.
    /// </summary>
    public Caller Accept(HttpContext http, CredentialRow? row)
    {
        var presented = http.Features.Get<PresentedCredential>() ?? throw new InvalidOperationException("The route is public.");
        var now = time.GetUtcNow();
        if (Credentials.Judge(row, presented, http.Connection.RemoteIpAddress, now, out var caller) is { } refusal)
            throw Refuse(http, refusal, presented.Kind);
        if (presented.Meter is null)
            use.Count(http, presented.Meter = use.Of(presented.Hash, caller!.Credential));
        // Whether a page's request is a use of its session, Sessions has decided.
        if (presented.Kind != SecretKind.Session)
            Volatile.Write(ref presented.Meter.LastUsed, now.UtcTicks);
        http.Features.Set(caller);
        return caller!;
    }

    /// <summary>Throws unless every route says exactly once who may call it; called before the server listens.</summary>
    public static void Check(IEnumerable<Endpoint> routes)
    {
        foreach (var route in routes.Where(route => route.Metadata.GetOrderedMetadata<Access>().Count != 1))
            throw new InvalidOperationException($"{route.DisplayName} does not say exactly once who may call it.");
    }

    private async Task Ask(HttpContext http, PresentedCredential presented, RequestDelegate next)
    {
        Accept(http, await db.CredentialByHash(presented.Hash, http.RequestAborted));
        await next(http);
    }

    private static PresentedCredential Read(HttpContext http, Access access)
    {
        var keys = http.Request.Headers[ApiKeyHeader];
        var authorizations = http.Request.Headers.Authorization;
        if (keys.Count + authorizations.Count > 1)
        {
            throw new Refused(new(RefusalCode.InvalidRequest,
                "Send one credential: an API key in X-API-Key, or an access token in Authorization: Bearer.",
                new Dictionary<string, object> { ["Authorization"] = new[] { "Send one credential, once." } }));
        }

        if (keys.Count == 1)
            return Read(http, access, keys[0].AsSpan().Trim(), isKey: true);
        var text = authorizations.Count == 1 ? authorizations[0].AsSpan() : default;
        if (text.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase))
            return Read(http, access, text[BearerScheme.Length..].Trim(), isKey: false);
        http.Response.Headers.WWWAuthenticate = access.ApiKeys ? Both : Bearer;
        throw new Refused(new(RefusalCode.Unauthorized, access.ApiKeys
            ? "Send an API key in X-API-Key or an access token in Authorization: Bearer."
            : "Send an access token in Authorization: Bearer. Get one from /o/token/."));
    }

    private static PresentedCredential Read(HttpContext http, Access access, ReadOnlySpan<char> text, bool isKey)
    {
        var right = SecretText.TryRead(text, out var kind)
            && (isKey ? kind is SecretKind.ApiKeyLive or SecretKind.ApiKeyTest : kind == SecretKind.AccessToken);
        if (!right)
        {
            kind = isKey ? SecretKind.ApiKeyLive : SecretKind.AccessToken;
            throw Refuse(http, Credentials.Invalid(kind, isKey ? "is mistyped or cut" : "is not one of ours"), kind);
        }

        if (isKey && !access.ApiKeys)
        {
            http.Response.Headers.WWWAuthenticate = Bearer;
            throw new Refused(Credentials.TokenOnly());
        }

        return new PresentedCredential(Hash(text), kind, access);
    }

    /// <summary>The hash that a secret is stored as. 256 random bits need no slow hash (ASVS 6.5.2).</summary>
    public static byte[] Hash(ReadOnlySpan<char> secret)
    {
        Span<byte> bytes = stackalloc byte[SecretText.LengthMax];
        return SHA256.HashData(bytes[..System.Text.Encoding.ASCII.GetBytes(secret, bytes)]);
    }

    /// <summary>RFC 6750, 3: an invalid or insufficient token is named as such; an API key gets bare challenges.</summary>
    private static Refused Refuse(HttpContext http, Refusal refusal, SecretKind kind)
    {
        var isToken = kind == SecretKind.AccessToken;
        http.Response.Headers.WWWAuthenticate = refusal.Code switch
        {
            RefusalCode.Forbidden => $"{(isToken ? Bearer : ApiKey)}, error=\"insufficient_scope\", "
                + $"error_description=\"{refusal.Message}\", scope=\"{refusal.Details!["required_scope"]}\"",
            _ when isToken => $"{Bearer}, error=\"invalid_token\", error_description=\"{refusal.Message}\"",
            _ => Both,
        };
        return new Refused(refusal);
    }
}
