using System.Security.Cryptography;
using Coffer.Server.Host;
using Microsoft.AspNetCore.DataProtection;

namespace Coffer.Server.Webhooks;

/// <summary>
/// The secrets that deliveries are signed with. In the database they are encrypted, each for its own endpoint: a copy of the database signs
/// nothing, and a row that was given another's secret is unreadable. The keys are files: <see cref="EncryptionKeys"/>.
/// </summary>
internal sealed class EndpointSecrets(IDataProtectionProvider keys, RandomBytes random)
{
    /// <summary>Random bytes of a secret.</summary>
    public const int Length = 32;

    /// <summary>What a secret begins with (Standard Webhooks 1.0.0), so that it is recognised where it should not be.</summary>
    public const string Prefix = "whsec_";

    private readonly IDataProtector _protector = keys.CreateProtector("coffer webhook secret 1");

    /// <summary>A new secret: the text that its owner is shown once, and what is stored.</summary>
    public (string Text, byte[] Encrypted) New(Guid endpoint)
    {
        var secret = new byte[Length];
        random(secret);
        var made = (Prefix + Convert.ToBase64String(secret), For(endpoint).Protect(secret));
        CryptographicOperations.ZeroMemory(secret);
        return made;
    }

    /// <summary>What a delivery of now is signed with: the secret, and beside it the previous one while it overlaps.</summary>
    /// <exception cref="CryptographicException">The secret was encrypted with a key that this server does not have.</exception>
    public IReadOnlyList<byte[]> Signing(WebhookEndpoint endpoint, DateTimeOffset now)
    {
        var protector = For(endpoint.Key.Id);
        var current = protector.Unprotect(endpoint.Secret);
        return endpoint.PreviousSecret is { } previous && endpoint.PreviousUntil > now ? [current, protector.Unprotect(previous)] : [current];
    }

    private IDataProtector For(Guid endpoint) => _protector.CreateProtector(endpoint.ToString());
}
