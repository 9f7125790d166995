using Coffer.Chains.Keys;

namespace Coffer.Chains.Tron;

/// <summary>
/// Reads what <see cref="ProtobufWriter"/> writes and nothing else: each field is asked for by its number, so one that is unknown, repeated
/// or out of order is refused, and so is a number in more bytes than it needs.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>The byte string that is next, which must be this field.</summary>
    public ReadOnlySpan<byte> Bytes(int field)
    {
        Tag(field, ProtobufWriter.Delimited);
        var length = Varint();
        if (length > (ulong)rest.Length)
            throw Fault("ends too early");
        var value = rest[..(int)length];
        rest = rest[(int)length..];
        return value;
    }

    /// <summary>Exactly so many bytes.</summary>
    public ReadOnlySpan<byte> Bytes(int field, int length) =>
        Bytes(field) is var value && value.Length == length ? value : throw Fault($"has no {length} bytes in field {field}");

    /// <summary>The message that is next.</summary>
    public ProtobufReader Message(int field) => new(Bytes(field));

    /// <summary>The number of this field, above 0.</summary>
    public long Number(int field)
    {
        Tag(field, ProtobufWriter.Varint);
        var value = Varint();
        return value is > 0 and <= long.MaxValue ? (long)value : throw Fault($"has a number that cannot be in field {field}");
    }

    /// <summary>The number of the last field, 0 where it is left out.</summary>
    public long NumberOrEnd(int field) => rest.IsEmpty ? 0 : Number(field);

    /// <summary>Everything must have been read.</summary>
    public readonly void End()
    {
        if (!rest.IsEmpty)
            throw Fault("has parts that a payment does not have");
    }

    /// <summary>What is wrong with a transaction.</summary>
    public static KeyFault Fault(string what) => new($"The Tron transaction {what}.");

    private void Tag(int field, int kind)
    {
        if (rest.IsEmpty || Varint() != (((ulong)field << 3) | (uint)kind))
            throw Fault($"does not have field {field} where it should be");
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var i = 0; ; i++)
        {
            if (i == rest.Length || i == 9)
                throw Fault("ends too early, or has a number that is too large");
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] >= 0x80)
                continue;
            if (i > 0 && rest[i] == 0)
                throw Fault("has a number in more bytes than it needs");
            rest = rest[(i + 1)..];
            return value;
        }
    }
}
