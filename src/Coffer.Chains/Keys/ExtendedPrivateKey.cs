using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Coffer.Chains.Keys;

/// <summary>
/// An extended private key (BIP32), for the process that signs: from it come the secrets of all its children. Its bytes stay where they are
/// until they are zeroed by <see cref="Dispose"/>. Safe for concurrent callers until then.
/// </summary>
public sealed class ExtendedPrivateKey : IDisposable
{
    /// <summary>Added to an index: the child is hardened, which no public key can follow.</summary>
    public const uint Hardened = 0x8000_0000;

    /// <summary>The bytes of a key: version, depth, parent, index, chain code, secret.</summary>
    public const int Bytes = 78;

    /// <summary>The least and the most bytes of a seed.</summary>
    public const int SeedBytesMin = 16, SeedBytesMax = 64;

    private const int DepthAt = 4, ParentAt = 5, IndexAt = 9, ChainCodeAt = 13, MarkAt = 45, SecretAt = 46;
    private const int FingerprintBytes = 4;

    private readonly SecretBytes bytes;
    private readonly SecretKeys keys;
    private readonly byte[] key;

    private ExtendedPrivateKey(SecretBytes bytes, SecretKeys keys)
    {
        (this.bytes, this.keys) = (bytes, keys);
        key = keys.PublicKey(Secret);
    }

    /// <summary>What kind of key it calls itself.</summary>
    public ExtendedKeyPrefix Prefix => ExtendedKeyPrefix.All.First(one => one.PrivateVersion == BinaryPrimitives.ReadUInt32BigEndian(bytes.Span));

    /// <summary>How many derivations below the master key, from 0 to 255.</summary>
    public int Depth => bytes.Span[DepthAt];

    /// <summary>The secret, 32 bytes; zeros after the end.</summary>
    public ReadOnlySpan<byte> Secret => bytes.Span[SecretAt..];

    /// <summary>The compressed public key of the secret, 33 bytes.</summary>
    public ReadOnlySpan<byte> Key => key;

