using Coffer.Chains.Keys;

namespace Coffer.Chains.Evm;

/// <summary>
/// A transaction with a fee market (EIP-1559, type 2 of EIP-2718) without access list. Amounts are in smallest units of the chain's coin.
/// </summary>
public sealed record FeeMarketTransaction
{
    /// <summary>The most bytes that a transaction may have; a payment has below 200.</summary>
    public const int BytesMax = 4_096;

    private const byte Type = 2;
    private const int HalfBytes = 32;

    /// <summary>The chain that it is for (EIP-155), above 0.</summary>
    public required long ChainId { get; init; }

    /// <summary>How many transactions the sender made before, from 0.</summary>
    public required long Nonce { get; init; }

    /// <summary>What the block's maker gets at most for each gas.</summary>
    public required Int128 MaxPriorityFeePerGas { get; init; }

    /// <summary>What each gas costs at most, the maker's part included.</summary>
    public required Int128 MaxFeePerGas { get; init; }

    /// <summary>How much gas it may use.</summary>
    public required long Gas { get; init; }

    /// <summary>Whom it calls or pays, in the checksummed spelling. Never null: no contract is ever made here.</summary>
    public required string To { get; init; }

    /// <summary>The coin that goes with it.</summary>
    public required Int128 Value { get; init; }

    /// <summary>What the receiver is called with; empty for a plain payment.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The most that it can cost besides its value.</summary>
    public Int128 FeeMax => Gas * MaxFeePerGas;

    /// <summary>The bytes whose hash is signed.</summary>
    public byte[] Unsigned() => Items().ToList(Type);

    /// <summary>What is signed: the Keccak-256 of the unsigned bytes.</summary>
    public byte[] SigningHash() => Keccak256.Hash(Unsigned());

    /// <summary>The bytes that are broadcast.</summary>
    /// <param name="signature">r and s, exactly 64 bytes.</param>
    /// <param name="recoveryId">0 or 1.</param>
    public byte[] Signed(ReadOnlySpan<byte> signature, int recoveryId)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(signature.Length, 2 * HalfBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)recoveryId, 1u, nameof(recoveryId));
        return Items().Add((Int128)recoveryId).Add(signature[..HalfBytes].TrimStart((byte)0)).Add(signature[HalfBytes..].TrimStart((byte)0))
            .ToList(Type);
    }

    /// <summary>Reads unsigned bytes, all of them, in their one encoding. A <see cref="KeyFault"/> for anything else.</summary>
    public static FeeMarketTransaction Parse(ReadOnlySpan<byte> unsigned)
    {
        var items = Open(unsigned);
        var transaction = Items(ref items);
        return items.AtEnd ? transaction : throw RlpReader.Fault("has more parts than one that is not signed");
    }

    /// <summary>Reads signed bytes and whose signature they carry. A <see cref="KeyFault"/> for anything else.</summary>
    public static (FeeMarketTransaction Transaction, string Sender) ParseSigned(ReadOnlySpan<byte> signed)
    {
        var items = Open(signed);
        var transaction = Items(ref items);
        var recoveryId = (int)items.Number(1);
        Span<byte> signature = stackalloc byte[2 * HalfBytes];
        signature.Clear();
        Half(items.Bytes(), signature[..HalfBytes]);
        Half(items.Bytes(), signature[HalfBytes..]);
        if (!items.AtEnd)
            throw RlpReader.Fault("has more parts than a signed one");
        if (!PublicKeys.IsLow(signature))
            throw RlpReader.Fault("carries the higher of two signatures, which the chain refuses (EIP-2)");
        return PublicKeys.Recover(transaction.SigningHash(), signature, recoveryId) is { } key
            ? (transaction, EvmAddress.OfKey(key)) : throw RlpReader.Fault("carries no valid signature");
    }

    /// <summary>Whether two are the same in every part, the data included.</summary>
    public bool Equals(FeeMarketTransaction? other) => other is not null && Unsigned().AsSpan().SequenceEqual(other.Unsigned());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(ChainId, Nonce, To, Value);

    private RlpWriter Items() => new RlpWriter().Add(ChainId).Add(Nonce).Add(MaxPriorityFeePerGas).Add(MaxFeePerGas).Add(Gas)
        .Add(EvmAddress.ToBytes(To)).Add(Value).Add(Data.Span).AddEmptyList();

    private static RlpReader Open(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is 0 or > BytesMax || bytes[0] != Type)
            throw RlpReader.Fault("is not of type 2 (EIP-1559)");
        var reader = new RlpReader(bytes[1..]);
        var items = reader.List();
        return reader.AtEnd ? items : throw RlpReader.Fault("goes on after its end");
    }

    private static FeeMarketTransaction Items(ref RlpReader items)
    {
        var transaction = new FeeMarketTransaction
        {
            ChainId = (long)items.Number(long.MaxValue),
            Nonce = (long)items.Number(long.MaxValue),
            MaxPriorityFeePerGas = items.Number(long.MaxValue),
            MaxFeePerGas = items.Number(long.MaxValue),
            Gas = (long)items.Number(long.MaxValue),
            To = EvmAddress.Write(items.Bytes(EvmAddress.Bytes)),
            Value = items.Number(Amount.Max),
            Data = items.Bytes().ToArray(),
        };
        items.EmptyList();
        return transaction.ChainId > 0 && transaction.MaxPriorityFeePerGas <= transaction.MaxFeePerGas
            ? transaction : throw RlpReader.Fault("has no chain id, or pays a block's maker more than it pays at all");
    }

    private static void Half(ReadOnlySpan<byte> digits, Span<byte> to)
    {
        if (digits.Length is 0 or > HalfBytes || digits[0] == 0)
            throw RlpReader.Fault("carries no valid signature");
        digits.CopyTo(to[(HalfBytes - digits.Length)..]);
    }
}
