namespace Coffer.Chains.Tron;

/// <summary>Writes a protobuf message of byte strings and numbers from 0 up, the fields in the order of their numbers.</summary>
internal sealed class ProtobufWriter
{
    /// <summary>The kinds of field that Tron's transactions have (wire types).</summary>
    public const int Varint = 0, Delimited = 2;

    private readonly MemoryStream bytes = new();

    public byte[] ToArray() => bytes.ToArray();

    public ProtobufWriter Add(int field, ReadOnlySpan<byte> value)
    {
        Number(((ulong)field << 3) | Delimited);
        Number((ulong)value.Length);
        bytes.Write(value);
        return this;
    }

    /// <summary>A zero is left out: that is how protobuf writes it.</summary>
    public ProtobufWriter Add(int field, long value)
    {
        if (value == 0)
            return this;
        Number(((ulong)field << 3) | Varint);
        Number((ulong)value);
        return this;
    }

    private void Number(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.WriteByte((byte)((value & 0x7f) | 0x80));
        bytes.WriteByte((byte)value);
    }
}
