namespace Coffer.Chains.Bitcoin;

/// <summary>
/// A partially signed transaction as its parts (BIP174, version 0), whoever made it. A <see cref="ChainFault"/> for what is none.
/// </summary>
/// <param name="Unsigned">The transaction without signatures.</param>
/// <param name="Global">The map of the whole.</param>
/// <param name="Inputs">One map for each input.</param>
/// <param name="Outputs">One map for each output.</param>
internal sealed record PsbtMaps(ReadOnlyMemory<byte> Unsigned, PsbtMap Global, IReadOnlyList<PsbtMap> Inputs, IReadOnlyList<PsbtMap> Outputs)
{
    private const int InputBytes = 41, OutputBytesMin = 9;

    /// <summary>What every one begins with.</summary>
    public static ReadOnlySpan<byte> Magic => [0x70, 0x73, 0x62, 0x74, 0xff];

    public static PsbtMaps Parse(ReadOnlyMemory<byte> psbt)
    {
        if (!psbt.Span.StartsWith(Magic) || psbt.Length > RawTransaction.BytesMax)
            throw RawReader.Fault("is no PSBT");
        var reader = new RawReader(psbt[Magic.Length..]);
        var global = PsbtMap.Read(ref reader, PsbtMapKind.Global);
        if (global.Find(PsbtMap.UnsignedTransaction) is not { } unsigned)
            throw RawReader.Fault("is a PSBT without a transaction");
        if (global.Find(PsbtMap.Version) is { } version && (version.Length != sizeof(uint) || version.Span.ContainsAnyExcept((byte)0)))
            throw RawReader.Fault("is a PSBT of another version than 0");
        var (inputs, outputs) = Counts(unsigned);
        var maps = new PsbtMaps(unsigned, global, Maps(ref reader, inputs, PsbtMapKind.Input), Maps(ref reader, outputs, PsbtMapKind.Output));
        return reader.AtEnd ? maps : throw RawReader.Fault("goes on after the PSBT");
    }

    // A transaction without inputs is allowed here, so a mark of witnesses never is one: it reads as no inputs and then ends elsewhere.
    private static (int Inputs, int Outputs) Counts(ReadOnlyMemory<byte> unsigned)
    {
        var reader = new RawReader(unsigned);
        reader.Skip(sizeof(uint));
        var inputs = reader.Count(InputBytes);
        for (var i = 0; i < inputs; i++)
        {
            reader.Hash();
            reader.UInt32();
            if (!reader.Script().IsEmpty)
                throw RawReader.Fault("is a PSBT of a transaction with signatures in it");
            reader.UInt32();
        }

        var outputs = reader.Count(OutputBytesMin);
        for (var i = 0; i < outputs; i++)
        {
            reader.Int64();
            reader.Script();
        }

        reader.UInt32();
        return reader.AtEnd ? (inputs, outputs) : throw RawReader.Fault("goes on after the transaction");
    }

    private static PsbtMap[] Maps(ref RawReader reader, int count, PsbtMapKind kind)
    {
        var maps = new PsbtMap[count];
        for (var i = 0; i < count; i++)
            maps[i] = PsbtMap.Read(ref reader, kind);
        return maps;
    }
}
