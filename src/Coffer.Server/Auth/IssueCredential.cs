using System.Security.Cryptography;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Auth;

/// <summary>An API key as its owner sees it after it was made: everything but the secret.</summary>
internal sealed record ApiKey(Guid Id, string Name, string Hint, Scopes Scopes, IReadOnlyList<Guid>? Wallets,
    IReadOnlyList<string>? Addresses, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt)
{
    private const int HintTail = 4;

    /// <summary>A key without limits. The hint tells keys apart: what stands before the random part, and the last four characters.</summary>
    public static ApiKey Of(Guid id, string name, string secret, Scopes scopes, DateTimeOffset createdAt) => new(id, name,
        $"{secret[..(secret.LastIndexOf('_') + 1)]}...{secret[^HintTail..]}", scopes, null, null, createdAt, null, null);
}

/// <summary>An access token without its secret.</summary>
internal sealed record AccessToken(string ClientId, AccountId Account, Scopes Scopes, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt,
    DateTimeOffset? RevokedAt);

/// <summary>
/// Makes and revokes API keys, OAuth clients and access tokens; for HTTP and the command line. A secret is returned by the call that
/// makes it and exists nowhere else: the database has its SHA-256 only.
/// </summary>
internal sealed class IssueCredential(Db db, Ids ids, RandomBytes random, TimeProvider time)
{
    private const int DeleteMax = 5_000;

    /// <summary>An expired token is kept this long, so that it is answered "has expired" and not "is not known".</summary>
    private static readonly TimeSpan _keepExpired = TimeSpan.FromDays(1);

    /// <param name="maker">The id of the credential that asks for it; null: the operator does.</param>
    public async Task<(string Secret, ApiKey Key)> ApiKey(Account account, string name, Scopes scopes, IReadOnlyList<Guid>? wallets,
        IReadOnlyList<string>? addresses, DateTimeOffset? expiresAt, CancellationToken ct, Guid? maker = null)
    {
        var secret = Secret(SecretText.ApiKey(account.Mode));
        var key = Auth.ApiKey.Of(ids.New(), name, secret, scopes, time.GetUtcNow())
            with
        { Wallets = wallets, Addresses = addresses, ExpiresAt = expiresAt };
        await db.Transaction((tx, token) => tx.InsertApiKey(Authenticate.Hash(secret), account, key, maker, token), ct);
        return (secret, key);
    }

    /// <summary>Revokes the account's API key, from the next request on; false when the account has none of this id.</summary>
    public Task<bool> RevokeApiKey(AccountId account, Guid id, CancellationToken ct) =>
        db.Transaction((tx, token) => tx.RevokeApiKey(account, id, time.GetUtcNow(), token), ct, repeatable: true);

    /// <param name="madeBy">The user of the dashboard who makes it; null: the operator does.</param>
    public async Task<(string Secret, OAuthClient Client)> Client(Account account, string name, Scopes scopes, CancellationToken ct,
        Guid? madeBy = null)
    {
        var secret = Secret(SecretKind.ClientSecret);
        var client = new OAuthClient(ids.New().ToString(), Authenticate.Hash(secret), account.Id, account.Shard, account.Mode, scopes, name,
            time.GetUtcNow(), madeBy);
        await db.Transaction((tx, token) => tx.Insert(client, token), ct);
        return (secret, client);
    }

    /// <summary>Revokes a client and every access token that it was given; false when the account has none of this id.</summary>
    public Task<bool> RevokeClient(AccountId account, string clientId, CancellationToken ct) => db.Transaction(async (tx, token) =>
    {
        // The client first: it waits for tokens that are being given out, which are then seen below.
        var found = await tx.RevokeClient(account, clientId, time.GetUtcNow(), token);
        await tx.RevokeTokensOf(account, clientId, time.GetUtcNow(), token);
        return found;
    }, ct, repeatable: true);

    public async Task<string> Token(OAuthClient client, Scopes scopes, TimeSpan lifetime, CancellationToken ct)
    {
        var secret = Secret(SecretKind.AccessToken);
        var now = time.GetUtcNow();
        await db.Transaction((tx, token) => tx.InsertToken(Authenticate.Hash(secret), ids.New(), client, scopes, now, now + lifetime,
            token), ct);
        return secret;
    }

    public Task RevokeToken(OAuthClient client, string secret, CancellationToken ct) =>
        db.Transaction((tx, token) => tx.RevokeToken(Authenticate.Hash(secret), client.ClientId, time.GetUtcNow(), token), ct,
            repeatable: true);

    /// <summary>Deletes the access tokens that expired some time ago; called by a worker.</summary>
    public async Task DeleteExpiredTokens(CancellationToken ct)
    {
        while (await db.DeleteTokens(time.GetUtcNow() - _keepExpired, DeleteMax, ct) == DeleteMax)
        {
            // More of them.
        }
    }

    private string Secret(SecretKind kind)
    {
        Span<byte> bytes = stackalloc byte[SecretText.RandomBytes];
        random(bytes);
        var secret = SecretText.Make(kind, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return secret;
    }
}
