using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Server.Host;

namespace Coffer.Server.Chain;

/// <summary>The one place that knows which kind of chain is which implementation.</summary>
internal static class ChainFactory
{
    /// <summary>Makes the chain of an entry.</summary>
    /// <exception cref="SetupFailure">This build has no implementation of the kind.</exception>
    public static IChain Make(ChainEntry entry, IReadOnlyList<string> tokens, Watch watch, TimeProvider time) => entry.Kind switch
    {
        ChainKind.Bitcoin => new BitcoinChain(entry.Id, new BitcoinOptions
        {
            Network = BitcoinNetwork.Of(entry.BitcoinNetwork)!,
            Nodes = entry.Nodes,
            HoldingsFrom = entry.Start ?? 0,
        }, watch, time),
        _ => throw new SetupFailure($"{entry.Id}: this build of Coffer cannot follow {entry.Kind} chains."),
    };
}
