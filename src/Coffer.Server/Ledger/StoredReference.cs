using System.Buffers;
using Coffer.Ledger;

namespace Coffer.Server.Ledger;

/// <summary>
/// The text of a reference as movement_made keeps it: of <c>chain:txid:kind:ordinal</c> the last 64 hexadecimal digits of the txid are taken
/// out and kept as 32 bytes. The view <c>movement</c> puts them back in the place of <see cref="Mark"/>. That nothing is lost is proven by
/// <see cref="Verify"/>, which compares each text with its digest.
/// </summary>
/// <param name="Text">What is left.</param>
/// <param name="Hash">What was taken out; null when the text is whole, as it is when it has a mark of its own.</param>
internal readonly record struct StoredReference(string Text, byte[]? Hash)
{
    private const char Mark = '*';

    private const int Digits = 64;

    private static readonly SearchValues<char> _digits = SearchValues.Create("0123456789abcdef");

    public static StoredReference Of(Reference reference)
    {
        var text = reference.Text.AsSpan();
        var end = text.LastIndexOf(':');
        end = end < 0 ? end : text[..end].LastIndexOf(':');
        if (end < Digits || text[(end - Digits)..end].ContainsAnyExcept(_digits) || text.Contains(Mark))
            return new StoredReference(reference.Text, null);
        return new StoredReference($"{text[..(end - Digits)]}{Mark}{text[end..]}", Convert.FromHexString(text[(end - Digits)..end]));
    }
}
