using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Bitcoin;

/// <summary>Signs a hash with the key at a path below the account's, e.g. <c>1/7</c>; writes r and s, 64 bytes.</summary>
public delegate void SignWith(string path, ReadOnlySpan<byte> hash, Span<byte> signature);

/// <summary>The transaction that pays from a Bitcoin hot wallet, as a PSBT and as signed bytes.</summary>
public static class BitcoinTransfer
{
    /// <summary>What an unsigned transaction does. A <see cref="KeyFault"/> for anything but what is made here.</summary>
    /// <param name="psbt">The bytes of the PSBT.</param>
    /// <param name="hot">The hot wallet: coins and change must be of its addresses, at their paths.</param>
    /// <param name="network">The spelling of addresses.</param>
    public static PayoutReading Read(ReadOnlyMemory<byte> psbt, HotAddresses hot, BitcoinNetwork network)
    {
        var payment = Psbt.Read(psbt, hot.Fingerprint);
        var coins = payment.Inputs.Select(input =>
            new HotCoin(input.Coin.Transaction.ToString(), (int)input.Coin.Index, Own(input.Key, input.Path), input.Path, input.Value)).ToList();
        var (id, outputs, change) = (payment.Id().ToString(), new List<PayoutOutput>(), new List<HotCoin>());
        for (var i = 0; i < payment.Outputs.Count; i++)
        {
            var (value, script, own) = payment.Outputs[i];
            if (own is ({ } key, { } path))
                change.Add(new HotCoin(id, i, Own(key, path), path, value));
            else
                outputs.Add(new PayoutOutput(BitcoinAddress.OfScript(script, network)
                    ?? throw BitcoinPayment.Fault("pays a script without an address"), null, value));
        }

        return new PayoutReading(null, outputs, change, payment.Fee, new PayoutClaim(null, coins, null), null);

        string Own(ReadOnlySpan<byte> key, string path) =>
            BitcoinAddress.OfScript(BitcoinAddress.KeyScript(key), network) is { } address && hot.Find(address)?.Path == path
                ? address : throw BitcoinPayment.Fault($"says that a key is the wallet's at {path}, and it is not");
    }

    /// <summary>Signs every input.</summary>
    /// <param name="psbt">What <see cref="Read"/> took.</param>
    /// <param name="hot">The hot wallet.</param>
    /// <param name="sign">Has the secret keys.</param>
    public static SignedPayout Sign(ReadOnlyMemory<byte> psbt, HotAddresses hot, SignWith sign)
    {
        var payment = Psbt.Read(psbt, hot.Fingerprint);
        var signatures = payment.Inputs.Select((input, i) =>
        {
            var signature = new byte[Secp256k1.SignatureBytes];
            sign(input.Path, payment.SigningHash(i), signature);
            return signature;
        });
        return new SignedPayout(payment.Id().ToString(), payment.Signed([.. signatures]));
    }

    /// <summary>
    /// Holds a signed transaction against the unsigned one. A <see cref="KeyFault"/> when they are not the same, or it is badly signed.
    /// </summary>
    /// <param name="psbt">What <see cref="Read"/> took.</param>
    /// <param name="signed">The bytes that are broadcast, or a PSBT with final witnesses or partial signatures, as wallets hand it back.</param>
    /// <param name="hot">The hot wallet.</param>
    public static SignedPayout Accept(ReadOnlyMemory<byte> psbt, ReadOnlyMemory<byte> signed, HotAddresses hot)
    {
        var payment = Psbt.Read(psbt, hot.Fingerprint);
        if (signed.Span.StartsWith(PsbtMaps.Magic))
            signed = payment.Signed(Psbt.Signatures(signed, payment));
        payment.MustBeSignedIn(signed.Span);
        return new SignedPayout(payment.Id().ToString(), signed.ToArray());
    }
}
