using System.Net;
using Coffer.Server.Host;

namespace Coffer.Server.Outbound;

/// <summary>
/// The URLs that something may be sent to. One spelling only: what one parser reads as a name and another as a number, or as another host, is
/// refused, so that what is judged is what is called.
/// </summary>
internal static class TargetUrl
{
    /// <summary>Characters of a URL.</summary>
    public const int LengthMax = 2_000;

    /// <summary>The URL of a request's member, or null when it is missing; what is wrong with it is a fault of the request.</summary>
    public static string? OptionalTarget(this Input body, string name, Mode mode, NetworkRules rules)
    {
        if (body.OptionalText(name, LengthMax) is not { } text)
            return null;
        if (!TryParse(text, mode, rules, out _, out var fault))
            body.Fault(name, fault);
        return text;
    }

    /// <summary>Reads a URL; otherwise <paramref name="fault"/> says what is wrong and what to send instead.</summary>
    public static bool TryParse(string text, Mode mode, NetworkRules rules, out Uri url, out string fault)
    {
        url = null!;
        if (text.Length > LengthMax)
            return No($"Send a URL of at most {LengthMax} characters.", out fault);
        if (text.Any(one => one is <= ' ' or > '~' or '\\'))
            return No("Send a URL in plain ASCII: a name with other letters in its xn-- form, everything else percent-encoded.", out fault);
        var isHttps = text.StartsWith("https://", StringComparison.Ordinal);
        if (!isHttps && mode == Mode.Live)
            return No("Send a URL that begins with https://.", out fault);
        if (!isHttps && !text.StartsWith("http://", StringComparison.Ordinal))
            return No("Send a URL that begins with https:// (or, for a test account, http://).", out fault);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var parsed) || parsed.Host.Length == 0)
            return No("Send a complete URL such as https://shop.example/webhooks.", out fault);
        if (parsed.UserInfo.Length > 0 || text.Contains('@', StringComparison.Ordinal) && Authority(text).Contains('@', StringComparison.Ordinal))
            return No("Send a URL without a user name or password.", out fault);
        if (parsed.Fragment.Length > 0 || text.Contains('#', StringComparison.Ordinal))
            return No("Send a URL without #.", out fault);
        if (WrittenHost(text) != parsed.Host || parsed.Host.EndsWith('.') || parsed.HostNameType == UriHostNameType.Basic)
            return No("Write the host in its usual form: a name in small letters without a final dot, or an address such as 203.0.113.7.", out fault);
        if (!rules.IsUsual(parsed.Port, mode))
            return No($"Port {parsed.Port} is not allowed: use {string.Join(" or ", NetworkRules.UsualPorts)}, or ask the operator.", out fault);
        if (Literal(parsed.Host) is { } address && rules.WhyNot(address, parsed.Port) is { } reason)
            return No($"Nothing is sent to {parsed.Host}: it is not a public address ({reason}).", out fault);
        (url, fault) = (parsed, "");
        return true;
    }

    // What a name means is seen when it is called; these mean the machine itself everywhere (RFC 6761, 6.3).
    private static IPAddress? Literal(string host) =>
        host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal) ? IPAddress.Loopback
        : IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address : null;

    private static string Authority(string text)
    {
        var from = text.IndexOf("://", StringComparison.Ordinal) + 3;
        var to = text.AsSpan(from).IndexOfAny('/', '?', '#');
        return to < 0 ? text[from..] : text[from..(from + to)];
    }

    private static string WrittenHost(string text)
    {
        var authority = Authority(text);
        var port = authority.LastIndexOf(':');
        return port > authority.LastIndexOf(']') ? authority[..port] : authority;
    }

    private static bool No(string why, out string fault)
    {
        fault = why;
        return false;
    }
}
