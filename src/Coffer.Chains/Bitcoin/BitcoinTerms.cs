using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Bitcoin;

/// <summary>What a transaction on Bitcoin needs now.</summary>
/// <param name="FeeExpected">What it costs with one input and change, in satoshi.</param>
/// <param name="Rate">Satoshi for 1,000 virtual bytes.</param>
public sealed record BitcoinTerms(Int128 FeeExpected, long Rate) : PayoutTerms(FeeExpected)
{
    /// <summary>
    /// The terms at a rate. A <see cref="ChainFault"/> that is not retryable for payments that the network would never pass on: dust, or to
    /// what is no address of it; and for one to the hot wallet itself, which would be taken for change.
    /// </summary>
    internal static BitcoinTerms At(
        long rate, IReadOnlyList<PayoutOutput> outputs, BitcoinNetwork network, HotAddresses hot)
    {
        var scripts = new List<int>(outputs.Count);
        foreach (var (address, asset, amount) in outputs)
        {
            if (asset is not null)
                throw Never("Bitcoin has no tokens");
            if (BitcoinAddress.ToScript(address, network) is not { } script)
                throw Never($"{address} is no address of Bitcoin's {network.Word} network");
            if (hot.Find(address) is not null)
                throw Never($"{address} is an address of the hot wallet itself");
            if (amount < BitcoinSize.Dust(script))
                throw Never($"{amount} satoshi to {address} are less than the {BitcoinSize.Dust(script)} that nodes pass on");
            scripts.Add(script.Length);
        }

        var size = BitcoinSize.Without(scripts) + BitcoinSize.Input + BitcoinSize.Change;
        return new BitcoinTerms(BitcoinSize.Fee(size, rate), rate);
    }

    private static ChainFault Never(string why) => new($"{why}.", retryable: false);
}
