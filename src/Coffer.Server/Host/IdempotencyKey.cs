using System.Buffers;

namespace Coffer.Server.Host;

/// <summary>The header <c>Idempotency-Key</c>: a structured-field string in quotes, as the IETF draft has it, or the bare text.</summary>
internal static class IdempotencyKey
{
    public const int LengthMax = 255;

    private static readonly SearchValues<char> _printable =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)]);

    /// <summary>The key without its quotes, so that both forms are the same key; null when the header is no key.</summary>
    public static string? Read(string header)
    {
        var text = header.Trim(' ');
        if (text.AsSpan().ContainsAnyExcept(_printable))
            return null;
        var key = text.StartsWith('"') ? Unquoted(text) : text;
        return key is { Length: >= 1 and <= LengthMax } ? key : null;
    }

    /// <summary>RFC 9651, 3.3.3: only the quote and the backslash may be escaped. Parameters after the string are not taken.</summary>
    private static string? Unquoted(string text)
    {
        if (text.Length < 2 || text[^1] != '"')
            return null;
        var key = new System.Text.StringBuilder(text.Length);
        for (var i = 1; i < text.Length - 1; i++)
        {
            if (text[i] == '"')
                return null;
            if (text[i] == '\\' && (++i == text.Length - 1 || text[i] is not ('"' or '\\')))
                return null;
            key.Append(text[i]);
        }

        return key.ToString();
    }
}
