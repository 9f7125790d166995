using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Coffer.Chains.Keys;

/// <summary>
/// An extended public key (BIP32): from it come the public keys of all its children, without a secret. Immutable; safe for concurrent
/// callers. Still worth guarding: it shows every address, and with the private key of any one child it gives all of them.
/// </summary>
public sealed class ExtendedPublicKey
{
    /// <summary>The highest index of a child; the ones above are hardened and need the private key.</summary>
    public const uint IndexMax = 0x7fffffff;

    /// <summary>The depth of an account's key, m/purpose'/coin'/account' (BIP44).</summary>
    public const int AccountDepth = 3;

    private const int TextBytes = 78;
    private const int ChainCodeAt = 13;
    private const int ChainCodeBytes = 32;
    private const int KeyAt = 45;

    private readonly byte[] _bytes;

    // Already checked, version included.
    private ExtendedPublicKey(byte[] bytes, ExtendedKeyPrefix prefix)
    {
        _bytes = bytes;
        Prefix = prefix;
        Fingerprint = Convert.ToHexStringLower(Hash160.Hash(Key).AsSpan(0, 4));
    }

    /// <summary>What the key begins with.</summary>
    public ExtendedKeyPrefix Prefix { get; }

    /// <summary>How many derivations below the master key, from 0 to 255; 3 for an account.</summary>
    public int Depth => _bytes[4];

    /// <summary>Which child of its parent this is; from 2^31 on a hardened one; 0 for the master key.</summary>
    public uint Index => BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(9));

    /// <summary>The first 4 bytes of the key's <see cref="Hash160"/>, 8 lower-case hex digits: tells keys apart, proves nothing.</summary>
    public string Fingerprint { get; }

    /// <summary>The compressed public key, 33 bytes.</summary>
    public ReadOnlySpan<byte> Key => _bytes.AsSpan(KeyAt);

    private ReadOnlySpan<byte> ChainCode => _bytes.AsSpan(ChainCodeAt, ChainCodeBytes);

    /// <summary>Reads a key. A <see cref="KeyFault"/> says why a text is none; a private key is never accepted.</summary>
    public static ExtendedPublicKey Parse(string text)
    {
        // First of all, and by its beginning alone: one with a typing error in it is as secret.
        if (text.Length > 4 && text.AsSpan(1, 3).SequenceEqual("prv"))
            throw PrivateKey();
        var bytes = Base58Check.Decode(text)
            ?? throw new KeyFault("That is not an extended public key: it is not Base58, its length is wrong or its checksum is wrong.");
        if (bytes.Length != TextBytes)
            throw new KeyFault($"That is not an extended public key: it has {bytes.Length} bytes, not {TextBytes}.");

        var version = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (ExtendedKeyPrefix.All.Any(p => p.PrivateVersion == version))
            throw PrivateKey();
        var prefix = ExtendedKeyPrefix.All.FirstOrDefault(p => p.PublicVersion == version)
            ?? throw new KeyFault($"That is not an extended public key: the version 0x{version:x8} is unknown.");
        if (bytes[4] == 0 && bytes.AsSpan(5, 4).ContainsAnyExcept((byte)0))
            throw new KeyFault("The extended public key says that it is a master key (depth 0) but names a parent.");
        if (bytes[4] == 0 && bytes.AsSpan(9, 4).ContainsAnyExcept((byte)0))
            throw new KeyFault("The extended public key says that it is a master key (depth 0) but has an index.");
        if (bytes[KeyAt] is not (2 or 3))
            throw new KeyFault($"The extended public key contains no compressed public key: its first byte is {bytes[KeyAt]}, not 2 or 3.");
        if (!PublicKeys.IsValid(bytes.AsSpan(KeyAt)))
            throw new KeyFault("The extended public key contains a point that is not on the curve secp256k1.");
        return new ExtendedPublicKey(bytes, prefix);
    }

    /// <summary>
    /// The child at an index from 0 to <see cref="IndexMax"/> (CKDpub of BIP32). A <see cref="KeyFault"/> where that child does not exist,
    /// which happens less than once in 2^127 indices, and below depth 255.
    /// </summary>
    public ExtendedPublicKey Child(uint index)
    {
        var child = new byte[TextBytes];
        WriteChild(index, child.AsSpan(ChainCodeAt));
        if (Depth == byte.MaxValue)
            throw new KeyFault("An extended public key at depth 255 has no children.");
        _bytes.AsSpan(0, 4).CopyTo(child);
        child[4] = (byte)(Depth + 1);
        Convert.FromHexString(Fingerprint, child.AsSpan(5, 4), out _, out _);
        BinaryPrimitives.WriteUInt32BigEndian(child.AsSpan(9), index);
        return new ExtendedPublicKey(child, Prefix);
    }

    /// <summary>The compressed public key of a child, 33 bytes: as <see cref="Child"/>, without the rest.</summary>
    public byte[] ChildKey(uint index)
    {
        Span<byte> child = stackalloc byte[ChainCodeBytes + Secp256k1.CompressedBytes];
        WriteChild(index, child);
        return child[ChainCodeBytes..].ToArray();
    }

    /// <summary>The text of the key, with the prefix that it was read with.</summary>
    public override string ToString() => Base58Check.Encode(_bytes);

    // Chain code and key of a child.
    private void WriteChild(uint index, Span<byte> child)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, IndexMax);
        Span<byte> message = stackalloc byte[Secp256k1.CompressedBytes + sizeof(uint)];
        Key.CopyTo(message);
        BinaryPrimitives.WriteUInt32BigEndian(message[Secp256k1.CompressedBytes..], index);
        Span<byte> mac = stackalloc byte[HMACSHA512.HashSizeInBytes];
        HMACSHA512.HashData(ChainCode, message, mac);
        var key = PublicKeys.AddTweak(Key, mac[..Secp256k1.ScalarBytes])
            ?? throw new KeyFault($"The extended public key {Fingerprint} has no child {index}; BIP32 says to go on with the next.");
        mac[Secp256k1.ScalarBytes..].CopyTo(child);
        key.CopyTo(child[ChainCodeBytes..]);
    }

    private static KeyFault PrivateKey() => new(
        "That is an extended private key, and the server must not be given private keys: give it the public one, and treat this one as "
        + "exposed if it was stored or sent anywhere.");
}
