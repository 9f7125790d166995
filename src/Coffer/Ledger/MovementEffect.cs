namespace Coffer.Ledger;

/// <summary>
/// What the postings of one movement on one balance come to, in sums that its row foretells: so movements and postings can be
/// compared in any order, and two of them cancel.
/// </summary>
/// <param name="Incoming">Sum of incoming: the amount while a deposit is seen.</param>
/// <param name="Held">Sum of held: amount and fee while a withdrawal is requested.</param>
/// <param name="External">Sum of external.</param>
/// <param name="Fee">Sum of fee.</param>
/// <param name="Transfer">Sum of transfer: above 0 where it came from, below 0 where it went.</param>
/// <param name="Asked">What a withdrawal once reserved, less what its settlements gave back.</param>
/// <param name="Steps">Which postings there must be, one digit group per kind; deposits seen less reversed, settlements less undone ones.</param>
/// <param name="EffectiveAt">Microseconds of the posting that says when the movement counts, where it still does.</param>
public readonly record struct MovementEffect(Int128 Incoming, Int128 Held, Int128 External, Int128 Fee, Int128 Transfer,
    Int128 Asked, Int128 Steps, Int128 EffectiveAt)
{
    private const long Requested = 1, Settled = 1L << 20, Failed = 1L << 40;

    /// <summary>The share of one posting.</summary>
    public static MovementEffect Of(Posting p)
    {
        var at = Micros(p.EffectiveAt);
        var effect = new MovementEffect(p.Incoming, p.Held, p.External, p.Fee, p.Transfer, 0, 0, 0);
        return p.Kind switch
        {
            PostingKind.DepositSeen => effect with { Steps = 1, EffectiveAt = at },
            PostingKind.DepositReversed => effect with { Steps = -1, EffectiveAt = -at },
            PostingKind.DepositConfirmed or PostingKind.DeficitPaid => effect,
            PostingKind.WithdrawalRequested => effect with { Steps = Requested, Asked = p.Held },
            PostingKind.WithdrawalSettled => effect with { Steps = Settled, EffectiveAt = at, Asked = -p.Available },
            PostingKind.WithdrawalUnsettled => effect with { Steps = -Settled, EffectiveAt = -at },
            PostingKind.WithdrawalFailed => effect with { Steps = Failed, EffectiveAt = at },
            _ => effect with { Steps = 1, EffectiveAt = at },
        };
    }

    /// <summary>What a movement's own wallet must come to by its state and amounts.</summary>
    public static MovementEffect Of(Movement m)
    {
        var at = Micros(m.EffectiveAt);
        return m.State switch
        {
            MovementState.Seen => new(m.Amount, 0, -m.Amount, 0, 0, 0, 1, at),
            MovementState.Confirmed => new(0, 0, -m.Amount, m.Fee, 0, 0, 1, at),
            MovementState.Requested => new(0, m.Amount + m.Fee, 0, 0, 0, m.Amount + m.Fee, Requested, 0),
            MovementState.Settled => new(0, 0, m.Amount, m.Fee, 0, m.Amount + m.Fee, Requested + Settled, at),
            MovementState.Failed => new(0, 0, 0, 0, 0, m.Amount + m.Fee, Requested + Failed, at),
            MovementState.Completed when m.Kind == MovementKind.Transfer => new(0, 0, 0, 0, m.Amount, 0, 1, at),
            MovementState.Completed => new(0, 0, -m.Amount, 0, 0, 0, 1, at),
            _ => default,
        };
    }

    /// <summary>What a transfer's receiving wallet must come to: the other side, with the opposite sign.</summary>
    public static MovementEffect Received(Movement m) => new(0, 0, 0, 0, -m.Amount, 0, 1, Micros(m.EffectiveAt));

    /// <summary>The kind of movement that a posting belongs to.</summary>
    public static MovementKind KindOf(PostingKind kind) => kind switch
    {
        PostingKind.WithdrawalUnsettled => MovementKind.Withdrawal,
        <= PostingKind.DeficitPaid => MovementKind.Deposit,
        <= PostingKind.WithdrawalFailed => MovementKind.Withdrawal,
        <= PostingKind.TransferIn => MovementKind.Transfer,
        _ => MovementKind.Correction,
    };

    /// <summary>Adds each sum.</summary>
    public static MovementEffect operator +(MovementEffect a, MovementEffect b) => new(
        a.Incoming + b.Incoming, a.Held + b.Held, a.External + b.External, a.Fee + b.Fee, a.Transfer + b.Transfer,
        a.Asked + b.Asked, a.Steps + b.Steps, a.EffectiveAt + b.EffectiveAt);

    private static long Micros(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