    /// <summary>The master key of a seed, <c>xprv</c>. A <see cref="KeyFault"/> for a seed without one, which is to be expected never.</summary>
    /// <param name="seed">16 to 64 random bytes.</param>
    /// <param name="keys">Does the arithmetic; outlives this.</param>
    public static ExtendedPrivateKey FromSeed(ReadOnlySpan<byte> seed, SecretKeys keys)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seed.Length, SeedBytesMin, nameof(seed));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(seed.Length, SeedBytesMax, nameof(seed));
        Span<byte> mac = stackalloc byte[HMACSHA512.HashSizeInBytes];
        HMACSHA512.HashData("Bitcoin seed"u8, seed, mac);
        var made = new SecretBytes(Bytes);
        BinaryPrimitives.WriteUInt32BigEndian(made.Span, ExtendedKeyPrefix.All[0].PrivateVersion);
        mac[Secp256k1.ScalarBytes..].CopyTo(made.Span[ChainCodeAt..]);
        mac[..Secp256k1.ScalarBytes].CopyTo(made.Span[SecretAt..]);
        CryptographicOperations.ZeroMemory(mac);
        return new ExtendedPrivateKey(made, keys);
    }

    /// <summary>Reads a text such as <c>xprv...</c>. A <see cref="KeyFault"/> that repeats nothing of it says why it is none.</summary>
    public static ExtendedPrivateKey Parse(ReadOnlySpan<char> text, SecretKeys keys)
    {
        var read = Base58Check.Decode(text)
            ?? throw Fault("it is not Base58, its length is wrong or its checksum is wrong");
        try
        {
            return Read(read, keys);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(read);
        }
    }

    /// <summary>Reads the bytes that <see cref="Write"/> wrote; the caller clears them.</summary>
    public static ExtendedPrivateKey Read(ReadOnlySpan<byte> from, SecretKeys keys)
    {
        if (from.Length != Bytes)
            throw Fault($"it has {from.Length} bytes, not {Bytes}");
        var version = BinaryPrimitives.ReadUInt32BigEndian(from);
        if (ExtendedKeyPrefix.All.All(one => one.PrivateVersion != version))
            throw Fault(ExtendedKeyPrefix.All.Any(one => one.PublicVersion == version) ? "it is a public one" : "its version is unknown");
        if (from[DepthAt] == 0 && from[ParentAt..ChainCodeAt].ContainsAnyExcept((byte)0))
            throw Fault("it says that it is a master key (depth 0) but has a parent or an index");
        if (from[MarkAt] != 0 || !keys.IsValid(from[SecretAt..]))
            throw Fault("it contains no secret key of the curve secp256k1");
        return new ExtendedPrivateKey(new SecretBytes(from), keys);
    }

    /// <summary>Writes the key, <see cref="Bytes"/> bytes; the caller clears them.</summary>
    public void Write(Span<byte> to) => bytes.Span.CopyTo(to);

    /// <summary>
    /// The child at an index, hardened from <see cref="Hardened"/> on. A <see cref="KeyFault"/> where that child does not exist, which
    /// happens less than once in 2^127 indices, and below depth 255.
    /// </summary>
    public ExtendedPrivateKey Child(uint index)
    {
        if (Depth == byte.MaxValue)
            throw new KeyFault("An extended private key at depth 255 has no children.");
        Span<byte> message = stackalloc byte[Secp256k1.CompressedBytes + sizeof(uint)];
        if (index >= Hardened)
            bytes.Span[MarkAt..].CopyTo(message);
        else
            key.CopyTo(message);
        BinaryPrimitives.WriteUInt32BigEndian(message[Secp256k1.CompressedBytes..], index);
        Span<byte> mac = stackalloc byte[HMACSHA512.HashSizeInBytes];
        HMACSHA512.HashData(bytes.Span[ChainCodeAt..MarkAt], message, mac);

        var child = new SecretBytes(bytes.Span);
        child.Span[DepthAt]++;
        Hash160.Hash(key).AsSpan(0, FingerprintBytes).CopyTo(child.Span[ParentAt..]);
        BinaryPrimitives.WriteUInt32BigEndian(child.Span[IndexAt..], index);
        mac[Secp256k1.ScalarBytes..].CopyTo(child.Span[ChainCodeAt..]);
        var exists = keys.AddTweak(child.Span[SecretAt..], mac[..Secp256k1.ScalarBytes]);
        CryptographicOperations.ZeroMemory(mac);
        CryptographicOperations.ZeroMemory(message);
        if (exists)
            return new ExtendedPrivateKey(child, keys);
        child.Dispose();
        throw new KeyFault($"The extended private key has no child {index}; BIP32 says to go on with the next.");
    }

    /// <summary>The descendant at the end of a path; what lies between is zeroed.</summary>
    /// <param name="path">Indices, at least one.</param>
    public ExtendedPrivateKey Descendant(params ReadOnlySpan<uint> path)
    {
        var last = Child(path[0]);
        foreach (var index in path[1..])
        {
            using var parent = last;
            last = parent.Child(index);
        }

        return last;
    }

    /// <summary>The public half.</summary>
    /// <param name="prefix">What it shall call itself; null: the word for its own.</param>
    public ExtendedPublicKey Public(ExtendedKeyPrefix? prefix = null)
    {
        Span<byte> half = stackalloc byte[Bytes];
        bytes.Span[..MarkAt].CopyTo(half);
        BinaryPrimitives.WriteUInt32BigEndian(half, (prefix ?? Prefix).PublicVersion);
        key.CopyTo(half[MarkAt..]);
        return ExtendedPublicKey.Parse(Base58Check.Encode(half));
    }

    /// <summary>Zeroes the secret.</summary>
    public void Dispose() => bytes.Dispose();

    private static KeyFault Fault(string why) => new($"That is not an extended private key: {why}.");
}
