namespace Coffer.Chains.Keys;

/// <summary>
/// Addresses of Tron: made like those of Ethereum, 0x41 in front, written in Base58Check, so that they begin with <c>T</c>. Where Tron
/// speaks Ethereum's JSON-RPC it leaves the 0x41 out; its own API writes all 21 bytes in hex.
/// </summary>
public static class TronAddress
{
    private const byte Prefix = 0x41;

    /// <summary>The address of exactly 20 bytes, the 0x41 not among them.</summary>
    public static string Write(ReadOnlySpan<byte> address)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(address.Length, EvmAddress.Bytes);
        Span<byte> all = [Prefix, .. address];
        return Base58Check.Encode(all);
    }

    /// <summary>The one spelling of an address, which is the text itself; null for a text that is none.</summary>
    public static string? Read(string text) => Bytes(text) is null ? null : text;

    /// <summary>The 20 bytes of an address, without the 0x41. Throws on a text that <see cref="Read"/> would not take.</summary>
    public static byte[] ToBytes(string address) =>
        Bytes(address) ?? throw new ArgumentException("That is not a Tron address.", nameof(address));

    /// <summary>
    /// The address of hex digits in any case: 40, or 42 that begin with 41, either with or without <c>0x</c>. Null for anything else.
    /// </summary>
    public static string? OfHex(string hex)
    {
        var digits = hex.StartsWith("0x", StringComparison.Ordinal) ? hex[2..] : hex;
        if (digits.Length == 42 && digits.StartsWith("41", StringComparison.Ordinal))
            digits = digits[2..];
        Span<byte> address = stackalloc byte[EvmAddress.Bytes];
        if (digits.Length != 40 || Convert.FromHexString(digits, address, out _, out _) != System.Buffers.OperationStatus.Done)
            return null;
        return Write(address);
    }

    /// <summary><c>0x</c> and 40 lower-case hex digits, as Tron's JSON-RPC writes it. Throws as <see cref="ToBytes"/> does.</summary>
    public static string ToHex(string address) => "0x" + Convert.ToHexStringLower(ToBytes(address));

    /// <summary>The address of a compressed public key, 33 bytes. A <see cref="KeyFault"/> when that is not valid.</summary>
    public static string OfKey(ReadOnlySpan<byte> key) => Write(EvmAddress.HashKey(key));

    private static byte[]? Bytes(string text) =>
        Base58Check.Decode(text) is [Prefix, .. { Length: EvmAddress.Bytes } address] ? address : null;
}
