using System.Buffers.Binary;

namespace Coffer.Ledger;

/// <summary>
/// Proves in one pass and constant memory that all movements fit all postings, whatever the order of the rows: every posting adds
/// its effect times a secret random number of its movement, every movement takes off what it foretells times the same number.
/// Zero at the end means that they fit, but for a chance far below that of a fault in the machine; anything else means that some
/// movement does not fit, and which one is then looked for by sorting.
/// </summary>
public sealed class MovementSum
{
    /// <summary>How many random bytes it needs.</summary>
    public const int KeyBytes = 16 * Columns;

    private const int Columns = 10;
    private readonly UInt128[] _key = new UInt128[Columns];
    private UInt128 _sum;

    /// <summary>A sum of nothing.</summary>
    /// <param name="random"><see cref="KeyBytes"/> random bytes that nobody who writes to the database can know.</param>
    public MovementSum(ReadOnlySpan<byte> random)
    {
        // Odd: a multiple of an odd number is 0 modulo 2^128 only for 0.
        for (var i = 0; i < Columns; i++)
            _key[i] = BinaryPrimitives.ReadUInt128BigEndian(random[(i * 16)..]) | 1;
    }

    /// <summary>Whether movements and postings fit so far.</summary>
    public bool IsBalanced => _sum == 0;

    /// <summary>A posting of the shard.</summary>
    public void Add(int shard, Posting posting)
    {
        unchecked
        {
            _sum += Weight(shard, posting.Key, posting.Movement, MovementEffect.KindOf(posting.Kind)) * Fold(MovementEffect.Of(posting));
        }
    }

    /// <summary>A movement of the shard.</summary>
    public void Subtract(int shard, Movement movement)
    {
        unchecked
        {
            var key = new BalanceKey(movement.Account, movement.Currency, movement.Wallet);
            _sum -= Weight(shard, key, movement.Id, movement.Kind) * Fold(MovementEffect.Of(movement));
            if (movement.ToWallet is { } to)
                _sum -= Weight(shard, key with { Wallet = to }, movement.Id, movement.Kind) * Fold(MovementEffect.Received(movement));
        }
    }

    private UInt128 Fold(MovementEffect effect)
    {
        unchecked
        {
            return ((UInt128)effect.Incoming * _key[0]) + ((UInt128)effect.Held * _key[1]) + ((UInt128)effect.External * _key[2])
                + ((UInt128)effect.Fee * _key[3]) + ((UInt128)effect.Transfer * _key[4]) + ((UInt128)effect.Asked * _key[5])
                + ((UInt128)effect.Steps * _key[6]) + ((UInt128)effect.EffectiveAt * _key[7]);
        }
    }

    private UInt128 Weight(int shard, BalanceKey key, MovementId movement, MovementKind kind)
    {
        unchecked
        {
            var mixed = Mix(_key[8] + (UInt128)(((uint)shard << 4) | (uint)kind), Bits(key.Account.Value));
            mixed = Mix(mixed, Bits(key.Wallet.Value));
            foreach (var letter in key.Currency)
                mixed = (mixed ^ letter) * _key[9];
            return Mix(mixed, Bits(movement.Value)) | 1;
        }
    }

    private UInt128 Mix(UInt128 state, UInt128 value)
    {
        unchecked
        {
            state = (state ^ value) * _key[9];
            state ^= state >> 61;
            return state * _key[8];
        }
    }

    private static UInt128 Bits(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
