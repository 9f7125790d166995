using Coffer.Server.Payouts;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>The hot wallets of real chains, for whoever looks at them; nobody signs here.</summary>
internal static class HotWallets
{
    /// <summary>One for each of these chains that has one.</summary>
    public static IReadOnlyList<HotWallet> Of(IEnumerable<RealChain> chains, Db db) =>
    [
        .. from chain in chains
           where chain.Entry.Hot is not null
           let address = chain.Followed.Hot?.First.Address ?? chain.Entry.Hot!.Address!
           select new HotWallet(PayingChains.Of(chain, db, signer: null), chain.Entry, address, chain.Followed.Hot),
    ];
}
