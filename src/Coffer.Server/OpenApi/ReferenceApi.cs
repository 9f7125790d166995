using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;

namespace Coffer.Server.OpenApi;

/// <summary>
/// The description of the whole API: as OpenAPI 3.1 at <c>/openapi.json</c>, byte for byte the file <c>docs/openapi.json</c>, and as a page
/// at <c>/docs</c> that is made of it. The file is kept by hand, as the routes read their requests by hand; tests hold it to the routes
/// and to every answer that they see.
/// </summary>
internal static class ReferenceApi
{
    private const string Resource = "openapi.json";

    public static void MapReference(this IEndpointRouteBuilder routes)
    {
        var document = Read();
        var page = new Lazy<byte[]>(() => Encoding.UTF8.GetBytes(ReferencePage.Of(JsonDocument.Parse(document).RootElement)));
        var style = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(ReferencePage.Style)));
        // Nothing is loaded, not even from here: the style is in the page, and there is no script.
        var policy = $"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        routes.MapGet("/openapi.json", http => Send(http, document, "application/json; charset=utf-8")).Public();
        routes.MapGet("/docs", http =>
        {
            http.Response.Headers.ContentSecurityPolicy = policy;
            http.Response.Headers["Referrer-Policy"] = "no-referrer";
            return Send(http, page.Value, "text/html; charset=utf-8");
        }).Public();
    }

    private static Task Send(HttpContext http, byte[] body, string type)
    {
        Input.Query(http).Check();
        http.Response.ContentType = type;
        http.Response.ContentLength = body.Length;
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return http.Response.Body.WriteAsync(body, http.RequestAborted).AsTask();
    }

    private static byte[] Read()
    {
        using var stream = typeof(ReferenceApi).Assembly.GetManifestResourceStream(Resource)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
