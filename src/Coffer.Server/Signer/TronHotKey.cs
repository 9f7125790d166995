using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;

namespace Coffer.Server.Signer;

/// <summary>One key of Tron.</summary>
internal sealed class TronHotKey : HotKey
{
    private readonly SecretBytes secret;
    private readonly SecretKeys keys;
    private readonly byte[] key;

    public TronHotKey(SecretBytes secret, SecretKeys keys)
    {
        (this.secret, this.keys, key) = (secret, keys, keys.PublicKey(secret.Span));
        Address = TronAddress.OfKey(key);
    }

    public override string Address { get; }

    public override PayoutReading Read(byte[] unsigned) => TronTransfer.Read(unsigned);

    public override SignedPayout Sign(byte[] unsigned) => TronTransfer.Sign(unsigned, secret.Span, key, keys);

    public override void Dispose() => secret.Dispose();
}
