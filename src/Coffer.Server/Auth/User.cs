namespace Coffer.Server.Auth;

/// <summary>What a user of the dashboard may do; each may what the one before it may. The number is the one in the database.</summary>
internal enum Role : short
{
    /// <summary>Sees the account.</summary>
    Viewer = 1,

    /// <summary>Moves the account's money, and keeps its keys, webhooks and alerts.</summary>
    Owner = 2,

    /// <summary>Runs this server: decides about withdrawals, sees chains and hot wallets, freezes.</summary>
    Operator = 3,
}

/// <summary>Which colours a user wants; the number is the one in the database.</summary>
internal enum Theme : short
{
    /// <summary>Those of his machine.</summary>
    Auto = 0,
    Light = 1,
    Dark = 2,
}

/// <summary>Somebody who signs in to the dashboard of one account.</summary>
/// <param name="Name">What he types to sign in, in small letters; unique on this server.</param>
/// <param name="Totp">The encrypted secret of his authenticator app; null without one.</param>
/// <param name="TotpStep">The last step whose code was used; no code counts twice.</param>
internal sealed record User(Guid Id, string Name, AccountId Account, short Shard, Mode Mode, Role Role, PasswordHash Password,
    byte[]? Totp, long TotpStep, DateTimeOffset CreatedAt, DateTimeOffset? DisabledAt)
{
    /// <summary>Most characters of a name.</summary>
    public const int NameMax = 100;

    /// <summary>A name as it is stored and looked up.</summary>
    public static string Normal(string name) => name.Trim().ToLowerInvariant();

    /// <summary>Whether somebody may have this name, which is normal already.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= NameMax && !name.Any(char.IsControl);
}

internal static class Roles
{
    /// <summary>What sessions of such a user may do at the API. Nobody can give himself the scope that decides about withdrawals.</summary>
    public static Scopes Scopes(this Role role) => role switch
    {
        Role.Viewer => Coffer.Scopes.Read,
        Role.Owner => Coffer.Scopes.Read | Coffer.Scopes.Write,
        _ => Coffer.Scopes.Read | Coffer.Scopes.Write | Coffer.Scopes.Approve,
    };
}
