using System.Buffers.Binary;
using Coffer.Chains.Keys;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>Whether a block's logs bloom (2,048 bits, three per address and topic of a log) says that a value may be in its logs.</summary>
internal static class EvmBloom
{
    private const int Bytes = 256;
    private const int BitsPerValue = 3;

    /// <summary>One that says that everything may be there.</summary>
    public static string Everything { get; } = "0x" + new string('f', 2 * Bytes);

    /// <summary>False: the value is in no log of the block. True: it may be.</summary>
    public static bool MayHold(ReadOnlySpan<byte> bloom, ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[Keccak256.Bytes];
        Keccak256.Hash(value, hash);
        for (var i = 0; i < BitsPerValue; i++)
        {
            var bit = BinaryPrimitives.ReadUInt16BigEndian(hash[(2 * i)..]) % (8 * Bytes);
            if ((bloom[Bytes - 1 - (bit / 8)] & (1 << (bit % 8))) == 0)
                return false;
        }
        return true;
    }

    /// <summary>The bytes of a bloom; empty for a chain that has none (Tron's is constantly zero).</summary>
    public static byte[] Read(string? hex)
    {
        if (hex is null)
            return [];
        return EvmJson.IsHex(hex, 2 + (2 * Bytes)) ? EvmJson.Bytes(hex) : throw new RpcFault("A block has no valid logs bloom.");
    }
}
