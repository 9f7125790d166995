namespace Coffer;

/// <summary>Where a withdrawal stands. Stored as its number; the wire has the word in lower case.</summary>
public enum WithdrawalState : short
{
    /// <summary>Amount and fees are reserved.</summary>
    Pending = 1,

    /// <summary>The operator has allowed what needs his approval.</summary>
    Approved = 2,

    /// <summary>The transaction that pays it is planned and stored; from here on it cannot be cancelled.</summary>
    Processing = 3,

    /// <summary>A node took the transaction.</summary>
    Submitted = 4,

    /// <summary>In a block, with fewer confirmations than the currency asks for.</summary>
    Confirmed = 5,

    /// <summary>Settled in the ledger: it left for good.</summary>
    Completed = 6,

    /// <summary>The operator has refused it; everything was given back.</summary>
    Rejected = 7,

    /// <summary>Proven that it will not be paid; everything was given back.</summary>
    Failed = 8,

    /// <summary>The caller took it back; everything was given back.</summary>
    Cancelled = 9,

    /// <summary>A broadcast was tried and nobody knows yet what became of it; it leaves this state only by proof.</summary>
    Unknown = 10,
}

/// <summary>What the states of a withdrawal mean.</summary>
public static class WithdrawalStates
{
    /// <summary>The states of which no way is known to leave but a reorg: completed, rejected, failed, cancelled.</summary>
    public static bool IsFinal(this WithdrawalState state) => state is WithdrawalState.Completed or WithdrawalState.Rejected
        or WithdrawalState.Failed or WithdrawalState.Cancelled;

    /// <summary>Whether nobody has begun to pay it, so that its caller may take it back and its operator refuse it.</summary>
    public static bool MayBeTakenBack(this WithdrawalState state) => state is WithdrawalState.Pending or WithdrawalState.Approved;

    /// <summary>The state's word on the wire.</summary>
    public static string Word(this WithdrawalState state) => state switch
    {
        WithdrawalState.Pending => "pending",
        WithdrawalState.Approved => "approved",
        WithdrawalState.Processing => "processing",
        WithdrawalState.Submitted => "submitted",
        WithdrawalState.Confirmed => "confirmed",
        WithdrawalState.Completed => "completed",
        WithdrawalState.Rejected => "rejected",
        WithdrawalState.Failed => "failed",
        WithdrawalState.Cancelled => "cancelled",
        WithdrawalState.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "No word for this state."),
    };

    /// <summary>The state with that word; null when there is none.</summary>
    public static WithdrawalState? Of(string word)
    {
        foreach (var state in Enum.GetValues<WithdrawalState>())
        {
            if (state.Word() == word)
                return state;
        }

        return null;
    }
}
