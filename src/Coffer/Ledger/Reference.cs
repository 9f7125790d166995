using System.Text;

namespace Coffer.Ledger;

/// <summary>
/// What makes a movement happen once: unique in its account for ever. The text is kept for people; what is indexed is the
/// first 128 bits of the SHA-256 of account and text, so that uniqueness costs 16 bytes whatever the text.
/// </summary>
public readonly record struct Reference
{
    /// <summary>Longest text, in characters: room for a chain, a transaction hash, a kind and an ordinal, or a caller's key.</summary>
    public const int LengthMax = 400;

    private Reference(string text) => Text = text;

    /// <summary>The readable form, e.g. <c>ethereum:0x5c50...:token:0</c> or <c>transfer:order-17</c>.</summary>
    public string Text { get; }

    /// <summary>The reference with this text; 1 to <see cref="LengthMax"/> characters.</summary>
    public static Reference Of(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(text.Length, LengthMax);
        return new Reference(text);
    }

    /// <summary>The first 128 bits of SHA-256(account as 16 big-endian bytes, text in UTF-8).</summary>
    public Guid DigestIn(AccountId account)
    {
        Span<byte> bytes = stackalloc byte[16 + (LengthMax * 3)];
        account.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        var length = 16 + Encoding.UTF8.GetBytes(Text, bytes[16..]);
        Span<byte> digest = stackalloc byte[Digest.Bytes];
        Digest.Of(bytes[..length], digest);
        return new Guid(digest, bigEndian: true);
    }
}
