using System.Buffers.Binary;

namespace Coffer.Chains.Evm;

/// <summary>
/// Writes recursive length prefix, the encoding of Ethereum's transactions (Ethereum yellow paper, appendix B). An item has exactly one
/// encoding; integers are big-endian without leading zeros.
/// </summary>
internal sealed class RlpWriter
{
    /// <summary>A byte below this is its own encoding.</summary>
    public const byte StringBase = 0x80;

    /// <summary>The prefix of an empty list.</summary>
    public const byte ListBase = 0xC0;

    /// <summary>Content up to this long has its length in the prefix itself.</summary>
    public const int ShortMax = 55;

    private readonly List<byte> _items = [];

    /// <summary>Adds an integer, at least 0.</summary>
    public RlpWriter Add(Int128 number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        return Add(Minimal(number));
    }

    /// <summary>Adds bytes.</summary>
    public RlpWriter Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != 1 || bytes[0] >= StringBase)
            Head(_items, bytes.Length, StringBase);
        _items.AddRange(bytes);
        return this;
    }

    /// <summary>Adds a list without items.</summary>
    public RlpWriter AddEmptyList()
    {
        _items.Add(ListBase);
        return this;
    }

    /// <summary>All that was added as one list, after bytes that stand before it.</summary>
    public byte[] ToList(params ReadOnlySpan<byte> before)
    {
        List<byte> bytes = [.. before];
        Head(bytes, _items.Count, ListBase);
        bytes.AddRange(_items);
        return [.. bytes];
    }

    /// <summary>An integer big-endian without leading zeros; zero has no bytes.</summary>
    private static byte[] Minimal(Int128 number)
    {
        Span<byte> all = stackalloc byte[16];
        BinaryPrimitives.WriteInt128BigEndian(all, number);
        return all.TrimStart((byte)0).ToArray();
    }

    private static void Head(List<byte> to, int length, byte start)
    {
        if (length <= ShortMax)
        {
            to.Add((byte)(start + length));
            return;
        }

        var size = Minimal(length);
        to.Add((byte)(start + ShortMax + size.Length));
        to.AddRange(size);
    }
}
