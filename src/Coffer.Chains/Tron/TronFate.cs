using Coffer.Chains.Evm;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Tron;

/// <summary>
/// What became of a transaction. Mined means final: only final blocks are looked at. Its expiration, and nothing else, proves that it is
/// dead; see <see cref="TronExpiry"/>.
/// </summary>
internal static class TronFate
{
    /// <summary>The newest block of a moment may be another one in the end, with a slightly earlier time.</summary>
    private static readonly TimeSpan _margin = TimeSpan.FromMinutes(1);

    public static async Task<PayoutFate> Of(TronNode node, EvmSpelling spelling, PayoutClaim claim,
        IReadOnlyList<string> txIds, CancellationToken ct)
    {
        string? waiting = null;
        foreach (var txId in txIds.Reverse())
        {
            var (status, json, _) = await TronTransaction.Status(node, txId, ct);
            if (status is { State: TransactionState.Included or TransactionState.Failed, Height: { } height, BlockHash: { } hash })
            {
                var info = await node.Ask("walletsolidity/gettransactioninfobyid", new { value = txId }, ct);
                var moved = status.State == TransactionState.Included && await Moved(node, spelling, txId, TronNode.Contract(json!.Value).Type, ct);
                return new PayoutFate(moved ? FateKind.Mined : FateKind.Reverted, txId, height, hash, (Int128)TronNode.Amount(info, "fee"));
            }

            if (status.State == TransactionState.Mempool)
                waiting ??= txId;
        }

        // What still waits at one node after this is in no final block that could have taken it.
        if (txIds.Count > 0 && await TronExpiry.IsProven(node, txIds, claim.ExpiresAt!.Value, claim.BornAt!.Value - _margin, ct))
            return new PayoutFate(FateKind.Dead);
        return waiting is null ? new PayoutFate(FateKind.Unknown) : new PayoutFate(FateKind.Waiting, waiting);
    }

    /// <summary>A token may say no without failing; then it tells of no transfer.</summary>
    private static async Task<bool> Moved(TronNode node, EvmSpelling spelling, string txId, string type, CancellationToken ct) =>
        type != "TriggerSmartContract"
        || (await TronTransaction.Read(node, spelling, txId, ct))!.Transfers.Any(transfer => transfer.Kind == TransferKind.Token);
}
