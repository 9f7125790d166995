namespace Coffer.Ledger;

/// <summary>Which columns a posting of each kind may move, and how they go together: the table of design 3 as a check.</summary>
public static class PostingShape
{
    /// <summary>Whether the columns of a posting are those of its kind. That they sum to zero is checked elsewhere.</summary>
    public static bool Fits(Posting p) => p.Kind switch
    {
        PostingKind.DepositSeen => p.Incoming > 0 && p.External == -p.Incoming && Only(p, p.Incoming, p.External),
        PostingKind.DepositConfirmed => p.Incoming < 0 && p.Available >= 0 && p.Fee >= 0 && Only(p, p.Incoming, p.Available, p.Fee),
        PostingKind.DepositReversed => p.External > 0 && (p.Incoming == -p.External
            ? Only(p, p.Incoming, p.External)
            : p.Available <= 0 && p.Fee <= 0 && p.Deficit <= 0 && Only(p, p.Available, p.Fee, p.Deficit, p.External)),
        PostingKind.DeficitPaid => p.Available < 0 && Only(p, p.Available, p.Deficit),
        PostingKind.WithdrawalRequested => p.Held > 0 && Only(p, p.Held, p.Available),
        PostingKind.WithdrawalSettled => p.Held < 0 && p.External > 0 && p.Fee >= 0 && p.Available >= 0
            && Only(p, p.Held, p.External, p.Fee, p.Available),
        PostingKind.WithdrawalUnsettled => p.Held > 0 && p.External < 0 && p.Fee <= 0 && Only(p, p.Held, p.External, p.Fee),
        PostingKind.WithdrawalFailed => p.Held < 0 && Only(p, p.Held, p.Available),
        PostingKind.TransferOut => p.Transfer > 0 && Only(p, p.Transfer, p.Available),
        PostingKind.TransferIn => p.Transfer < 0 && Only(p, p.Transfer, p.Available),
        PostingKind.CorrectionIn => p.Available > 0 && Only(p, p.Available, p.External),
        PostingKind.CorrectionOut => p.Available < 0 && Only(p, p.Available, p.External),
        _ => false,
    };

    private static bool Only(Posting p, params ReadOnlySpan<Int128> moved)
    {
        // Counted, not summed: seven columns of 38 digits may leave 128 bits.
        var named = 0;
        foreach (var value in moved)
            named += value == 0 ? 0 : 1;
        foreach (var value in (ReadOnlySpan<Int128>)[p.Available, p.Incoming, p.Held, p.External, p.Fee, p.Transfer, p.Deficit])
            named -= value == 0 ? 0 : 1;
        return named == 0;
    }
}
