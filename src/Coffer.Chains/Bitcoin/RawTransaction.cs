using System.Buffers;

namespace Coffer.Chains.Bitcoin;

/// <summary>One output of some transaction.</summary>
internal readonly record struct Outpoint(RawHash Transaction, uint Index);

/// <summary>What an output pays, in satoshi, and the script that says to whom.</summary>
internal readonly record struct RawOutput(long Value, ReadOnlyMemory<byte> Script);

/// <summary>
/// A transaction from its bytes, with or without witnesses (BIP144). Its id is the hash without them, whatever the sender says it is. What
/// it is not checked for, scripts, signatures and funds, is what the node is there for.
/// </summary>
internal sealed record RawTransaction(RawHash Id, IReadOnlyList<Outpoint> Spent, IReadOnlyList<RawOutput> Outputs)
{
    /// <summary>The most bytes of a block, and so of anything in it, that the network accepts (BIP141: weight 4,000,000).</summary>
    public const int BytesMax = 4_000_000;

    /// <summary>All the satoshi that there ever will be: no output and no sum of them may be larger.</summary>
    public const long ValueMax = 21_000_000L * 100_000_000;

    private const int InputBytesMin = 41, OutputBytesMin = 9, WitnessItemBytesMin = 1;

    /// <summary>The first transaction of a block makes new coins: it spends nothing.</summary>
    public bool IsCoinbase => Spent is [{ Index: uint.MaxValue } only] && only.Transaction == default;

    /// <summary>Reads bytes that are one whole transaction.</summary>
    public static RawTransaction Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw RawReader.Fault("is larger than any transaction");
        var reader = new RawReader(bytes);
        var transaction = Read(ref reader, bytes);
        return reader.AtEnd ? transaction : throw RawReader.Fault("goes on after the transaction");
    }

    /// <summary>Reads the next transaction of <paramref name="bytes"/>, which <paramref name="reader"/> reads.</summary>
    public static RawTransaction Read(ref RawReader reader, ReadOnlyMemory<byte> bytes)
    {
        var start = reader.At;
        reader.Skip(4);
        // No transaction is without inputs: a zero there is the mark of witnesses.
        var witnesses = reader.Peek() == 0 && reader.Peek(1) == 1;
        if (witnesses)
            reader.Skip(2);
        var body = reader.At;
        var spent = new Outpoint[reader.Count(InputBytesMin)];
        if (spent.Length == 0)
            throw RawReader.Fault("has a transaction that spends nothing");
        for (var i = 0; i < spent.Length; i++)
        {
            spent[i] = new Outpoint(reader.Hash(), reader.UInt32());
            reader.Script();
            reader.Skip(4);
        }

        var outputs = ReadOutputs(ref reader);
        var bodyEnd = reader.At;
        var witnessed = false;
        for (var i = 0; witnesses && i < spent.Length; i++)
        {
            var items = reader.Count(WitnessItemBytesMin);
            witnessed |= items > 0;
            for (var item = 0; item < items; item++)
                reader.Script();
        }

        if (witnesses && !witnessed)
            throw RawReader.Fault("has a transaction marked for witnesses without any");
        var lockTime = reader.At;
        reader.Skip(4);
        var id = witnesses
            ? HashWithout(bytes.Span, start, body, bodyEnd, lockTime)
            : RawHash.Of(bytes.Span[start..reader.At]);
        return new RawTransaction(id, spent, outputs);
    }

    private static RawOutput[] ReadOutputs(ref RawReader reader)
    {
        var outputs = new RawOutput[reader.Count(OutputBytesMin)];
        if (outputs.Length == 0)
            throw RawReader.Fault("has a transaction that pays nobody");
        var sum = 0L;
        for (var i = 0; i < outputs.Length; i++)
        {
            var value = reader.Int64();
            if (value is < 0 or > ValueMax || (sum += value) > ValueMax)
                throw RawReader.Fault("pays more than there is");
            outputs[i] = new RawOutput(value, reader.Script());
        }

        return outputs;
    }

    /// <summary>Version, body and lock time, without the mark and the witnesses between them.</summary>
    private static RawHash HashWithout(ReadOnlySpan<byte> bytes, int start, int body, int bodyEnd, int lockTime)
    {
        var length = 4 + bodyEnd - body + 4;
        var stripped = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            bytes.Slice(start, 4).CopyTo(stripped);
            bytes[body..bodyEnd].CopyTo(stripped.AsSpan(4));
            bytes.Slice(lockTime, 4).CopyTo(stripped.AsSpan(length - 4));
            return RawHash.Of(stripped.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stripped);
        }
    }
}
