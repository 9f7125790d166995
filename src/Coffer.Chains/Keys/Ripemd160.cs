using System.Buffers.Binary;
using System.Numerics;

namespace Coffer.Chains.Keys;

/// <summary>RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996): Bitcoin hashes keys with it, the base library does not have it.</summary>
public static class Ripemd160
{
    /// <summary>The length of a hash, in bytes.</summary>
    public const int Bytes = 20;

    private const int BlockBytes = 64;
    private const int LengthBytes = 8;
    private const int Steps = 80;

    // Which word of the block each step takes and how far it rotates, in the left and in the right line (the paper's r, r', s, s').
    private static ReadOnlySpan<byte> LeftWords =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
        3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12, 1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
        4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
    ];

    private static ReadOnlySpan<byte> RightWords =>
    [
        5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12, 6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
        15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13, 8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
        12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
    ];

    private static ReadOnlySpan<byte> LeftTurns =>
    [
        11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8, 7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
        11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5, 11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
        9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
    ];

    private static ReadOnlySpan<byte> RightTurns =>
    [
        8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6, 9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
        9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5, 15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
        8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
    ];

    private static ReadOnlySpan<uint> LeftConstants => [0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e];

    private static ReadOnlySpan<uint> RightConstants => [0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0];

    /// <summary>The hash of any number of bytes.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> input)
    {
        Span<uint> state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
        var bits = (ulong)input.Length * 8;
        for (; input.Length >= BlockBytes; input = input[BlockBytes..])
            Compress(state, input[..BlockBytes]);

        // What is left, a one bit, zeros, and the length in bits: one block, or two where the length no longer fits.
        Span<byte> last = stackalloc byte[input.Length + 1 + LengthBytes <= BlockBytes ? BlockBytes : 2 * BlockBytes];
        last.Clear();
        input.CopyTo(last);
        last[input.Length] = 0x80;
        BinaryPrimitives.WriteUInt64LittleEndian(last[^LengthBytes..], bits);
        for (ReadOnlySpan<byte> rest = last; rest.Length > 0; rest = rest[BlockBytes..])
            Compress(state, rest[..BlockBytes]);

        var hash = new byte[Bytes];
        for (var i = 0; i < state.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(hash.AsSpan(i * sizeof(uint)), state[i]);
        return hash;
    }

    private static void Compress(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> words = stackalloc uint[BlockBytes / sizeof(uint)];
        for (var i = 0; i < words.Length; i++)
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(i * sizeof(uint))..]);
        var left = (A: state[0], B: state[1], C: state[2], D: state[3], E: state[4]);
        var right = left;
        for (var step = 0; step < Steps; step++)
        {
            var round = step / 16;
            left = Turn(left, round, words[LeftWords[step]], LeftConstants[round], LeftTurns[step]);
            right = Turn(right, 4 - round, words[RightWords[step]], RightConstants[round], RightTurns[step]);
        }

        unchecked
        {
            var first = state[1] + left.C + right.D;
            state[1] = state[2] + left.D + right.E;
            state[2] = state[3] + left.E + right.A;
            state[3] = state[4] + left.A + right.B;
            state[4] = state[0] + left.B + right.C;
            state[0] = first;
        }
    }

    // One step of either line. The right line goes through the five functions backwards.
    private static (uint A, uint B, uint C, uint D, uint E) Turn(
        (uint A, uint B, uint C, uint D, uint E) line, int function, uint word, uint constant, int turn)
    {
        var (a, b, c, d, e) = line;
        var mixed = function switch
        {
            0 => b ^ c ^ d,
            1 => (b & c) | (~b & d),
            2 => (b | ~c) ^ d,
            3 => (b & d) | (c & ~d),
            _ => b ^ (c | ~d),
        };
        return unchecked((e, BitOperations.RotateLeft(a + mixed + word + constant, turn) + e, b, BitOperations.RotateLeft(c, 10), d));
    }
}
