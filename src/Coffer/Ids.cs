namespace Coffer;

/// <summary>A customer of the operator: the owner of wallets, credentials and every ledger row. A UUID.</summary>
public readonly record struct AccountId(Guid Value)
{
    /// <summary>The UUID in its canonical lower-case form.</summary>
    public override string ToString() => Value.ToString();
}

/// <summary>A wallet of one account: the unit that holds balances. A UUID.</summary>
public readonly record struct WalletId(Guid Value)
{
    /// <summary>The UUID in its canonical lower-case form.</summary>
    public override string ToString() => Value.ToString();
}

/// <summary>One deposit, withdrawal, transfer or correction. A UUID of version 7, so ids sort by creation.</summary>
public readonly record struct MovementId(Guid Value)
{
    /// <summary>The UUID in its canonical lower-case form.</summary>
    public override string ToString() => Value.ToString();
}
