using Coffer.Ledger;

namespace Coffer.Server.Withdrawals;

/// <summary>A withdrawal as its row tells it; see <c>0011_withdrawals.sql</c>.</summary>
internal sealed record Withdrawal
{
    public required short Shard { get; init; }

    public required AccountId Account { get; init; }

    public required MovementId Id { get; init; }

    public required WithdrawalState State { get; init; }

    public required string Chain { get; init; }

    public required WalletId Wallet { get; init; }

    public required string Currency { get; init; }

    /// <summary>What arrives.</summary>
    public required Int128 Amount { get; init; }

    public required Int128 NetworkFee { get; init; }

    public required Int128 TransactionFee { get; init; }

    public required bool FeesOnTop { get; init; }

    public required string Address { get; init; }

    public string? CustomId { get; init; }

    public string? IdempotencyKey { get; init; }

    public string? CallbackUrl { get; init; }

    /// <summary>What a request that repeats this one must say; null before that was written down.</summary>
    public Guid? Request { get; init; }

    public string? RequestedBy { get; init; }

    public bool NeedsApproval { get; init; }

    public string? DecidedBy { get; init; }

    public DateTimeOffset? DecidedAt { get; init; }

    public string? WaitsFor { get; init; }

    public string? Reason { get; init; }

    public string? TxId { get; init; }

    /// <summary>In smallest units of the chain's coin.</summary>
    public Int128? NetworkFeePaid { get; init; }

    public long? BlockHeight { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>The movement's: what the ledger knows it by.</summary>
    public required Reference Reference { get; init; }

    /// <summary>Both fees as they were reserved.</summary>
    public Int128 Fee => NetworkFee + TransactionFee;

    /// <summary>It as it was when it was made: what the answer to its request said, and says each time the request is repeated.</summary>
    public Withdrawal AtFirst() => this with
    {
        State = WithdrawalState.Pending,
        WaitsFor = NeedsApproval ? WaitingFor.Approval : null,
        Reason = null,
        TxId = null,
        NetworkFeePaid = null,
        BlockHeight = null,
        UpdatedAt = CreatedAt,
        CompletedAt = null,
        DecidedBy = null,
        DecidedAt = null,
    };
}

/// <summary>The words for why nothing happens to a withdrawal now.</summary>
internal static class WaitingFor
{
    /// <summary>Above its currency's bound somebody else has to allow it.</summary>
    public const string Approval = "approval";

    /// <summary>The operator has stopped withdrawals, of its account or of all.</summary>
    public const string Frozen = "frozen";

    /// <summary>The hot wallet has too little of what is to be paid.</summary>
    public const string Funds = "funds";

    /// <summary>The hot wallet has too little of the coin that the network's fee is paid in.</summary>
    public const string Gas = "gas";

    /// <summary>The network asks for more than one transaction may cost.</summary>
    public const string Fee = "fee";

    /// <summary>The signer's own limit of the day is used up.</summary>
    public const string Limit = "limit";

    /// <summary>The signer has refused it; its log and the server's say why.</summary>
    public const string Signer = "signer";

    /// <summary>It is signed by hand on this chain.</summary>
    public const string Signature = "signature";

    /// <summary>Its row does not say what the ledger was asked for. A human has to look.</summary>
    public const string Ledger = "ledger";
}

/// <summary>What a <see cref="RequestWithdrawal"/> takes along, so that the ledger's transaction writes the row too.</summary>
/// <param name="Chain">Where it will be paid.</param>
/// <param name="NetworkFee">The part of the command's fee that is for the network; the rest is the operator's.</param>
/// <param name="FeesOnTop">Whether the fees came on top of what was asked for, or out of it.</param>
internal sealed record WithdrawalOrder(string Chain, Int128 NetworkFee, bool FeesOnTop)
{
    public string? CustomId { get; init; }

    public string? IdempotencyKey { get; init; }

    public string? CallbackUrl { get; init; }

    public Guid? Request { get; init; }

    public string? RequestedBy { get; init; }

    /// <summary>Decided by <see cref="PolicyGuest"/> in the transaction that makes the withdrawal, anew each time that it is tried.</summary>
    public bool NeedsApproval { get; set; }
}

/// <summary>
/// What a command that finishes a withdrawal, or takes that back, brings along: the change of the row that commits with it. Without one,
/// the row follows what the ledger decides, whatever its state was.
/// </summary>
/// <param name="Id">Which withdrawal.</param>
/// <param name="From">The states in which it may happen; in any other it is refused. In <paramref name="To"/> it has happened already.</param>
/// <param name="To">The state afterwards.</param>
internal sealed record WithdrawalStep(MovementId Id, IReadOnlyList<WithdrawalState> From, WithdrawalState To)
{
    public string? Reason { get; init; }

    /// <summary>Rejections: who said so.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>Settlements: what the network took, in smallest units of the chain's coin.</summary>
    public Int128? NetworkFeePaid { get; init; }

    public long? BlockHeight { get; init; }
}

/// <summary>Which withdrawals to list; null for no condition.</summary>
internal sealed record WithdrawalFilter(WithdrawalState? State, string? Currency, IReadOnlyList<string>? Currencies, string? CustomId,
    IReadOnlyList<Guid>? Wallets, Guid From, Guid Before);
