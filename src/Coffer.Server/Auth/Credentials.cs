using System.Net;

namespace Coffer.Server.Auth;

/// <summary>What kind of row of <c>credential</c> this is; the number is the one in the database.</summary>
internal enum CredentialKind : short
{
    ApiKey = 1,
    AccessToken = 2,
    Session = 3,
}

/// <summary>What the database says of a credential.</summary>
internal sealed record CredentialRow(CredentialKind Kind, Guid Id, AccountId Account, short Shard, Mode Mode, Scopes Scopes,
    Guid[]? Wallets, string[]? Addresses, DateTime? ExpiresAt, DateTime? RevokedAt, string? Client, Guid? User);

/// <summary>
/// A credential as it came with the request: its form and checksum are right, whether it is valid nobody has asked yet. Only the
/// hash is kept; the text goes no further than <see cref="Authenticate"/>.
/// </summary>
internal sealed class PresentedCredential(byte[] hash, SecretKind kind, Access access)
{
    /// <summary>SHA-256 of the text: the key of the table <c>credential</c>.</summary>
    public byte[] Hash { get; } = hash;

    public SecretKind Kind { get; } = kind;

    /// <summary>What the route that was called asks for.</summary>
    public Access Access { get; } = access;

    /// <summary>The meter of this credential, when this process has seen it lately.</summary>
    public CredentialUse.Meter? Meter { get; set; }
}

/// <summary>The one decision about who may call, on values alone.</summary>
internal static class Credentials
{
    public const string ReadScope = "read";
    public const string WriteScope = "write";
    public const string ApproveScope = "approve";

    private static readonly (Scopes Scope, string Word)[] _words =
        [(Scopes.Read, ReadScope), (Scopes.Write, WriteScope), (Scopes.Approve, ApproveScope)];

    /// <summary>
    /// Whether the presented credential is valid now, from there, for that route: the caller that it stands for, or why not (401
    /// when it is not valid, 403 when it lacks the scope). The row is null when the database does not know the credential.
    /// </summary>
    public static Refusal? Judge(CredentialRow? row, PresentedCredential presented, IPAddress? from, DateTimeOffset now, out Caller? caller)
    {
        caller = null;
        if (row is null)
            return Invalid(presented.Kind, "is not known");
        if (row.RevokedAt is not null)
            return Invalid(presented.Kind, "was revoked");
        if (row.ExpiresAt <= now.UtcDateTime)
            return Invalid(presented.Kind, "has expired");
        if (presented.Kind != KindOf(row))
            return Invalid(presented.Kind, "does not belong to this mode");
        if (row.Addresses is not null && !ClientAddress.IsIn(row.Addresses, from))
            return Invalid(presented.Kind, "may not be used from this address");
        if (row.Kind == CredentialKind.ApiKey && !presented.Access.ApiKeys)
            return TokenOnly();
        if ((row.Scopes & presented.Access.Scope) != presented.Access.Scope)
            return Missing(presented.Access.Scope);
        caller = new Caller(row.Account, row.Shard, row.Mode, row.Scopes, row.Id, row.Wallets, row.Client, row.User);
        return null;
    }

    public static Refusal Invalid(SecretKind kind, string why) => new(RefusalCode.Unauthorized, kind == SecretKind.AccessToken
        ? $"The access token {why}. Get a new one from /o/token/."
        : $"The API key {why}. Check it, or make a new one.");

    public static Refusal TokenOnly() => new(RefusalCode.Unauthorized,
        "This path takes OAuth access tokens only. Get one from /o/token/ and send it as Authorization: Bearer.");

    /// <summary>The scopes as RFC 6749 writes them: names with a space between.</summary>
    public static string Text(Scopes scopes) => scopes switch
    {
        Scopes.Read => ReadScope,
        Scopes.Write => WriteScope,
        Scopes.Read | Scopes.Write => $"{ReadScope} {WriteScope}",
        _ => string.Join(' ', _words.Where(word => scopes.HasFlag(word.Scope)).Select(word => word.Word)),
    };

    /// <summary>The scope with this name that an account may give to its credentials, or null; <c>approve</c> is none of them.</summary>
    public static Scopes? Scope(string name) => name switch
    {
        ReadScope => Scopes.Read,
        WriteScope => Scopes.Write,
        _ => null,
    };

    private static SecretKind KindOf(CredentialRow row) => row.Kind switch
    {
        CredentialKind.AccessToken => SecretKind.AccessToken,
        CredentialKind.Session => SecretKind.Session,
        _ => SecretText.ApiKey(row.Mode),
    };

    private static Refusal Missing(Scopes scope) => new(RefusalCode.Forbidden,
        $"This credential does not hold the scope {Text(scope)}. Use one that does.",
        new Dictionary<string, object> { ["required_scope"] = Text(scope) });
}
