using System.Security.Cryptography;
using Coffer.Chains.Keys;

namespace Coffer.Server.Signer;

/// <summary>What opens a keystore: a passphrase, or a key of 32 bytes. Zeroed at the end.</summary>
/// <param name="Secret">The UTF-8 of the passphrase, or the key.</param>
/// <param name="IsPassphrase">Which of the two.</param>
internal sealed record KeystoreLock(SecretBytes Secret, bool IsPassphrase) : IDisposable
{
    /// <summary>Rounds of PBKDF2: what OWASP asks of HMAC-SHA256 (2023). A keystore that says less was tampered with.</summary>
    public const int RoundsMin = 600_000;

    /// <summary>More would hold up every start for a minute; who writes it in does not mean well.</summary>
    public const int RoundsMax = 50_000_000;

    /// <summary>The least characters of a new passphrase.</summary>
    public const int PassphraseMin = 12;

    /// <summary>The bytes of a key that stands for a passphrase.</summary>
    public const int KeyBytes = 32;

    public void Dispose() => Secret.Dispose();

    /// <summary>The key that the keystore is sealed with.</summary>
    public SecretBytes Key(ReadOnlySpan<byte> salt, int rounds)
    {
        var key = new SecretBytes(KeyBytes);
        if (IsPassphrase)
            Rfc2898DeriveBytes.Pbkdf2(Secret.Span, salt, key.Span, rounds, HashAlgorithmName.SHA256);
        else
            HKDF.DeriveKey(HashAlgorithmName.SHA256, Secret.Span, key.Span, salt, "coffer keystore"u8);
        return key;
    }
}
