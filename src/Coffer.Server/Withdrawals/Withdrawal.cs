using Coffer.Ledger;

namespace Coffer.Server.Withdrawals;

/// <summary>What a request says beyond what the ledger is asked; see <c>0005_withdrawals.sql</c>.</summary>
internal sealed record WithdrawalFacts(DateTimeOffset CreatedAt, Int128 NetworkFee, Int128 TransactionFee, string? CustomId,
    string? CallbackUrl, string? IdempotencyKey = null)
{
    /// <summary>The digest of what was asked: equal for two requests exactly when one movement may stand for both.</summary>
    public Guid RequestOf(RequestWithdrawal command)
    {
        var fee = NetworkFee + TransactionFee;
        var asked = $"{command.Wallet}|{command.Currency.Code}|{command.Amount}|{fee}|{command.Destination}";
        return Reference.Of(asked).DigestIn(command.Account);
    }
}

/// <summary>A withdrawal as the ledger and its facts tell it.</summary>
internal sealed record Withdrawal
{
    public required MovementId Id { get; init; }

    public required MovementState State { get; init; }

    public required WalletId Wallet { get; init; }

    public required string Currency { get; init; }

    public required Int128 Amount { get; init; }

    public required Int128 NetworkFee { get; init; }

    public required Int128 TransactionFee { get; init; }

    public required string Address { get; init; }

    public string? CustomId { get; init; }

    public string? CallbackUrl { get; init; }

    public string? IdempotencyKey { get; init; }

    public string? TxId { get; init; }

    public byte[]? TxBytes { get; init; }

    public DateTimeOffset? SentAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public required string ReferenceText { get; init; }

    public required Guid Reference { get; init; }

    public required Guid Request { get; init; }

    /// <summary>The state's word on the wire.</summary>
    public string Status => State switch
    {
        MovementState.Requested => SentAt is null ? "pending" : "submitted",
        MovementState.Settled => "completed",
        MovementState.Failed => "failed",
        _ => throw new InvalidOperationException($"No withdrawal is {State}."),
    };
}

/// <summary>Which withdrawals to list; null for no condition.</summary>
internal sealed record WithdrawalFilter(MovementState? State, bool? Sent, string? Currency, string? CustomId, Guid[]? Wallets);
