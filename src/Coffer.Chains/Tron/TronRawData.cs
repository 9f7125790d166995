using System.Buffers.Binary;
using System.Security.Cryptography;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Tron;

/// <summary>
/// The raw data of a transaction that pays: one <c>TransferContract</c> (TRX), or one <c>TriggerSmartContract</c> that calls
/// <c>transfer(address,uint256)</c> of a token (TRC-20). No memo, no other permission than the owner's, nothing else. Amounts in sun.
/// </summary>
public sealed record TronRawData
{
    /// <summary>The most bytes; a payment has about 210.</summary>
    public const int BytesMax = 1_024;

    private const int RefBytes = 2, RefHashBytes = 8, AddressBytes = 21;
    private const byte AddressPrefix = 0x41;
    private const int TransferType = 1, TriggerType = 31;

    // Numbers of the fields in Tron's protobuf definitions (Tron.proto, balance_contract.proto, smart_contract.proto).
    private const int RefBlockBytes = 1, RefBlockHash = 4, Expiration = 8, Contract = 11, Stamp = 14, Limit = 18;
    private const int ContractType = 1, Parameter = 2, AnyUrl = 1, AnyValue = 2;
    private const int Owner = 1, Second = 2, TransferAmount = 3, TriggerData = 4;

    private static ReadOnlySpan<byte> TransferUrl => "type.googleapis.com/protocol.TransferContract"u8;

    private static ReadOnlySpan<byte> TriggerUrl => "type.googleapis.com/protocol.TriggerSmartContract"u8;

    /// <summary>Who pays.</summary>
    public required string From { get; init; }

    /// <summary>What is paid. Of TRX at most 2^63 - 1 sun.</summary>
    public required PayoutOutput Output { get; init; }

    /// <summary>The last 8 bytes of the id of a block: the transaction is valid only on a chain that has it.</summary>
    public required ulong BlockHash { get; init; }

    /// <summary>The last 2 bytes of that block's height.</summary>
    public required ushort BlockHeight { get; init; }

    /// <summary>After this no block takes it; whole milliseconds.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was made; whole milliseconds. Two equal payments at different times have different ids.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The most that a token's call may burn for energy; 0 for TRX.</summary>
    public required long FeeLimit { get; init; }

    /// <summary>The bytes whose SHA-256 is the id, and is signed.</summary>
    public byte[] Write()
    {
        var isToken = Output.Asset is not null;
        Span<byte> hash = stackalloc byte[RefHashBytes];
        BinaryPrimitives.WriteUInt64BigEndian(hash, BlockHash);
        var call = new ProtobufWriter().Add(Owner, Address(From)).Add(Second, Address(Output.Asset ?? Output.Address));
        if (isToken)
            call.Add(TriggerData, TokenCall.Write(TronAddress.ToBytes(Output.Address), Output.Amount));
        else
            call.Add(TransferAmount, (long)Output.Amount);
        var any = new ProtobufWriter().Add(AnyUrl, isToken ? TriggerUrl : TransferUrl).Add(AnyValue, call.ToArray());
        var contract = new ProtobufWriter().Add(ContractType, isToken ? TriggerType : TransferType).Add(Parameter, any.ToArray());
        return new ProtobufWriter()
            .Add(RefBlockBytes, [(byte)(BlockHeight >> 8), (byte)(BlockHeight & byte.MaxValue)])
            .Add(RefBlockHash, hash)
            .Add(Expiration, ExpiresAt.ToUnixTimeMilliseconds())
            .Add(Contract, contract.ToArray())
            .Add(Stamp, MadeAt.ToUnixTimeMilliseconds())
            .Add(Limit, FeeLimit)
            .ToArray();
    }

    /// <summary>The id of raw data, and what is signed: its SHA-256.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> rawData) => SHA256.HashData(rawData);

    /// <summary>Reads raw data, all of it, in its one encoding. A <see cref="KeyFault"/> for anything that is not such a payment.</summary>
    public static TronRawData Parse(ReadOnlySpan<byte> rawData)
    {
        if (rawData.Length > BytesMax)
            throw ProtobufReader.Fault("is larger than a payment");
        var reader = new ProtobufReader(rawData);
        var height = BinaryPrimitives.ReadUInt16BigEndian(reader.Bytes(RefBlockBytes, RefBytes));
        var hash = BinaryPrimitives.ReadUInt64BigEndian(reader.Bytes(RefBlockHash, RefHashBytes));
        var expiresAt = Time(reader.Number(Expiration));
        var contract = reader.Message(Contract);
        var (from, output) = Payment(ref contract);
        var madeAt = Time(reader.Number(Stamp));
        var limit = reader.NumberOrEnd(Limit);
        reader.End();
        if (output.Asset is null && limit != 0)
            throw ProtobufReader.Fault("limits the energy of a payment that takes none");
        return new TronRawData
        {
            From = from,
            Output = output,
            BlockHash = hash,
            BlockHeight = height,
            ExpiresAt = expiresAt,
            MadeAt = madeAt,
            FeeLimit = limit,
        };
    }

    private static (string From, PayoutOutput Output) Payment(ref ProtobufReader contract)
    {
        var type = contract.Number(ContractType);
        var any = contract.Message(Parameter);
        contract.End();
        var url = any.Bytes(AnyUrl);
        var call = any.Message(AnyValue);
        any.End();
        var from = Address(ref call, Owner);
        var second = Address(ref call, Second);
        PayoutOutput output;
        if (type == TransferType && url.SequenceEqual(TransferUrl))
            output = new PayoutOutput(second, null, call.Number(TransferAmount));
        else if (type == TriggerType && url.SequenceEqual(TriggerUrl) && TokenCall.Read(call.Bytes(TriggerData)) is var (receiver, amount))
            output = new PayoutOutput(TronAddress.Write(receiver), second, amount);
        else
            throw ProtobufReader.Fault("is neither a transfer of TRX nor a transfer of a token");
        call.End();
        return (from, output);
    }

    private static DateTimeOffset Time(long milliseconds) => milliseconds <= TronNode.TimeMax
        ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : throw ProtobufReader.Fault("names a time that never comes");

    private static string Address(ref ProtobufReader reader, int field) =>
        reader.Bytes(field, AddressBytes) is [AddressPrefix, .. var address] ? TronAddress.Write(address)
            : throw ProtobufReader.Fault("names an address that is none");

    private static byte[] Address(string text) => [AddressPrefix, .. TronAddress.ToBytes(text)];
}
