using System.Net.Http.Headers;
using System.Text;
using Coffer.Server.Host;

namespace Coffer.Server.Auth;

/// <summary>The parameters of a request to a path under <c>/o/</c>: a form in the body, each parameter once (RFC 6749, 3.2).</summary>
internal sealed class OAuthForm
{
    private const string FormType = "application/x-www-form-urlencoded";
    private static readonly UTF8Encoding _strict = new(false, true);
    private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);

    /// <summary>Reads the form. Parameters in the URL are refused: a secret does not belong into logs of proxies.</summary>
    public static async Task<OAuthForm> Read(HttpContext http)
    {
        if (http.Request.QueryString.HasValue)
            throw Invalid("Send all parameters in the body, none in the URL.");
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !FormType.Equals(type.MediaType, StringComparison.OrdinalIgnoreCase))
            throw Invalid($"Send a body of Content-Type {FormType}.");
        var bytes = await Input.ReadBytes(http);
        var form = new OAuthForm();
        foreach (var pair in Encoding.Latin1.GetString(bytes.Span).Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var name = Decode(equals < 0 ? pair : pair[..equals]) ?? throw Invalid("The body is not form-encoded UTF-8.");
            var value = Decode(equals < 0 ? "" : pair[(equals + 1)..]) ?? throw Invalid("The body is not form-encoded UTF-8.");
            if (!form._fields.TryAdd(name, value))
                throw Invalid("A parameter came more than once.");
        }

        return form;
    }

    /// <summary>A parameter that must be there; the RFC has empty ones count as missing.</summary>
    public string Required(string name) => Optional(name) ?? throw Invalid($"The parameter {name} is missing.");

    public string? Optional(string name) => _fields.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <summary>Form decoding to text without control characters; null for what is none.</summary>
    public static string? Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                    return null;
                bytes.Add(Convert.FromHexString(text.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else
                bytes.Add(text[i] == '+' ? (byte)' ' : (byte)text[i]);
        }

        try
        {
            var decoded = _strict.GetString([.. bytes]);
            return decoded.Any(char.IsControl) ? null : decoded;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static OAuthRefused Invalid(string description) => new(OAuthRefused.InvalidRequest, description);
}
