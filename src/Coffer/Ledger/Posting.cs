using System.Buffers.Binary;
using System.Text;

namespace Coffer.Ledger;

/// <summary>Which event a posting books. Stored as its number; the number is part of the hash and never changes its meaning.</summary>
public enum PostingKind : short
{
    /// <summary>external -x, incoming +x.</summary>
    DepositSeen = 1,

    /// <summary>incoming -x, available +(x - f), fee +f.</summary>
    DepositConfirmed = 2,

    /// <summary>The mirror image of what the deposit gave; a shortfall is booked to deficit.</summary>
    DepositReversed = 3,

    /// <summary>available -d, deficit +d: a confirmed deposit pays what an earlier reversal left open.</summary>
    DeficitPaid = 4,

    /// <summary>available -(a + f), held +(a + f).</summary>
    WithdrawalRequested = 5,

    /// <summary>held -(a + f), external +a, fee +f; where the fee turned out lower by d: fee +(f - d), available +d.</summary>
    WithdrawalSettled = 6,

    /// <summary>held -(a + f), available +(a + f).</summary>
    WithdrawalFailed = 7,

    /// <summary>available -x, transfer +x.</summary>
    TransferOut = 8,

    /// <summary>transfer -x, available +x.</summary>
    TransferIn = 9,

    /// <summary>external -x, available +x, by the operator; counts as a deposit.</summary>
    CorrectionIn = 10,

    /// <summary>available -x, external +x, by the operator; counts as a withdrawal.</summary>
    CorrectionOut = 11,

    /// <summary>held +(a + f), external -a, fee -f: the mirror image of what a settlement took away.</summary>
    WithdrawalUnsettled = 12,
}

/// <summary>What a posting adds to the flows of its hour (contract 2, history).</summary>
public readonly record struct Flow(Int128 Deposits, Int128 Withdrawals, long DepositCount, long WithdrawalCount);

/// <summary>
/// One change of one balance. Its seven columns sum to zero, so each posting is a balanced double entry; its hash covers its
/// predecessor's, so an edited, removed or reordered posting is found.
/// </summary>
public sealed record Posting
{
    /// <summary>Which balance.</summary>
    public required BalanceKey Key { get; init; }

    /// <summary>The version of the balance that it makes, from 1.</summary>
    public required long Version { get; init; }

    /// <summary>The movement it belongs to.</summary>
    public required MovementId Movement { get; init; }

    /// <summary>Which event.</summary>
    public required PostingKind Kind { get; init; }

    /// <summary>When it counts in the history; whole microseconds, never after <see cref="RecordedAt"/>.</summary>
    public required DateTimeOffset EffectiveAt { get; init; }

    /// <summary>When it was written; whole microseconds.</summary>
    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>Change of available.</summary>
    public Int128 Available { get; init; }

    /// <summary>Change of incoming.</summary>
    public Int128 Incoming { get; init; }

    /// <summary>Change of held.</summary>
    public Int128 Held { get; init; }

    /// <summary>Contra: the world.</summary>
    public Int128 External { get; init; }

    /// <summary>Contra: the operator's fees.</summary>
    public Int128 Fee { get; init; }

    /// <summary>Contra: the account's other wallets.</summary>
    public Int128 Transfer { get; init; }

    /// <summary>Contra: what the wallet owes for reversed deposits; below 0 when it starts to owe.</summary>
    public Int128 Deficit { get; init; }

    /// <summary>Available once this is booked.</summary>
    public Int128 AvailableAfter { get; init; }

    /// <summary>Incoming once this is booked.</summary>
    public Int128 IncomingAfter { get; init; }

    /// <summary>Held once this is booked.</summary>
    public Int128 HeldAfter { get; init; }

    /// <summary>128 bits of SHA-256 over the predecessor's hash and every field above.</summary>
    public byte[] Hash { get; init; } = [];

    /// <summary>The balanced double entry: this is 0 for every posting.</summary>
    public Int128 Sum => Available + Incoming + Held + External + Fee + Transfer + Deficit;

    private bool IsDeposit => Kind is PostingKind.DepositSeen or PostingKind.DepositReversed or PostingKind.DeficitPaid
        or PostingKind.CorrectionIn or PostingKind.DepositConfirmed;

    /// <summary>Change of the all-time deposits: what came from the world, less what it took back and the wallet could cover.</summary>
    public Int128 Deposited => IsDeposit ? -(External + Deficit) : 0;

    /// <summary>Change of the all-time withdrawals, fees included.</summary>
    public Int128 Withdrawn => IsDeposit ? Fee : External + Fee;

    /// <summary>What it adds to the flows of the hour of <see cref="EffectiveAt"/>.</summary>
    public Flow Flow => new(Deposited, Withdrawn,
        Kind switch { PostingKind.DepositSeen or PostingKind.CorrectionIn => 1, PostingKind.DepositReversed => -1, _ => 0 },
        Kind switch { PostingKind.WithdrawalSettled or PostingKind.CorrectionOut => 1, PostingKind.WithdrawalUnsettled => -1, _ => 0 });

    /// <summary>The UTC hour that it counts in.</summary>
    public DateTimeOffset Hour => new(EffectiveAt.UtcTicks - (EffectiveAt.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);

    /// <summary>
    /// The hash that this posting must have after <paramref name="previous"/>. Layout: previous hash, kind, account, wallet,
    /// version, movement, effective and recorded microseconds, the seven changes and three after-values as 128-bit big-endian
    /// two's complement, then the currency's code in UTF-8.
    /// </summary>
    public byte[] HashAfter(ReadOnlySpan<byte> previous)
    {
        Span<byte> text = stackalloc byte[Balance.HashBytes + 2 + (3 * 16) + (3 * 8) + (10 * 16) + 256];
        previous.CopyTo(text);
        var at = Balance.HashBytes;
        BinaryPrimitives.WriteInt16BigEndian(text[at..], (short)Kind);
        at += 2;
        Put(text, ref at, Key.Account.Value);
        Put(text, ref at, Key.Wallet.Value);
        Put(text, ref at, Movement.Value);
        Put(text, ref at, Version);
        Put(text, ref at, Microseconds(EffectiveAt));
        Put(text, ref at, Microseconds(RecordedAt));
        foreach (var value in (ReadOnlySpan<Int128>)[Available, Incoming, Held, External, Fee, Transfer, Deficit,
            AvailableAfter, IncomingAfter, HeldAfter])
        {
            BinaryPrimitives.WriteInt128BigEndian(text[at..], value);
            at += 16;
        }

        at += Encoding.UTF8.GetBytes(Key.Currency, text[at..]);
        var hash = new byte[Balance.HashBytes];
        Digest.Of(text[..at], hash);
        return hash;
    }

    private static long Microseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private static void Put(Span<byte> text, ref int at, Guid value)
    {
        value.TryWriteBytes(text[at..], bigEndian: true, out _);
        at += 16;
    }

    private static void Put(Span<byte> text, ref int at, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(text[at..], value);
        at += sizeof(long);
    }
}
