using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Coffer.Chains.Bitcoin;

/// <summary>A double SHA-256 as four machine words: small enough to keep hundreds of thousands of transaction ids of a mempool.</summary>
internal readonly record struct RawHash
{
    public const int Bytes = 32;

    private readonly ulong a, b, c, d;

    public RawHash(ReadOnlySpan<byte> wire)
    {
        a = BinaryPrimitives.ReadUInt64LittleEndian(wire);
        b = BinaryPrimitives.ReadUInt64LittleEndian(wire[8..]);
        c = BinaryPrimitives.ReadUInt64LittleEndian(wire[16..]);
        d = BinaryPrimitives.ReadUInt64LittleEndian(wire[24..]);
    }

    public static RawHash Of(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Bytes];
        SHA256.HashData(data, hash);
        SHA256.HashData(hash, hash);
        return new RawHash(hash);
    }

    /// <summary>The hash of two hashes, a step of a merkle tree.</summary>
    public static RawHash Of(RawHash left, RawHash right)
    {
        Span<byte> both = stackalloc byte[2 * Bytes];
        left.Write(both);
        right.Write(both[Bytes..]);
        return Of(both);
    }

    /// <summary>Reads the canonical spelling, 64 lower-case hex digits; null for anything else.</summary>
    public static RawHash? Parse(string text)
    {
        if (text.Length != 2 * Bytes || text.AsSpan().ContainsAnyExcept("0123456789abcdef"))
            return null;
        var bytes = Convert.FromHexString(text);
        Array.Reverse(bytes);
        return new RawHash(bytes);
    }

    public void Write(Span<byte> wire)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(wire, a);
        BinaryPrimitives.WriteUInt64LittleEndian(wire[8..], b);
        BinaryPrimitives.WriteUInt64LittleEndian(wire[16..], c);
        BinaryPrimitives.WriteUInt64LittleEndian(wire[24..], d);
    }

    /// <summary>The canonical spelling: the wire's bytes in reverse order, as everybody shows them.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        Write(bytes);
        bytes.Reverse();
        return Convert.ToHexStringLower(bytes);
    }
}
