using System.Buffers.Text;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Auth;

/// <summary>
/// Around every page of the dashboard: its security headers, the cookie -> <see cref="Session"/>, who may see the page, and what is
/// shown instead of a page that fails. Called by <see cref="Authenticate"/>; API routes never come here, and no cookie opens them.
/// </summary>
internal sealed class Sessions(Db db, CredentialUse use, Settings settings, RandomBytes random, TimeProvider time)
{
    /// <summary>The cookie. The prefix makes browsers refuse one that another host, a subdomain or plain http would set.</summary>
    public const string Cookie = "__Host-coffer";

    public const string SignInPath = "/sign-in";

    /// <summary>The page that tells why another one is not shown.</summary>
    public const string FaultPath = "/dashboard/fault";

    /// <summary>The page that asks who sits there, before what cannot be undone.</summary>
    public const string ProofPath = "/dashboard/prove";

    /// <summary>Where browsers report what the policy stopped.</summary>
    public const string ReportPath = "/dashboard/csp-report";

    /// <summary>The stream that an open page listens to.</summary>
    public const string LivePath = "/dashboard/live";

    /// <summary>What a page sends along when it asks for itself again.</summary>
    public const string RefreshHeader = "Coffer-Refresh";

    private const int NonceBytes = 16;

    /// <summary>What a request goes through from its routing on; set where the server is composed.</summary>
    public RequestDelegate? Pipeline { get; set; }

    public async Task Run(HttpContext http, PageAccess page, RequestDelegate next)
    {
        var visit = http.RequestServices.GetRequiredService<Visit>();
        if (visit.Fault is not null)
        {
            await next(http);
            return;
        }

        visit.Http = http;
        Headers(http, visit);
        try
        {
            visit.Session = await Find(http);
            http.Features.Set(visit.Session);
            if (page.Least is not null && visit.Session is null)
            {
                http.Response.Redirect(SignIn(http));
                return;
            }

            if (page.Least > visit.Session?.Role)
                throw new Refused(new(RefusalCode.Forbidden, "Your role does not include this page."));
            await next(http);
            if (http.Response.StatusCode >= 400 && !http.Response.HasStarted && http.Response.ContentLength is null
                && http.Response.ContentType is null)
                await Show(http, visit, http.Response.StatusCode, Message(http.Response.StatusCode));
        }
        catch (Refused refused) when (!http.Response.HasStarted)
        {
            var status = Errors.Status(refused.Refusal.Code);
            // The session ended between the page and what it asked for.
            if (status == StatusCodes.Status401Unauthorized)
                http.Response.Redirect(SignIn(http));
            else
                await Show(http, visit, status, refused.Refusal.Message);
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            await Show(http, visit, bad.StatusCode, Message(bad.StatusCode));
        }
    }

    /// <summary>Writes the cookie of a new session; it lives as long as the browser, and the session no longer than its limits.</summary>
    public static void Set(HttpResponse response, string secret) => response.Cookies.Append(Cookie, secret, Options());

    public static void Clear(HttpResponse response) => response.Cookies.Delete(Cookie, Options());

    private static CookieOptions Options() =>
        new() { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true };

    private async Task<Session?> Find(HttpContext http)
    {
        if (!http.Request.Cookies.TryGetValue(Cookie, out var text) || !SecretText.TryRead(text, out var kind) || kind != SecretKind.Session)
            return null;
        var hash = Authenticate.Hash(text);
        var now = time.GetUtcNow();
        if (await db.SessionByHash(hash, http.RequestAborted) is not { } row || !row.IsValid(now, use.LastUse(hash)))
            return null;
        var meter = use.Of(hash, row.Session.Credential);
        use.Count(http, meter);
        if (!IsByItself(http))
            Volatile.Write(ref meter.LastUsed, now.UtcTicks);
        return row.Session with { IsProved = now - row.ProvedAt < SessionRow.ProofMax };
    }

    /// <summary>Whether an open page asks by itself: that is no use of the session, or one that nobody sits at would never be idle.</summary>
    private static bool IsByItself(HttpContext http) => http.Request.Path == LivePath || http.Request.Headers.ContainsKey(RefreshHeader);

    /// <summary>Where to sign in, and what to show then: only a page that was read, never one that would change something.</summary>
    private static string SignIn(HttpContext http) => HttpMethods.IsGet(http.Request.Method) && http.Request.Path != "/"
        ? $"{SignInPath}?to={Uri.EscapeDataString(http.Request.Path + http.Request.QueryString)}" : SignInPath;

    /// <summary>Nothing but what this server wrote into this very answer runs, loads, frames it or is sent to (SE-17, ASVS 3.4).</summary>
    private void Headers(HttpContext http, Visit visit)
    {
        Span<byte> bytes = stackalloc byte[NonceBytes];
        random(bytes);
        visit.Nonce = Base64Url.EncodeToString(bytes);
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; "
            + $"script-src 'nonce-{visit.Nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
            + $"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; report-uri {ReportPath}; report-to csp";
        headers["Reporting-Endpoints"] = $"csp=\"{ReportPath}\"";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        // As the forms' own protection would have it, which otherwise warns of every page.
        (headers.CacheControl, headers.Pragma) = ("no-cache, no-store", "no-cache");
        if (http.Request.IsHttps || settings.PublicUrl?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) == true)
            headers.StrictTransportSecurity = "max-age=63072000; includeSubDomains";
    }

    private async Task Show(HttpContext http, Visit visit, int status, string message)
    {
        visit.Fault = new PageFault(status, message, http.RequestId());
        http.SetEndpoint(null);
        http.Request.RouteValues.Clear();
        (http.Request.Method, http.Request.Path, http.Request.QueryString) = (HttpMethods.Get, FaultPath, QueryString.Empty);
        http.Response.StatusCode = status;
        await Pipeline!(http);
    }

    private static string Message(int status) => status switch
    {
        400 => "The form could not be read, or it is too old. Go back, load the page again and send it once more.",
        404 => "There is nothing here. Perhaps it was removed, or the address is mistyped.",
        405 => "This page cannot be used like that.",
        _ => "The page could not be shown. Try again.",
    };
}
