using System.Globalization;
using System.Text.Unicode;

namespace Coffer.Chains.Rpc;

/// <summary>
/// Whether the strings in a body can be read at all. JSON's grammar lets bytes and escapes through that are no text (half a surrogate pair);
/// reading such a string throws where nobody expects it, so a body with one is refused as a whole. No node means that.
/// </summary>
internal static class RpcText
{
    private const int EscapeLength = 6;

    /// <summary>False when some string in these bytes is no text.</summary>
    public static bool IsReadable(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return false;
        while (json.IndexOf((byte)'\\') is >= 0 and var escape)
        {
            json = json[escape..];
            if (Surrogate(json) is not { } high)
            {
                json = json[Math.Min(2, json.Length)..];
                continue;
            }

            if (!char.IsHighSurrogate(high) || Surrogate(json[EscapeLength..]) is not { } low || !char.IsLowSurrogate(low))
                return false;
            json = json[(2 * EscapeLength)..];
        }

        return true;
    }

    /// <summary>The half of a pair that an escape at the start spells; null for anything else.</summary>
    private static char? Surrogate(ReadOnlySpan<byte> json) =>
        json.Length >= EscapeLength && json[0] == '\\' && json[1] == 'u'
        && ushort.TryParse(json[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
        && char.IsSurrogate((char)unit) ? (char)unit : null;
}
