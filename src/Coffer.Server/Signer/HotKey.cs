using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Server.Signer;

/// <summary>The key that pays on one chain: what bytes say, and their signature. Nothing is decided here. Zeroed at the end.</summary>
internal abstract class HotKey : IDisposable
{
    /// <summary>Where the hot wallet is funded.</summary>
    public abstract string Address { get; }

    /// <summary>Bitcoin: the account's extended public key; null elsewhere.</summary>
    public virtual string? Xpub => null;

    /// <summary>What a claim belongs to: the address, or the account's key.</summary>
    public string From => Xpub ?? Address;

    /// <summary>What unsigned bytes do. A <see cref="KeyFault"/> for anything that is not a payment.</summary>
    public abstract PayoutReading Read(byte[] unsigned);

    /// <summary>Signs; the signature was held against the public key.</summary>
    public abstract SignedPayout Sign(byte[] unsigned);

    public abstract void Dispose();
}

/// <summary>One key of an EVM chain.</summary>
internal sealed class EvmHotKey : HotKey
{
    private readonly SecretBytes secret;
    private readonly SecretKeys keys;
    private readonly byte[] key;

    public EvmHotKey(SecretBytes secret, SecretKeys keys)
    {
        (this.secret, this.keys, key) = (secret, keys, keys.PublicKey(secret.Span));
        Address = EvmAddress.OfKey(key);
    }

    public override string Address { get; }

    public override PayoutReading Read(byte[] unsigned) => EvmTransfer.Read(unsigned, Address);

    public override SignedPayout Sign(byte[] unsigned) => EvmTransfer.Sign(unsigned, secret.Span, key, keys);

    public override void Dispose() => secret.Dispose();
}
