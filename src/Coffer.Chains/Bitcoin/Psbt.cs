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
    private const byte UnsignedTransaction = 0x00, WitnessUtxo = 0x01, InputDerivation = 0x06, OutputDerivation = 0x02;
    private const int FingerprintBytes = 4, MapBytesMax = 512;

    private static ReadOnlySpan<byte> Magic => [0x70, 0x73, 0x62, 0x74, 0xff];

    public static byte[] Write(BitcoinPayment payment, string fingerprint)
    {
        var writer = new RawWriter().Bytes(Magic).Script([UnsignedTransaction]).Script(payment.Unsigned()).Byte(0);
        foreach (var input in payment.Inputs)
        {
            writer.Script([WitnessUtxo])
                .Script(new RawWriter().Int64(input.Value).Script(BitcoinAddress.KeyScript(input.Key)).ToArray());
            writer.Script([InputDerivation, .. input.Key]).Script(Derivation(fingerprint, input.Path)).Byte(0);
        }

        foreach (var output in payment.Outputs)
        {
            if (output.Own is { } own)
                writer.Script([OutputDerivation, .. own.Key]).Script(Derivation(fingerprint, own.Path));
            writer.Byte(0);
        }

        return writer.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> writes and nothing else. A <see cref="KeyFault"/> otherwise.</summary>
    public static BitcoinPayment Read(ReadOnlyMemory<byte> psbt, string fingerprint)
    {
        try
        {
            return psbt.Span.StartsWith(Magic) && Parse(psbt[Magic.Length..], fingerprint) is { } payment
                && Write(payment, fingerprint).AsSpan().SequenceEqual(psbt.Span)
                ? payment : throw BitcoinPayment.Fault("is no PSBT of the form that is made here");
        }
        catch (ChainFault fault)
        {
            throw new KeyFault($"The Bitcoin transaction is no PSBT of the form that is made here. {fault.Message}");
        }
    }

    private static BitcoinPayment? Parse(ReadOnlyMemory<byte> maps, string fingerprint)
    {
        var reader = new RawReader(maps);
        if (Map(ref reader) is not [({ Length: 1 }, var unsigned)])
            return null;
        var transaction = RawTransaction.Parse(unsigned);
        var inputs = new PaymentInput[transaction.Spent.Count];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (Map(ref reader) is not [({ Length: 1 }, var utxo), ({ Length: 1 + Secp256k1.CompressedBytes } key, var derivation)])
                return null;
            var output = new RawReader(utxo);
            inputs[i] = new PaymentInput(transaction.Spent[i], output.Int64(), key[1..], Path(derivation.Span, fingerprint));
        }

        var outputs = new PaymentOutput[transaction.Outputs.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            var (value, script) = transaction.Outputs[i];
            var map = Map(ref reader);
            if (map.Count > 1)
                return null;
            (byte[], string)? own = map is [(var key, var derivation)] ? (key.Length == 1 + Secp256k1.CompressedBytes ? key[1..]
                : throw BitcoinPayment.Fault("has an output with something else than a derivation"), Path(derivation.Span, fingerprint)) : null;
            if (own is ({ } ownKey, _) && !script.Span.SequenceEqual(BitcoinAddress.KeyScript(ownKey)))
                throw BitcoinPayment.Fault("calls an output its own that does not pay the key it names");
            outputs[i] = new PaymentOutput(value, script.ToArray(), own);
        }

        if (!reader.AtEnd || inputs.Select(input => input.Coin).Distinct().Count() < inputs.Length
            || inputs.Any(input => !PublicKeys.IsValid(input.Key)) || inputs.Any(input => input.Value is <= 0 or > RawTransaction.ValueMax))
            return null;
        var payment = new BitcoinPayment(inputs, outputs);
        return payment.Fee >= 0 ? payment : throw BitcoinPayment.Fault("pays more than its inputs are worth");
    }

    /// <summary>One map: keys and values up to the zero that ends it.</summary>
    private static List<(byte[] Key, ReadOnlyMemory<byte> Value)> Map(ref RawReader reader)
    {
        var map = new List<(byte[], ReadOnlyMemory<byte>)>();
        while (reader.Script() is { IsEmpty: false } key)
        {
            if (map.Count == MapBytesMax)
                throw BitcoinPayment.Fault("has too many entries");
            map.Add((key.ToArray(), reader.Script()));
        }

        return map;
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
