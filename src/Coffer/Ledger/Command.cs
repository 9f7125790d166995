namespace Coffer.Ledger;

/// <summary>
/// A wish to change balances. Handed to the ledger writer of the account's shard, decided by <see cref="Decide"/> on the
/// balances as they are then. A command that comes again with the same reference changes nothing and gets the same answer.
/// </summary>
/// <param name="Account">Whose balances.</param>
/// <param name="Wallet">The wallet that is debited or credited.</param>
/// <param name="Currency">The currency, with its decimals.</param>
/// <param name="Reference">What makes it happen once.</param>
public abstract record Command(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference)
{
    /// <summary>
    /// What another part of the server gives along for its share in the ledger's transaction; null for nothing. No rule looks at it.
    /// </summary>
    public object? Companion { get; init; }

    /// <summary>Whether a movement is what this command would make: the same reference for anything else is another request.</summary>
    public virtual bool Made(Movement movement) => movement.Wallet == Wallet && movement.Currency == Currency.Code;
}

/// <summary>A deposit was found in a block: incoming rises. A later sighting of a reversed deposit brings it back.</summary>
/// <param name="Amount">Smallest units, above 0, as the chain says.</param>
/// <param name="EffectiveAt">The block's time; counted as now when it lies in the future.</param>
/// <param name="Sighting">1 for the first time it was seen on the chain, one more each time it is seen again.</param>
public sealed record DepositSeen(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference,
    Int128 Amount, DateTimeOffset EffectiveAt, int Sighting) : Command(Account, Wallet, Currency, Reference);

/// <summary>A deposit has its confirmations: incoming becomes available, less the fee, less what the wallet owes.</summary>
/// <param name="Fee">Smallest units, at least 0; at most the deposit is taken.</param>
/// <param name="Sighting">The sighting that was confirmed; another one changes nothing.</param>
public sealed record DepositConfirmed(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference,
    Int128 Fee, int Sighting) : Command(Account, Wallet, Currency, Reference);

/// <summary>A deposit's block left the chain: exactly what it gave is taken back; what available does not cover becomes a deficit.</summary>
/// <param name="Sighting">The sighting that vanished; another one changes nothing.</param>
public sealed record DepositReversed(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference,
    int Sighting) : Command(Account, Wallet, Currency, Reference);

/// <summary>Amount and fee are reserved: available becomes held, or the request is refused.</summary>
/// <param name="Amount">What shall arrive; smallest units, above 0.</param>
/// <param name="Fee">All fees; smallest units, at least 0.</param>
/// <param name="Destination">Where to; part of what was asked.</param>
public sealed record RequestWithdrawal(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference,
    Int128 Amount, Int128 Fee, string Destination) : Command(Account, Wallet, Currency, Reference)
{
    /// <inheritdoc/>
    public override bool Made(Movement movement) => base.Made(movement) && movement.Kind == MovementKind.Withdrawal
        && movement.Amount == Amount && movement.Description == Destination;
}

/// <summary>
/// A withdrawal has left for good: held becomes the world's and our fee. What was reserved beyond the actual fee becomes available again.
/// </summary>
/// <param name="Fee">All fees as they turned out; smallest units, at least 0; at most what is reserved is taken. Null: what is reserved.</param>
public sealed record SettleWithdrawal(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference, Int128? Fee = null)
    : Command(Account, Wallet, Currency, Reference);

/// <summary>
/// A settled withdrawal's block left the chain: what had left is held again, and the history loses it from the hour that had it.
/// </summary>
/// <param name="SettledAt">When the settlement that is undone counted (<see cref="Movement.EffectiveAt"/>); another one is left alone.</param>
public sealed record UnsettleWithdrawal(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference, DateTimeOffset SettledAt)
    : Command(Account, Wallet, Currency, Reference);

/// <summary>A withdrawal failed or was cancelled before it left: held becomes available again.</summary>
public sealed record FailWithdrawal(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference)
    : Command(Account, Wallet, Currency, Reference);

/// <summary>A move between two wallets of one account, at once.</summary>
/// <param name="To">The receiving wallet; another than <see cref="Command.Wallet"/>.</param>
/// <param name="Amount">Smallest units, above 0.</param>
/// <param name="Description">The caller's words, or null.</param>
public sealed record Transfer(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference,
    WalletId To, Int128 Amount, string? Description) : Command(Account, Wallet, Currency, Reference)
{
    /// <inheritdoc/>
    public override bool Made(Movement movement) => base.Made(movement) && movement.Kind == MovementKind.Transfer
        && movement.ToWallet == To && movement.Amount == Amount && movement.Description == Description;
}

/// <summary>An operator's correction: counts as a deposit (above 0) or a withdrawal (below 0) and stays visible as a correction.</summary>
/// <param name="Amount">Smallest units, not 0.</param>
/// <param name="EffectiveAt">When it counts; null for now, never later than now.</param>
/// <param name="Description">Why; shown to the customer.</param>
public sealed record Correct(AccountId Account, WalletId Wallet, Currency Currency, Reference Reference,
    Int128 Amount, DateTimeOffset? EffectiveAt, string Description) : Command(Account, Wallet, Currency, Reference)
{
    /// <inheritdoc/>
    public override bool Made(Movement movement) => base.Made(movement) && movement.Kind == MovementKind.Correction
        && movement.Amount == Amount && movement.Description == Description;
}
