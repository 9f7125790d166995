using System.Buffers.Binary;

namespace Coffer.Chains.Bitcoin;

/// <summary>Writes Bitcoin's wire format; what <see cref="RawReader"/> reads.</summary>
internal sealed class RawWriter
{
    private readonly MemoryStream bytes = new();

    public byte[] ToArray() => bytes.ToArray();

    public RawWriter Byte(byte value)
    {
        bytes.WriteByte(value);
        return this;
    }

    public RawWriter UInt32(uint value)
    {
        Span<byte> four = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(four, value);
        return Bytes(four);
    }

    public RawWriter Int64(long value)
    {
        Span<byte> eight = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(eight, value);
        return Bytes(eight);
    }

    public RawWriter Hash(RawHash hash)
    {
        Span<byte> wire = stackalloc byte[RawHash.Bytes];
        hash.Write(wire);
        return Bytes(wire);
    }

    /// <summary>A count or length in the shortest of its forms.</summary>
    public RawWriter Count(int count)
    {
        if (count < 0xfd)
            return Byte((byte)count);
        if (count > ushort.MaxValue)
            return Byte(0xfe).UInt32((uint)count);
        return Byte(0xfd).Byte((byte)(count & byte.MaxValue)).Byte((byte)(count >> 8));
    }

    /// <summary>A length and so many bytes.</summary>
    public RawWriter Script(ReadOnlySpan<byte> script) => Count(script.Length).Bytes(script);

    public RawWriter Bytes(ReadOnlySpan<byte> value)
    {
        bytes.Write(value);
        return this;
    }
}
