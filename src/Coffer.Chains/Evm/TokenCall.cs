using System.Buffers.Binary;
using Coffer.Chains.Keys;

namespace Coffer.Chains.Evm;

/// <summary>The call <c>transfer(address,uint256)</c> of a token (ERC-20, TRC-20), and no other.</summary>
internal static class TokenCall
{
    private const int WordBytes = 32, SelectorBytes = 4, CallBytes = SelectorBytes + (2 * WordBytes);
    private const int AddressAt = SelectorBytes + WordBytes - EvmAddress.Bytes, AmountAt = CallBytes - 16;

    // The first four bytes of the Keccak-256 of transfer(address,uint256).
    private static ReadOnlySpan<byte> Selector => [0xA9, 0x05, 0x9C, 0xBB];

    /// <summary>The data that the token is called with.</summary>
    /// <param name="receiver">The 20 bytes of the address.</param>
    /// <param name="amount">Smallest units, above 0.</param>
    public static byte[] Write(ReadOnlySpan<byte> receiver, Int128 amount)
    {
        var data = new byte[CallBytes];
        Selector.CopyTo(data);
        receiver.CopyTo(data.AsSpan(AddressAt));
        BinaryPrimitives.WriteInt128BigEndian(data.AsSpan(AmountAt), amount);
        return data;
    }

    /// <summary>Whom the call pays how much; null for any other call, and for an amount that is 0 or beyond the ledger's digits.</summary>
    public static (byte[] Receiver, Int128 Amount)? Read(ReadOnlySpan<byte> data)
    {
        if (data.Length != CallBytes || !data.StartsWith(Selector) || data[SelectorBytes..AddressAt].ContainsAnyExcept((byte)0)
            || data[(CallBytes - WordBytes)..AmountAt].ContainsAnyExcept((byte)0))
            return null;
        var amount = BinaryPrimitives.ReadInt128BigEndian(data[AmountAt..]);
        return amount > 0 && amount <= Amount.Max ? (data.Slice(AddressAt, EvmAddress.Bytes).ToArray(), amount) : null;
    }
}
