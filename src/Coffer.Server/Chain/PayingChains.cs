using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Evm;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Chain;

/// <summary>What it takes to pay on a real chain, put together from the operator's file.</summary>
internal static class PayingChains
{
    /// <summary>The pauses before bytes whose arrival is not proven are sent again begin with so many looks at the chain.</summary>
    private const int LooksBeforeSendingAgain = 2;

    /// <summary>The chain with its hot wallet; an <see cref="InvalidOperationException"/> when the file names none.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="db">Where the books of its coins are.</param>
    /// <param name="signer">Who signs; null when it is done by hand.</param>
    public static PayingChain Of(RealChain chain, Db db, AskSigner? signer)
    {
        var hot = HotOf(chain);
        return new PayingChain
        {
            Chain = chain.Chain,
            Payouts = PayoutsOf(chain, db),
            Signer = signer,
            Assets = chain.Followed.Assets.ToDictionary(asset => asset.Currency.Code),
            FeeMax = hot.FeeMax,
            InFlightMax = hot.InFlightMax,
            BatchMax = hot.BatchMax,
            BumpAfter = hot.BumpAfter,
            SendAgainAfter = chain.Entry.Poll * LooksBeforeSendingAgain,
        };
    }

    /// <summary>How its transactions are written.</summary>
    public static IPayouts PayoutsOf(RealChain chain, Db db) => chain.Entry.Kind switch
    {
        ChainKind.Evm => new EvmPayouts((EvmChain)chain.Chain, HotOf(chain).Address!),
        ChainKind.Bitcoin => new BitcoinPayouts(
            (BitcoinChain)chain.Chain, chain.Followed.Hot!, async ct => await db.UnspentHotCoins(chain.Chain.Id, ct)),
        ChainKind.Tron => new TronPayouts(
            (TronChain)chain.Chain, HotOf(chain).Address!, HotOf(chain).Signer is null ? TronPayouts.ColdLife : TronPayouts.Life),
        _ => throw new ArgumentOutOfRangeException(nameof(chain)),
    };

    private static HotEntry HotOf(RealChain chain) =>
        chain.Entry.Hot ?? throw new InvalidOperationException($"{chain.Entry.Id} has no hot wallet in the chains file.");
}
