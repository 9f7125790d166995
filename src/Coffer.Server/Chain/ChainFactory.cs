using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Tron;

namespace Coffer.Server.Chain;

/// <summary>The one place that knows which kind of chain is which implementation.</summary>
internal static class ChainFactory
{
    /// <summary>Makes the chain of an entry. An <see cref="ArgumentException"/> for a token whose contract is no address there.</summary>
    public static IChain Make(ChainEntry entry, IReadOnlyList<string> tokens, Watch watch, TimeProvider time) => entry.Kind switch
    {
        ChainKind.Bitcoin => new BitcoinChain(entry.Id, new BitcoinOptions
        {
            Network = BitcoinNetwork.Of(entry.BitcoinNetwork)!,
            Nodes = entry.Nodes,
            HoldingsFrom = entry.Start ?? 0,
        }, watch, time),
        ChainKind.Evm => new EvmChain(EvmOptions.Of(entry, tokens), entry.Nodes, watch, time),
        ChainKind.Tron => new TronChain(TronOptions.Of(entry, tokens), entry.Nodes, watch, time),
        _ => throw new ArgumentOutOfRangeException(nameof(entry)),
    };
}
