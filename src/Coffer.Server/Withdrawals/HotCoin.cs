using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Payouts;

namespace Coffer.Server.Withdrawals;

/// <summary>A coin of the hot wallet in the block that made it.</summary>
internal sealed record FoundCoin(HotCoin Coin, long Height, string BlockHash)
{
    /// <summary>The coins that blocks make for a hot wallet, each once, whatever a node says.</summary>
    public static List<FoundCoin> In(HotAddresses? hot, IReadOnlyList<ChainBlock> blocks)
    {
        var found = new List<FoundCoin>();
        if (hot is null)
            return found;
        var known = new HashSet<(string, int)>();
        foreach (var block in blocks)
            foreach (var transfer in block.Transfers)
                if (hot.Find(transfer.Address) is { } address && transfer.Asset is null && transfer.Amount.Sign > 0
                    && known.Add((transfer.TxId, transfer.Ordinal)))
                    found.Add(new FoundCoin(new HotCoin(transfer.TxId, transfer.Ordinal, address.Address, address.Path, (Int128)transfer.Amount),
                        block.Height, block.Hash));
        return found;
    }
}
