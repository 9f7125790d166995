using System.Globalization;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Server.Signer;

/// <summary>The account of a Bitcoin hot wallet. Coins and change have to be of its addresses, or the bytes are not read as a payment.</summary>
internal sealed class BitcoinHotKey : HotKey
{
    private readonly ExtendedPrivateKey account;
    private readonly BitcoinNetwork network;
    private readonly SecretKeys keys;
    private readonly HotAddresses hot;

    public BitcoinHotKey(ExtendedPrivateKey account, BitcoinNetwork network, SecretKeys keys)
    {
        (this.account, this.network, this.keys) = (account, network, keys);
        var word = network == BitcoinNetwork.Main ? "zpub" : "vpub";
        Xpub = account.Public(ExtendedKeyPrefix.All.Single(prefix => prefix.Word == word)).ToString();
        hot = new HotAddresses(Xpub, network);
    }

    public override string Address => hot.First.Address;

    public override string Xpub { get; }

    public override PayoutReading Read(byte[] unsigned) => BitcoinTransfer.Read(unsigned, hot, network);

    public override SignedPayout Sign(byte[] unsigned) => BitcoinTransfer.Sign(unsigned, hot, (path, hash, signature) =>
    {
        uint[] steps = [.. path.Split('/').Select(step => uint.Parse(step, NumberStyles.None, CultureInfo.InvariantCulture))];
        using var key = account.Descendant(steps);
        keys.Sign(hash, key.Secret, key.Key, signature);
    });

    public override void Dispose() => account.Dispose();
}
