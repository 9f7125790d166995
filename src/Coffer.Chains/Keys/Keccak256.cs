using System.Buffers.Binary;
using System.Numerics;

namespace Coffer.Chains.Keys;

/// <summary>
/// Keccak-256 as Ethereum and Tron use it: with the padding of the original Keccak submission (0x01) and not with that of FIPS 202 SHA3-256
/// (0x06), which is why the base library's SHA-3 cannot serve.
/// </summary>
public static class Keccak256
{
    /// <summary>The length of a hash, in bytes.</summary>
    public const int Bytes = 32;

    private const int Rate = 136;
    private const int Lanes = 25;

    // Keccak reference 1.2: the constants of iota, and the rotations of rho in the order in which pi visits the lanes.
    private static readonly ulong[] RoundConstants =
    [
        0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
        0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
        0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
        0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    ];

    private static readonly int[] Rotations = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
    private static readonly int[] Visits = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];

    /// <summary>The hash of any number of bytes.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> input)
    {
        var hash = new byte[Bytes];
        Hash(input, hash);
        return hash;
    }

    /// <summary>The same into <paramref name="hash"/>, which is exactly <see cref="Bytes"/> long and may be the input itself.</summary>
    public static void Hash(ReadOnlySpan<byte> input, Span<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, Bytes);
        Span<ulong> state = stackalloc ulong[Lanes];
        state.Clear();
        for (; input.Length >= Rate; input = input[Rate..])
            Absorb(state, input[..Rate]);

        Span<byte> last = stackalloc byte[Rate];
        last.Clear();
        input.CopyTo(last);
        last[input.Length] = 0x01;
        last[^1] |= 0x80;
        Absorb(state, last);
        for (var i = 0; i < Bytes / sizeof(ulong); i++)
            BinaryPrimitives.WriteUInt64LittleEndian(hash[(i * sizeof(ulong))..], state[i]);
    }

    private static void Absorb(Span<ulong> state, ReadOnlySpan<byte> block)
    {
        for (var i = 0; i < Rate / sizeof(ulong); i++)
            state[i] ^= BinaryPrimitives.ReadUInt64LittleEndian(block[(i * sizeof(ulong))..]);
        Permute(state);
    }

    private static void Permute(Span<ulong> state)
    {
        Span<ulong> row = stackalloc ulong[5];
        foreach (var constant in RoundConstants)
        {
            // Theta: every lane takes the parity of two columns.
            for (var x = 0; x < 5; x++)
                row[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
            for (var x = 0; x < 5; x++)
            {
                var parity = row[(x + 4) % 5] ^ BitOperations.RotateLeft(row[(x + 1) % 5], 1);
                for (var y = 0; y < Lanes; y += 5)
                    state[y + x] ^= parity;
            }

            // Rho and pi: lanes rotate and change places, along one cycle through all but the first.
            var carried = state[1];
            for (var i = 0; i < Visits.Length; i++)
                (state[Visits[i]], carried) = (BitOperations.RotateLeft(carried, Rotations[i]), state[Visits[i]]);

            // Chi: the only step that is not linear.
            for (var y = 0; y < Lanes; y += 5)
            {
                state.Slice(y, 5).CopyTo(row);
                for (var x = 0; x < 5; x++)
                    state[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
            }

            // Iota.
            state[0] ^= constant;
        }
    }
}
