namespace Coffer.Ledger;

/// <summary>What kind of event moved money. Stored as its number.</summary>
public enum MovementKind : short
{
    /// <summary>Money that came from a chain.</summary>
    Deposit = 1,

    /// <summary>Money that leaves to a chain.</summary>
    Withdrawal = 2,

    /// <summary>Between two wallets of one account.</summary>
    Transfer = 3,

    /// <summary>By the operator's hand.</summary>
    Correction = 4,
}

/// <summary>Where a movement stands. Stored as its number; that its kind may have it is proven by <c>coffer verify</c>.</summary>
public enum MovementState : short
{
    /// <summary>Deposit: in a block, incoming.</summary>
    Seen = 1,

    /// <summary>Deposit: available.</summary>
    Confirmed = 2,

    /// <summary>Deposit: vanished from the chain; may be seen again.</summary>
    Reversed = 3,

    /// <summary>Withdrawal: amount and fee are held.</summary>
    Requested = 4,

    /// <summary>Withdrawal: left for good.</summary>
    Settled = 5,

    /// <summary>Withdrawal: did not leave; nothing is held any more.</summary>
    Failed = 6,

    /// <summary>Transfer, correction: done at once.</summary>
    Completed = 7,
}

/// <summary>One deposit, withdrawal, transfer or correction, as it stands now.</summary>
public sealed record Movement
{
    /// <summary>The id that the API shows; its first 48 bits are the millisecond of its creation.</summary>
    public required MovementId Id { get; init; }

    /// <summary>Whose.</summary>
    public required AccountId Account { get; init; }

    /// <summary>What kind of event.</summary>
    public required MovementKind Kind { get; init; }

    /// <summary>Where it stands.</summary>
    public required MovementState State { get; init; }

    /// <summary>The wallet that was debited or credited; for transfers the sending one.</summary>
    public required WalletId Wallet { get; init; }

    /// <summary>Transfers: the receiving wallet.</summary>
    public WalletId? ToWallet { get; init; }

    /// <summary>The currency's code.</summary>
    public required string Currency { get; init; }

    /// <summary>Without fees; smallest units, above 0; only a correction downwards is below.</summary>
    public required Int128 Amount { get; init; }

    /// <summary>Smallest units, at least 0.</summary>
    public required Int128 Fee { get; init; }

    /// <summary>Deposits: which sighting on the chain this state is about; 0 for all others.</summary>
    public int Sighting { get; init; }

    /// <summary>Unique in the account for ever.</summary>
    public required Reference Reference { get; init; }

    /// <summary>When it counts in the history: the block's time, or when it finished.</summary>
    public required DateTimeOffset EffectiveAt { get; init; }

    /// <summary>When its state last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Words of the caller or operator, a withdrawal's destination, or null.</summary>
    public string? Description { get; init; }
}
