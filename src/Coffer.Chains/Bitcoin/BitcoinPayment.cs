using Coffer.Chains.Keys;

namespace Coffer.Chains.Bitcoin;

/// <summary>A P2WPKH coin that is spent, and the key that spends it.</summary>
/// <param name="Coin">Which output of which transaction.</param>
/// <param name="Value">What it is worth, in satoshi.</param>
/// <param name="Key">The compressed public key whose hash it pays.</param>
/// <param name="Path">Where the key is below the account's, e.g. <c>1/7</c>.</param>
internal sealed record PaymentInput(Outpoint Coin, long Value, byte[] Key, string Path);

/// <summary>An output.</summary>
/// <param name="Value">In satoshi.</param>
/// <param name="Script">Whom it pays.</param>
/// <param name="Own">For change: the key whose hash it pays and where it is; null for a payment.</param>
internal sealed record PaymentOutput(long Value, byte[] Script, (byte[] Key, string Path)? Own);

/// <summary>
/// The one form of transaction that the hot wallet makes: version 2, no lock time, P2WPKH inputs that say that they may be replaced
/// (BIP125). Everything else is refused, so whoever reads one knows all that it can do.
/// </summary>
internal sealed record BitcoinPayment(IReadOnlyList<PaymentInput> Inputs, IReadOnlyList<PaymentOutput> Outputs)
{
    public const int Version = 2;

    /// <summary>The highest sequence with which a transaction may be replaced and has no relative lock.</summary>
    public const uint Sequence = 0xfffffffd;

    private const byte Der = 0x30, DerInteger = 0x02;
    private const int HalfBytes = 32;

    public long Fee => Inputs.Sum(input => input.Value) - Outputs.Sum(output => output.Value);

    /// <summary>The bytes without witnesses, whose hash is the id.</summary>
    public byte[] Unsigned()
    {
        var writer = new RawWriter().UInt32(Version).Count(Inputs.Count);
        foreach (var input in Inputs)
            Coin(writer, input.Coin).Script([]).UInt32(Sequence);
        return WriteOutputs(writer).UInt32(0).ToArray();
    }

    public RawHash Id() => RawHash.Of(Unsigned());

    /// <summary>What the key of an input signs (BIP143, all inputs and outputs).</summary>
    public byte[] SigningHash(int input)
    {
        var outputs = new RawWriter();
        foreach (var output in Outputs)
            outputs.Int64(output.Value).Script(output.Script);
        return SegwitHash.Of(Version, [.. Inputs.Select(one => (one.Coin, Sequence))], outputs.ToArray(), 0, input, Inputs[input].Value, Inputs[input].Key);
    }

    /// <summary>The bytes that are broadcast.</summary>
    /// <param name="signatures">r and s of each input, 64 bytes.</param>
    public byte[] Signed(IReadOnlyList<byte[]> signatures)
    {
        var writer = new RawWriter().UInt32(Version).Byte(0).Byte(1).Count(Inputs.Count);
        foreach (var input in Inputs)
            Coin(writer, input.Coin).Script([]).UInt32(Sequence);
        WriteOutputs(writer);
        for (var i = 0; i < Inputs.Count; i++)
            writer.Count(2).Script([.. Encode(signatures[i]), SegwitHash.All]).Script(Inputs[i].Key);
        return writer.UInt32(0).ToArray();
    }

    /// <summary>
    /// The signatures in signed bytes that are this transaction and nothing else, each of its own key. A <see cref="KeyFault"/> otherwise.
    /// </summary>
    public void MustBeSignedIn(ReadOnlySpan<byte> signed)
    {
        if (signed.Length > RawTransaction.BytesMax)
            throw Fault("is larger than any transaction");
        var signatures = new List<byte[]>(Inputs.Count);
        try
        {
            var reader = new RawReader(signed.ToArray());
            // The mark of witnesses is more, the lock time comes after them.
            reader.Skip(Unsigned().Length + 2 - sizeof(uint));
            foreach (var input in Inputs)
            {
                if (reader.Count(1) != 2 || Decode(reader.Script().Span) is not { } signature || !reader.Script().Span.SequenceEqual(input.Key))
                    throw Fault("has an input whose witness is not one signature and the planned key");
                signatures.Add(signature);
            }
        }
        catch (ChainFault)
        {
            throw Fault("is signed, but is not the one that was planned");
        }

        if (!Signed(signatures).AsSpan().SequenceEqual(signed))
            throw Fault("is signed, but is not the one that was planned");
        for (var i = 0; i < Inputs.Count; i++)
        {
            var hash = SigningHash(i);
            if (!Enumerable.Range(0, 4).Any(id => PublicKeys.Recover(hash, signatures[i], id) is { } key && key.AsSpan().SequenceEqual(Inputs[i].Key)))
                throw Fault($"has a signature of input {i} that is not of the planned key");
        }
    }

    public static KeyFault Fault(string what) => new($"The Bitcoin transaction {what}.");

    private static RawWriter Coin(RawWriter writer, Outpoint coin) => writer.Hash(coin.Transaction).UInt32(coin.Index);

    private RawWriter WriteOutputs(RawWriter writer)
    {
        writer.Count(Outputs.Count);
        foreach (var output in Outputs)
            writer.Int64(output.Value).Script(output.Script);
        return writer;
    }

    private static byte[] Encode(ReadOnlySpan<byte> signature)
    {
        byte[] r = Integer(signature[..HalfBytes]), s = Integer(signature[HalfBytes..]);
        return [Der, (byte)(r.Length + s.Length), .. r, .. s];
    }

    private static byte[] Integer(ReadOnlySpan<byte> number)
    {
        number = number.TrimStart((byte)0);
        return number.Length == 0 || number[0] >= 0x80
            ? [DerInteger, (byte)(number.Length + 1), 0, .. number] : [DerInteger, (byte)number.Length, .. number];
    }

    /// <summary>r and s; null unless it is exactly what <see cref="Encode"/> writes, for all inputs and outputs, with the lower s.</summary>
    public static byte[]? Decode(ReadOnlySpan<byte> encoded)
    {
        if (encoded is not [Der, _, DerInteger, var rLength, ..] || encoded[^1] != SegwitHash.All || encoded.Length < 7 + rLength)
            return null;
        var r = encoded.Slice(4, rLength).TrimStart((byte)0);
        var s = encoded[(6 + rLength)..^1].TrimStart((byte)0);
        if (r.Length > HalfBytes || s.Length > HalfBytes)
            return null;
        var signature = new byte[2 * HalfBytes];
        r.CopyTo(signature.AsSpan(HalfBytes - r.Length));
        s.CopyTo(signature.AsSpan((2 * HalfBytes) - s.Length));
        return PublicKeys.IsLow(signature) && Encode(signature).AsSpan().SequenceEqual(encoded[..^1]) ? signature : null;
    }
}
