using Coffer.Server.Chain;
using Coffer.Server.Dashboard;
using Coffer.Server.Payouts;
using Coffer.Server.Proofs;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server;

/// <summary>What the operator's page is told by the rooms above it.</summary>
internal static class OperatorDesks
{
    public static OperatorDesk Of(Db db, AllowWithdrawals allow, RunProofs proofs, WatchHotWallets hot, RealChains chains) => new(
        ct => db.FrozenAll(ct), allow.FreezeAll, async ct => ProofLines.Of(await proofs.Last(ct)), proofs.Ask, () => [.. hot.Last.Select(Line)],
        id => chains.All.FirstOrDefault(chain => chain.Entry.Id == id)?.Chain.Nodes ?? []);

    private static HotWalletLine Line(HotStanding standing) => new(standing.Chain, standing.Address,
    [
        .. standing.Assets.Select(asset => new HotAssetLine(asset.Code, asset.Held is { } held ? asset.Text(held) : "", asset.Text(asset.Queued),
            asset.Text(asset.Leaving), asset.Text(asset.Fees), asset.Text(asset.Low), asset.Text(asset.Missing))),
    ],
    [
        .. standing.Alarms,
        .. standing.CannotTell is { } why ? [$"It cannot be told what it holds: {why}"] : Array.Empty<string>(),
        .. standing.Waits.Select(waits => $"{waits}."),
    ], standing.Alarms.Any());
}
