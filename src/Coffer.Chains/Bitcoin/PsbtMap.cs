namespace Coffer.Chains.Bitcoin;

/// <summary>
/// One of the maps that a partially signed transaction consists of (BIP174): keys that begin with a type, each once. What is known of a type,
/// the length of its keys, is checked; what is unknown is taken as it is.
/// </summary>
internal sealed class PsbtMap
{
    // The types that matter here; the BIP numbers them for each of the three kinds of map.
    public const byte UnsignedTransaction = 0x00, Version = 0xfb;
    public const byte WitnessUtxo = 0x01, PartialSignature = 0x02, InputDerivation = 0x06, FinalScript = 0x07, FinalWitness = 0x08;
    public const byte OutputDerivation = 0x02;

    /// <summary>The most entries of a map; those of a payment have five at most.</summary>
    public const int EntriesMax = 512;

    private const int AlonePlus = 1, PlusKey = 34, PlusLongKey = 66, PlusXpub = 79;

    private readonly List<(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)> entries = [];

    public int Count => entries.Count;

    /// <summary>Reads one, up to the zero that ends it. A <see cref="ChainFault"/> says what is wrong.</summary>
    public static PsbtMap Read(ref RawReader reader, PsbtMapKind kind)
    {
        var map = new PsbtMap();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Script() is { IsEmpty: false } key)
        {
            var value = reader.Script();
            if (map.entries.Count == EntriesMax || !seen.Add(Convert.ToHexString(key.Span)))
                throw RawReader.Fault("has a map with too many keys, or with one of them twice");
            if (!IsLength(kind, key.Span[0], key.Length))
                throw RawReader.Fault($"has a key of type {key.Span[0]} with {key.Length} bytes");
            if (kind == PsbtMapKind.Input && key.Span[0] == 3 && value.Length != sizeof(uint))
                throw RawReader.Fault("has a sighash type that is none");
            map.entries.Add((key, value));
        }

        return map;
    }

    /// <summary>The value of a key; null where the key is not there.</summary>
    public ReadOnlyMemory<byte>? Find(byte type, ReadOnlySpan<byte> rest = default)
    {
        foreach (var (key, value) in entries)
            if (key.Span[0] == type && key.Span[1..].SequenceEqual(rest))
                return value;
        return null;
    }

    /// <summary>The only entry of a type, the key without the type; null where there is none. Two are a <see cref="ChainFault"/>.</summary>
    public (byte[] Key, ReadOnlyMemory<byte> Value)? Only(byte type)
    {
        (byte[], ReadOnlyMemory<byte>)? found = null;
        foreach (var (key, value) in entries)
        {
            if (key.Span[0] != type)
                continue;
            found = found is null ? (key[1..].ToArray(), value) : throw RawReader.Fault($"has several entries of type {type}");
        }

        return found;
    }

    private static bool IsLength(PsbtMapKind kind, byte type, int length) => (kind, type) switch
    {
        (PsbtMapKind.Global, UnsignedTransaction or Version) => length == AlonePlus,
        (PsbtMapKind.Global, 0x01) => length == PlusXpub,
        (PsbtMapKind.Input, PartialSignature or InputDerivation) => length is PlusKey or PlusLongKey,
        (PsbtMapKind.Input, <= FinalWitness) => length == AlonePlus,
        (PsbtMapKind.Output, OutputDerivation) => length is PlusKey or PlusLongKey,
        (PsbtMapKind.Output, <= 0x01) => length == AlonePlus,
        _ => true,
    };
}

/// <summary>Which of the maps; the same numbers mean something else in each.</summary>
internal enum PsbtMapKind
{
    Global,
    Input,
    Output,
}
