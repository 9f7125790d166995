using System.Security.Cryptography;
using static System.Runtime.InteropServices.MemoryMarshal;
using static Coffer.Chains.Keys.Secp256k1;

namespace Coffer.Chains.Keys;

/// <summary>
/// Arithmetic with secret keys of secp256k1, for the process that signs. The library takes the same time whatever the secret is, and blinds
/// its work with the randomness given here. Secrets stay in the caller's memory, which the caller clears. Safe for concurrent callers until
/// disposed.
/// </summary>
public sealed class SecretKeys : IDisposable
{
    /// <summary>The random bytes that the work is blinded with.</summary>
    public const int RandomBytes = 32;

    private nint _context;

    /// <summary>Makes ready to work. A <see cref="KeyFault"/> when the library is missing.</summary>
    /// <param name="random">Exactly <see cref="RandomBytes"/> bytes from a cryptographic source. No signature depends on them.</param>
    public SecretKeys(ReadOnlySpan<byte> random)
    {
        MustHave(random.Length, RandomBytes);
        _context = NewContext();
        if (secp256k1_context_randomize(_context, in GetReference(random)) == 1)
            return;
        Dispose();
        throw new KeyFault("libsecp256k1 could not blind its work.");
    }

    /// <summary>Whether this is a secret key: 32 bytes, from 1 to the order of the curve less 1.</summary>
    public bool IsValid(ReadOnlySpan<byte> secret) =>
        secret.Length == ScalarBytes && secp256k1_ec_seckey_verify(Live, in GetReference(secret)) == 1;

    /// <summary>The compressed public key of a secret, 33 bytes. A <see cref="KeyFault"/> when the secret is none.</summary>
    public byte[] PublicKey(ReadOnlySpan<byte> secret)
    {
        MustHave(secret.Length, ScalarBytes);
        Span<byte> point = stackalloc byte[PointBytes];
        if (secp256k1_ec_pubkey_create(Live, ref GetReference(point), in GetReference(secret)) != 1)
            throw new KeyFault("That is not a secret key of the curve secp256k1.");
        return PublicKeys.Write(point, CompressedBytes);
    }

    /// <summary>
    /// Adds a tweak to a secret, in place, as <see cref="PublicKeys.AddTweak"/> does to its public key. False where the secret or the tweak
    /// is not below the order of the curve or the sum is zero; the secret is zero then.
    /// </summary>
    /// <param name="secret">Exactly 32 bytes.</param>
    /// <param name="tweak">Exactly 32 bytes, big-endian.</param>
    public bool AddTweak(Span<byte> secret, ReadOnlySpan<byte> tweak)
    {
        MustHave(secret.Length, ScalarBytes);
        MustHave(tweak.Length, ScalarBytes);
        if (secp256k1_ec_seckey_tweak_add(Live, ref GetReference(secret), in GetReference(tweak)) == 1)
            return true;
        CryptographicOperations.ZeroMemory(secret);
        return false;
    }

    /// <summary>
    /// Signs a hash (ECDSA; the nonce of RFC 6979, the lower of the two s) and answers the recovery id, from 0 to 3. A signature is handed
    /// out only after the expected key was recovered from it: one made wrong by a fault of the machine could give the secret away. A
    /// <see cref="KeyFault"/> otherwise.
    /// </summary>
    /// <param name="hash">What is signed, exactly 32 bytes.</param>
    /// <param name="secret">Exactly 32 bytes.</param>
    /// <param name="key">The secret's compressed public key.</param>
    /// <param name="signature">Gets r and s, exactly 64 bytes.</param>
    public int Sign(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> key, Span<byte> signature)
    {
        MustHave(hash.Length, ScalarBytes);
        MustHave(secret.Length, ScalarBytes);
        MustHave(key.Length, CompressedBytes);
        MustHave(signature.Length, SignatureBytes);
        Span<byte> made = stackalloc byte[RecoverableBytes];
        Span<byte> compact = stackalloc byte[SignatureBytes];
        if (secp256k1_ecdsa_sign_recoverable(Live, ref GetReference(made), in GetReference(hash), in GetReference(secret), 0, 0) != 1)
            throw new KeyFault("That is not a secret key of the curve secp256k1.");
        var recoveryId = 0;
        var written = secp256k1_ecdsa_recoverable_signature_serialize_compact(
            Live, ref GetReference(compact), ref recoveryId, in GetReference(made)) == 1;
        if (!written || !key.SequenceEqual(PublicKeys.Recover(hash, compact, recoveryId)))
            throw new KeyFault("The signature is not that of the expected key; it was thrown away.");
        compact.CopyTo(signature);
        return recoveryId;
    }

    /// <summary>Gives the library's memory back. Nobody may be at work in another thread.</summary>
    public void Dispose()
    {
        if (_context != 0)
            secp256k1_context_destroy(_context);
        _context = 0;
    }

    private nint Live
    {
        get
        {
            ObjectDisposedException.ThrowIf(_context == 0, this);
            return _context;
        }
    }
}
