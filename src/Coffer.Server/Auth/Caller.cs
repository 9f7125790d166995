namespace Coffer.Server.Auth;

/// <summary>Who is calling: what the credential of the request says.</summary>
/// <param name="Account">Whose account; every statement of the request is limited to it.</param>
/// <param name="Shard">The account's shard.</param>
/// <param name="Mode">The account's mode.</param>
/// <param name="Scopes">What the credential may do.</param>
/// <param name="Credential">The credential's id.</param>
/// <param name="Wallets">The wallets it is limited to; null for all of the account.</param>
/// <param name="Client">Access tokens: the OAuth client that it was given to; null for an API key.</param>
/// <param name="User">Sessions of the dashboard: whose; null for every other credential.</param>
internal sealed record Caller(AccountId Account, short Shard, Mode Mode, Scopes Scopes, Guid Credential, IReadOnlyList<Guid>? Wallets,
    string? Client, Guid? User = null)
{
    /// <summary>
    /// Who it is, for records of who did what: <c>key:ID</c>, <c>client:ID</c> or <c>user:ID</c>. Tokens and sessions come and go, whom
    /// they were given to stays.
    /// </summary>
    public string Name => User is { } user ? $"user:{user}" : Client is null ? $"key:{Credential}" : $"client:{Client}";

    /// <summary>Whether the credential may see and use this wallet of its account.</summary>
    public bool MayUse(WalletId wallet) => Wallets is null || Wallets.Contains(wallet.Value);
}

internal static class Callers
{
    /// <summary>The caller that Authenticate has put there; routes that are public have none.</summary>
    public static Caller Caller(this HttpContext http) =>
        http.Features.Get<Caller>() ?? throw new InvalidOperationException("The route is public and has no caller.");
}
