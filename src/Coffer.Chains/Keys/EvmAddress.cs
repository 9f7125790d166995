namespace Coffer.Chains.Keys;

/// <summary>
/// Addresses of Ethereum and its likes: the last 20 bytes of the Keccak-256 of the public key. Their one spelling here is the checksummed
/// one (EIP-55), in which the case of the letters carries a checksum.
/// </summary>
public static class EvmAddress
{
    /// <summary>The length of an address, in bytes.</summary>
    public const int Bytes = 20;

    private const string Prefix = "0x";
    private const int Digits = 2 * Bytes;

    /// <summary>The address of exactly 20 bytes.</summary>
    public static string Write(ReadOnlySpan<byte> address)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(address.Length, Bytes);
        Span<char> text = stackalloc char[Digits];
        Convert.TryToHexStringLower(address, text, out _);
        Span<byte> ascii = stackalloc byte[Digits];
        for (var i = 0; i < Digits; i++)
            ascii[i] = (byte)text[i];
        Span<byte> hash = stackalloc byte[Keccak256.Bytes];
        Keccak256.Hash(ascii, hash);
        for (var i = 0; i < Digits; i++)
        {
            // A letter is upper case where the hash of the lower-case address has a digit of 8 or more.
            if (((hash[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 8) != 0)
                text[i] = char.ToUpperInvariant(text[i]);
        }
        return string.Concat(Prefix, text);
    }

    /// <summary>
    /// The one spelling of an address in any case; null for a text that is none, and for one in mixed case with a wrong checksum, which is
    /// a typing error.
    /// </summary>
    public static string? Read(string text)
    {
        if (text.Length != Prefix.Length + Digits || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var digits = text.AsSpan(Prefix.Length);
        Span<byte> address = stackalloc byte[Bytes];
        if (Convert.FromHexString(digits, address, out _, out _) != System.Buffers.OperationStatus.Done)
            return null;
        var canonical = Write(address);
        var mixed = digits.ContainsAnyInRange('a', 'f') && digits.ContainsAnyInRange('A', 'F');
        return mixed && text != canonical ? null : canonical;
    }

    /// <summary>The 20 bytes of an address. Throws on a text that <see cref="Read"/> would not take.</summary>
    public static byte[] ToBytes(string address) =>
        Read(address) is { } canonical ? Convert.FromHexString(canonical.AsSpan(Prefix.Length))
            : throw new ArgumentException("That is not an EVM address.", nameof(address));

    /// <summary>The address of a compressed public key, 33 bytes. A <see cref="KeyFault"/> when that is not valid.</summary>
    public static string OfKey(ReadOnlySpan<byte> key) => Write(HashKey(key));

    /// <summary>The 20 bytes that a compressed public key has as its address, here and on Tron.</summary>
    internal static byte[] HashKey(ReadOnlySpan<byte> key)
    {
        // The 0x04 in front of x and y is not hashed.
        var point = PublicKeys.Uncompress(key);
        return Keccak256.Hash(point.AsSpan(1))[^Bytes..];
    }
}
