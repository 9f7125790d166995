using System.Globalization;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Tron;

/// <summary>
/// The two transactions that pay somebody on Tron, see <see cref="TronRawData"/>. Everything else is refused, so whoever reads a transaction
/// here knows all that it can do.
/// </summary>
public static class TronTransfer
{
    /// <summary>What a byte of a transaction burns when no bandwidth is left, in sun (the chain's parameter getTransactionFee).</summary>
    public const long SunPerByte = 1_000;

    /// <summary>What a payment of TRX burns besides when its receiver has no account yet, in sun (1 TRX and 0.1 TRX).</summary>
    public const long SunPerAccount = 1_100_000;

    // Of a finished transaction: what is around the raw data, and the room that the chain adds for the result.
    private const int RawData = 1, Signature = 2, SignatureBytes = 65, FrameBytes = 3 + 2 + SignatureBytes + 64;
    private const int VFirst = 27, VCount = 2, HeightDigits = 16;

    /// <summary>The raw data of a payment.</summary>
    /// <param name="from">The hot wallet's address.</param>
    /// <param name="output">What is paid. Of TRX at most 2^63 - 1 sun: an <see cref="OverflowException"/> otherwise.</param>
    /// <param name="reference">A block that is final: its height and its id, 64 lower-case hex digits.</param>
    /// <param name="expiresAt">After this no block takes it; at most 24 hours after the chain's newest block.</param>
    /// <param name="madeAt">The time of the chain's newest block: no earlier one can hold it.</param>
    /// <param name="feeLimit">The most that a token's call may burn for energy, in sun; 0 for TRX.</param>
    public static byte[] Build(string from, PayoutOutput output, (long Height, string Hash) reference, DateTimeOffset expiresAt,
        DateTimeOffset madeAt, long feeLimit)
    {
        var made = new TronRawData
        {
            From = from,
            Output = output,
            BlockHeight = (ushort)(reference.Height & ushort.MaxValue),
            BlockHash = ulong.Parse(reference.Hash.AsSpan(HeightDigits, HeightDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            ExpiresAt = expiresAt,
            MadeAt = madeAt,
            FeeLimit = feeLimit,
        };
        var unsigned = made.Write();
        // Times of whole milliseconds, amounts above zero: what it says must be what it was made of.
        _ = TronRawData.Parse(unsigned);
        return unsigned;
    }

    /// <summary>What raw data does. A <see cref="KeyFault"/> for anything that is not a payment.</summary>
    /// <param name="unsigned">The raw data; who pays is in it, and the caller compares.</param>
    public static PayoutReading Read(ReadOnlySpan<byte> unsigned)
    {
        var said = TronRawData.Parse(unsigned);
        var burnt = said.Output.Asset is null ? SunPerAccount : said.FeeLimit;
        return new PayoutReading(said.From, [said.Output], [], (Int128)burnt + ((unsigned.Length + FrameBytes) * SunPerByte),
            new PayoutClaim(null, [], said.ExpiresAt, said.MadeAt), null);
    }

    /// <summary>Signs. A <see cref="KeyFault"/> when the key is not that of the address that pays.</summary>
    /// <param name="unsigned">What <see cref="Read"/> took.</param>
    /// <param name="secret">The secret key, 32 bytes.</param>
    /// <param name="key">Its compressed public key.</param>
    /// <param name="keys">Does the arithmetic.</param>
    public static SignedPayout Sign(ReadOnlySpan<byte> unsigned, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> key, SecretKeys keys)
    {
        var said = TronRawData.Parse(unsigned);
        if (TronAddress.OfKey(key) != said.From)
            throw ProtobufReader.Fault($"is from {said.From}, to which the key does not belong");
        var hash = TronRawData.Hash(unsigned);
        Span<byte> signature = stackalloc byte[SignatureBytes];
        signature[^1] = (byte)(VFirst + keys.Sign(hash, secret, key, signature[..^1]));
        return Named(hash, Join(unsigned, signature));
    }

    /// <summary>The transaction that raw data and a signature of it make. Nothing is checked: <see cref="Accept"/> does that.</summary>
    public static byte[] Join(ReadOnlySpan<byte> unsigned, ReadOnlySpan<byte> signature) =>
        new ProtobufWriter().Add(RawData, unsigned).Add(Signature, signature).ToArray();

    /// <summary>Holds a signed transaction against its raw data and the sender. A <see cref="KeyFault"/> when they are not the same.</summary>
    /// <param name="unsigned">The raw data that was planned.</param>
    /// <param name="signed">The whole transaction, as <c>/wallet/broadcasthex</c> takes it.</param>
    /// <param name="from">The hot wallet's address.</param>
    public static SignedPayout Accept(ReadOnlySpan<byte> unsigned, ReadOnlySpan<byte> signed, string from)
    {
        var reader = new ProtobufReader(signed);
        var rawData = reader.Bytes(RawData);
        var signature = reader.Bytes(Signature, SignatureBytes);
        reader.End();
        if (!rawData.SequenceEqual(unsigned))
            throw ProtobufReader.Fault("is signed, but is not the one that was planned");
        if (TronRawData.Parse(rawData).From != from)
            throw ProtobufReader.Fault($"is not from the hot wallet {from}");
        // The higher s would be a second form of the same transaction that others can make; wallets write the lower one.
        if (signature[^1] - VFirst is not (>= 0 and < VCount) || !PublicKeys.IsLow(signature[..^1]))
            throw ProtobufReader.Fault("carries a signature in a form that nobody writes");
        var hash = TronRawData.Hash(rawData);
        return PublicKeys.Recover(hash, signature[..^1], signature[^1] - VFirst) is { } key && TronAddress.OfKey(key) == from
            ? Named(hash, signed.ToArray()) : throw ProtobufReader.Fault($"is not signed by the hot wallet {from}");
    }

    private static SignedPayout Named(ReadOnlySpan<byte> hash, byte[] signed) => new(Convert.ToHexStringLower(hash), signed);
}
