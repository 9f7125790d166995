namespace Coffer.Server.Wallets;

/// <summary>One wallet of an account: the unit that holds balances.</summary>
internal sealed record Wallet(WalletId Id, string Name, bool IsDefault, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>Wallets that one account may have; what lists and sums them stays small.</summary>
    public const int CountMax = 10_000;

    /// <summary>Longest name, in characters.</summary>
    public const int NameMax = 100;

    /// <summary>The name of the wallet that every account starts with.</summary>
    public const string DefaultName = "Default Wallet";
}
