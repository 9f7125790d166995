using System.Buffers.Binary;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// Reads Bitcoin's wire format from bytes that a stranger may have made: each read is bounded by what is there, each count by the bytes
/// that so many things would need at least, so nothing is allocated on the word of the sender. Whatever is wrong is a
/// <see cref="ChainFault"/>.
/// </summary>
internal ref struct RawReader(ReadOnlyMemory<byte> bytes)
{
    private readonly ReadOnlySpan<byte> span = bytes.Span;
    private int at;

    /// <summary>How many bytes have been read.</summary>
    public readonly int At => at;

    public readonly bool AtEnd => at == span.Length;

    public readonly byte Peek(int ahead = 0) => span.Length - at > ahead ? span[at + ahead] : throw Fault("ends too early");

    public byte Byte() => Take(1)[0];

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    /// <summary>32 bytes in the order of the wire; people write them the other way round.</summary>
    public RawHash Hash() => new(Take(RawHash.Bytes));

    /// <summary>A length and so many bytes; a window on the bytes that were given, not a copy.</summary>
    public ReadOnlyMemory<byte> Script()
    {
        var length = Count(1);
        var start = at;
        Take(length);
        return bytes.Slice(start, length);
    }

    /// <summary>How many things of at least so many bytes follow; a count that cannot fit in the rest is refused.</summary>
    public int Count(int bytesEach)
    {
        var count = Number();
        return count <= (ulong)((span.Length - at) / bytesEach) ? (int)count : throw Fault("counts more than it has");
    }

    public void Skip(int count) => Take(count);

    public static ChainFault Fault(string what) => new($"A node's Bitcoin data {what}.", retryable: true);

    /// <summary>Bitcoin's variable length integer; as nodes do, a longer spelling than needed is refused.</summary>
    private ulong Number()
    {
        var first = Byte();
        var (value, least) = first switch
        {
            0xfd => (BinaryPrimitives.ReadUInt16LittleEndian(Take(2)), 0xfdUL),
            0xfe => (BinaryPrimitives.ReadUInt32LittleEndian(Take(4)), 0x1_0000UL),
            0xff => (BinaryPrimitives.ReadUInt64LittleEndian(Take(8)), 0x1_0000_0000UL),
            _ => (first, 0UL),
        };
        return value >= least ? value : throw Fault("spells a number longer than needed");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > span.Length - at)
            throw Fault("ends too early");
        at += count;
        return span.Slice(at - count, count);
    }
}
