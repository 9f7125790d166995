using System.Globalization;
using Coffer.Chains.Keys;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// An unsigned <see cref="BitcoinPayment"/> as a partially signed transaction (BIP174, version 0), for whoever signs: with what each input
/// is worth (its witness UTXO), and which keys are the wallet's. Paths count from the account's key, whose fingerprint stands for the
/// master's, as wallets do that know no more than the account.
/// </summary>
internal static class Psbt
{
    private const int FingerprintBytes = 4, WitnessItems = 2;

    public static byte[] Write(BitcoinPayment payment, string fingerprint)
    {
        var writer = new RawWriter().Bytes(PsbtMaps.Magic).Script([PsbtMap.UnsignedTransaction]).Script(payment.Unsigned()).Byte(0);
        foreach (var input in payment.Inputs)
        {
            writer.Script([PsbtMap.WitnessUtxo])
                .Script(new RawWriter().Int64(input.Value).Script(BitcoinAddress.KeyScript(input.Key)).ToArray());
            writer.Script([PsbtMap.InputDerivation, .. input.Key]).Script(Derivation(fingerprint, input.Path)).Byte(0);
        }

        foreach (var output in payment.Outputs)
        {
            if (output.Own is { } own)
                writer.Script([PsbtMap.OutputDerivation, .. own.Key]).Script(Derivation(fingerprint, own.Path));
            writer.Byte(0);
        }

        return writer.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> writes and nothing else. A <see cref="KeyFault"/> otherwise.</summary>
    public static BitcoinPayment Read(ReadOnlyMemory<byte> psbt, string fingerprint) => Understood(() =>
        Parse(PsbtMaps.Parse(psbt), fingerprint) is { } payment && Write(payment, fingerprint).AsSpan().SequenceEqual(psbt.Span)
            ? payment : throw BitcoinPayment.Fault("is no PSBT of the form that is made here"));

    /// <summary>
    /// The signatures of a signed PSBT, r and s for each input of the payment: final witnesses, or partial signatures that nobody made final
    /// yet. What else a wallet left in it does not matter. A <see cref="KeyFault"/> when it is of another transaction or an input has none.
    /// Whether they are valid is for <see cref="BitcoinPayment.MustBeSignedIn"/> to say.
    /// </summary>
    public static IReadOnlyList<byte[]> Signatures(ReadOnlyMemory<byte> psbt, BitcoinPayment payment) => Understood(() =>
    {
        var maps = PsbtMaps.Parse(psbt);
        if (!maps.Unsigned.Span.SequenceEqual(payment.Unsigned()))
            throw BitcoinPayment.Fault("is signed, but is not the one that was planned");
        return (IReadOnlyList<byte[]>)[.. maps.Inputs.Select((map, i) => Signature(map, payment.Inputs[i].Key) is { } encoded
            && BitcoinPayment.Decode(encoded) is { } signature
            ? signature : throw BitcoinPayment.Fault($"has no signature of the planned key for input {i}"))];
    });

    private static byte[]? Signature(PsbtMap map, byte[] key)
    {
        if (map.Find(PsbtMap.FinalScript) is { IsEmpty: false })
            return null;
        if (map.Find(PsbtMap.FinalWitness) is not { } witness)
            return map.Find(PsbtMap.PartialSignature, key)?.ToArray();
        var reader = new RawReader(witness);
        return reader.Count(1) == WitnessItems && reader.Script() is var signature && reader.Script().Span.SequenceEqual(key) && reader.AtEnd
            ? signature.ToArray() : null;
    }

    private static T Understood<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ChainFault fault)
        {
            throw new KeyFault($"The Bitcoin transaction is no PSBT that is understood here. {fault.Message}");
        }
    }

    private static BitcoinPayment? Parse(PsbtMaps maps, string fingerprint)
    {
        var transaction = RawTransaction.Parse(maps.Unsigned);
        // Bytes without inputs may read otherwise as bytes with witnesses.
        if (transaction.Spent.Count != maps.Inputs.Count || transaction.Outputs.Count != maps.Outputs.Count)
            return null;
        var inputs = transaction.Spent.Select((coin, i) => Input(coin, maps.Inputs[i], fingerprint)).ToArray();
        var outputs = transaction.Outputs.Select((output, i) => Output(output, maps.Outputs[i], fingerprint)).ToArray();
        if (inputs.Select(input => input.Coin).Distinct().Count() < inputs.Length)
            return null;
        var payment = new BitcoinPayment(inputs, outputs);
        return payment.Fee >= 0 ? payment : throw BitcoinPayment.Fault("pays more than its inputs are worth");
    }

    private static PaymentInput Input(Outpoint coin, PsbtMap map, string fingerprint)
    {
        if (map.Find(PsbtMap.WitnessUtxo) is not { } utxo || map.Only(PsbtMap.InputDerivation) is not var (key, derivation))
            throw BitcoinPayment.Fault("has an input without its worth or its key");
        var value = new RawReader(utxo).Int64();
        return value is > 0 and <= RawTransaction.ValueMax && coin.Index <= int.MaxValue && PublicKeys.IsValid(key)
            ? new PaymentInput(coin, value, key, Path(derivation.Span, fingerprint))
            : throw BitcoinPayment.Fault("has an input that cannot be");
    }

    private static PaymentOutput Output(RawOutput output, PsbtMap map, string fingerprint)
    {
        if (map.Only(PsbtMap.OutputDerivation) is not var (key, derivation))
            return new PaymentOutput(output.Value, output.Script.ToArray(), null);
        return PublicKeys.IsValid(key) && output.Script.Span.SequenceEqual(BitcoinAddress.KeyScript(key))
            ? new PaymentOutput(output.Value, output.Script.ToArray(), (key, Path(derivation.Span, fingerprint)))
            : throw BitcoinPayment.Fault("calls an output its own that does not pay the key it names");
    }

    private static byte[] Derivation(string fingerprint, string path)
    {
        var writer = new RawWriter().Bytes(Convert.FromHexString(fingerprint));
        foreach (var step in path.Split('/'))
            writer.UInt32(uint.Parse(step, NumberStyles.None, CultureInfo.InvariantCulture));
        return writer.ToArray();
    }

    private static string Path(ReadOnlySpan<byte> derivation, string fingerprint)
    {
        if (derivation.Length != FingerprintBytes + (2 * sizeof(uint)))
            throw BitcoinPayment.Fault("names a key that is not two steps below the account's");
        if (Convert.ToHexStringLower(derivation[..FingerprintBytes]) != fingerprint)
            throw BitcoinPayment.Fault("names a key of another account");
        var (branch, index) = (System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(derivation[FingerprintBytes..]),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(derivation[(FingerprintBytes + sizeof(uint))..]));
        return branch <= ExtendedPublicKey.IndexMax && index <= ExtendedPublicKey.IndexMax
            ? string.Create(CultureInfo.InvariantCulture, $"{branch}/{index}") : throw BitcoinPayment.Fault("names a hardened key");
    }
}
