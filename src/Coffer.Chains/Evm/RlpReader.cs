using System.Buffers.Binary;
using Coffer.Chains.Keys;

namespace Coffer.Chains.Evm;

/// <summary>Reads what <see cref="RlpWriter"/> writes and nothing else: of two encodings of one value only the shortest is taken.</summary>
internal ref struct RlpReader(ReadOnlySpan<byte> bytes)
{
    private const int NumberBytesMax = 16, LengthBytesMax = 3;
    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>Whether everything was read.</summary>
    public readonly bool AtEnd => rest.IsEmpty;

    /// <summary>The items of the list that is next.</summary>
    public RlpReader List() => new(Next(list: true));

    /// <summary>The bytes that are next.</summary>
    public ReadOnlySpan<byte> Bytes() => Next(list: false);

    /// <summary>Exactly so many bytes.</summary>
    public ReadOnlySpan<byte> Bytes(int length) => Bytes() is var read && read.Length == length ? read : throw Fault($"has no {length} bytes");

    /// <summary>The integer that is next, from 0 to <paramref name="max"/>.</summary>
    public Int128 Number(Int128 max)
    {
        var digits = Bytes();
        if (digits.Length > NumberBytesMax || (digits.Length > 0 && digits[0] == 0))
            throw Fault("has a number that is too large or has leading zeros");
        Span<byte> all = stackalloc byte[NumberBytesMax];
        all.Clear();
        digits.CopyTo(all[(NumberBytesMax - digits.Length)..]);
        var number = BinaryPrimitives.ReadInt128BigEndian(all);
        return number >= 0 && number <= max ? number : throw Fault("has a number that is too large");
    }

    /// <summary>Passes over an empty list.</summary>
    public void EmptyList()
    {
        if (!List().AtEnd)
            throw Fault("has a list that is not empty");
    }

    /// <summary>What is wrong with a transaction.</summary>
    public static KeyFault Fault(string what) => new($"The transaction {what}.");

    private ReadOnlySpan<byte> Next(bool list)
    {
        if (rest.IsEmpty)
            throw Fault("ends too early");
        var first = rest[0];
        if (first < RlpWriter.StringBase && !list)
            return Take(0, 1);
        var start = list ? RlpWriter.ListBase : RlpWriter.StringBase;
        if (first < start || (!list && first >= RlpWriter.ListBase))
            throw Fault("is built otherwise");
        var length = first - start;
        if (length <= RlpWriter.ShortMax)
        {
            var content = Take(1, length);
            return list || length != 1 || content[0] >= RlpWriter.StringBase ? content : throw Fault("is not written in the shortest way");
        }

        var digits = length - RlpWriter.ShortMax;
        if (digits > LengthBytesMax || rest.Length <= digits)
            throw Fault("has an impossible length");
        var size = 0;
        foreach (var digit in rest.Slice(1, digits))
            size = (size << 8) | digit;
        if (rest[1] == 0 || size <= RlpWriter.ShortMax)
            throw Fault("is not written in the shortest way");
        return Take(1 + digits, size);
    }

    private ReadOnlySpan<byte> Take(int from, int length)
    {
        if (rest.Length - from < length)
            throw Fault("ends too early");
        var taken = rest.Slice(from, length);
        rest = rest[(from + length)..];
        return taken;
    }
}
