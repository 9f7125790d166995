using static System.Runtime.InteropServices.MemoryMarshal;
using static Coffer.Chains.Keys.Secp256k1;

namespace Coffer.Chains.Keys;

/// <summary>Arithmetic with public keys of secp256k1. Nothing secret passes through; safe for concurrent callers.</summary>
public static class PublicKeys
{
    private const byte PrefixEven = 2;
    private const byte PrefixOdd = 3;

    private static readonly byte[] _halfOrder =
        Convert.FromHexString("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0");

    /// <summary>Whether this is a compressed key (33 bytes, first 2 or 3) of a point on the curve.</summary>
    public static bool IsValid(ReadOnlySpan<byte> key)
    {
        Span<byte> point = stackalloc byte[PointBytes];
        return TryParse(key, point);
    }

    /// <summary>The same key uncompressed: 0x04, x, y, 65 bytes. A <see cref="KeyFault"/> when it is not valid.</summary>
    public static byte[] Uncompress(ReadOnlySpan<byte> key)
    {
        Span<byte> point = stackalloc byte[PointBytes];
        Parse(key, point);
        return Write(point, UncompressedBytes);
    }

    /// <summary>
    /// The compressed key plus <paramref name="tweak"/> times the generator; null where the tweak is not below the order of the curve or
    /// the sum is no point: BIP32 calls that child invalid. A <see cref="KeyFault"/> when the key is not valid.
    /// </summary>
    /// <param name="key">A compressed key, 33 bytes.</param>
    /// <param name="tweak">Exactly 32 bytes, big-endian.</param>
    public static byte[]? AddTweak(ReadOnlySpan<byte> key, ReadOnlySpan<byte> tweak)
    {
        MustHave(tweak.Length, ScalarBytes);
        Span<byte> point = stackalloc byte[PointBytes];
        Parse(key, point);
        var added = secp256k1_ec_pubkey_tweak_add(Context, ref GetReference(point), in GetReference(tweak)) == 1;
        return added ? Write(point, CompressedBytes) : null;
    }

    /// <summary>The compressed key that made a signature of a hash; null where there is none.</summary>
    /// <param name="hash">Exactly 32 bytes.</param>
    /// <param name="signature">r and s, exactly 64 bytes.</param>
    /// <param name="recoveryId">From 0 to 3.</param>
    public static byte[]? Recover(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature, int recoveryId)
    {
        MustHave(hash.Length, ScalarBytes);
        MustHave(signature.Length, SignatureBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(recoveryId);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(recoveryId, 3);
        Span<byte> parsed = stackalloc byte[RecoverableBytes];
        ref var first = ref GetReference(parsed);
        if (secp256k1_ecdsa_recoverable_signature_parse_compact(Context, ref first, in GetReference(signature), recoveryId) != 1)
            return null;
        Span<byte> point = stackalloc byte[PointBytes];
        var recovered = secp256k1_ecdsa_recover(Context, ref GetReference(point), in first, in GetReference(hash)) == 1;
        return recovered ? Write(point, CompressedBytes) : null;
    }

    /// <summary>
    /// Whether a signature has the lower of the two s that verify. Whoever takes no other lets nobody but the secret's owner make a second
    /// form of it (EIP-2, BIP146).
    /// </summary>
    /// <param name="signature">r and s, exactly 64 bytes.</param>
    public static bool IsLow(ReadOnlySpan<byte> signature)
    {
        MustHave(signature.Length, SignatureBytes);
        return signature[ScalarBytes..].SequenceCompareTo(_halfOrder) <= 0;
    }

    /// <summary>Writes the library's own form of a key, compressed for 33 bytes and uncompressed for 65.</summary>
    internal static byte[] Write(ReadOnlySpan<byte> point, int length)
    {
        MustHave(point.Length, PointBytes);
        var key = new byte[length];
        var written = (nuint)length;
        var flags = length == CompressedBytes ? Compressed : Uncompressed;
        if (secp256k1_ec_pubkey_serialize(Context, ref key[0], ref written, in GetReference(point), flags) != 1 || written != (nuint)length)
            throw new KeyFault("libsecp256k1 could not write a public key.");
        return key;
    }

    private static void Parse(ReadOnlySpan<byte> key, Span<byte> point)
    {
        if (!TryParse(key, point))
            throw new KeyFault("That is not the compressed public key of a point on the curve secp256k1.");
    }

    // The library reads hybrid keys (6, 7) too, which nobody should send.
    private static bool TryParse(ReadOnlySpan<byte> key, Span<byte> point)
    {
        MustHave(point.Length, PointBytes);
        var compressed = key.Length == CompressedBytes && (key[0] is PrefixEven or PrefixOdd);
        return compressed && secp256k1_ec_pubkey_parse(Context, ref GetReference(point), in GetReference(key), (nuint)key.Length) == 1;
    }
}
