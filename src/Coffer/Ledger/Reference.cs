using System.Security.Cryptography;
using System.Text;

namespace Coffer.Ledger;

/// <summary>
/// What makes a movement happen once: unique in its account for ever. The text is kept for people; the digest (the first
/// 128 bits of its SHA-256) is what is indexed, so that a key costs 16 bytes whatever its text.
/// </summary>
public readonly record struct Reference
{
    /// <summary>Longest text, in characters: room for a chain, a transaction hash, a kind and an ordinal, or a caller's key.</summary>
    public const int LengthMax = 400;

    private Reference(string text, Guid digest)
    {
        Text = text;
        Digest = digest;
    }

    /// <summary>The readable form, e.g. <c>ethereum:0x5c50...:token:0</c> or <c>transfer:order-17</c>.</summary>
    public string Text { get; }

    /// <summary>The first 128 bits of the text's SHA-256, big-endian.</summary>
    public Guid Digest { get; }

    /// <summary>The reference with this text; 1 to <see cref="LengthMax"/> characters.</summary>
    public static Reference Of(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(text.Length, LengthMax);
        return new Reference(text, DigestOf(text));
    }

    /// <summary>The digest that a text has; also used for fingerprints of what was asked.</summary>
    public static Guid DigestOf(ReadOnlySpan<char> text)
    {
        Span<byte> utf8 = text.Length <= LengthMax ? stackalloc byte[LengthMax * 3] : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var length = Encoding.UTF8.GetBytes(text, utf8);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..length], hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
