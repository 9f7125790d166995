using Coffer.Chains;
using Coffer.Chains.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>
/// Looks up what became of payouts, and brings withdrawals and ledger in line. Called by <see cref="PayWithdrawals"/>.
///
/// Guarantees: a withdrawal is settled when one attempt is in a block that our own follower has, as deep as its currency asks, and taken
/// back when that block is no longer in the followed chain; it is given back only when its transaction moved nothing or can never be mined.
/// If the process dies here: every step looks at the chain anew and changes nothing the second time.
/// </summary>
internal sealed partial class WatchPayouts(Db db, FinishWithdrawal finish, TimeProvider time, ILogger log, Func<string, Task> reach)
{
    /// <summary>How far below the cursor a block that holds a finished payout is still looked at.</summary>
    public const int WatchedDepth = 1_000;

    /// <summary>Lookups at once.</summary>
    private const int LookupsAtOnce = 8;

    /// <summary>Finished payouts whose block the followed chain has lost are open again, and what they paid is on its way again.</summary>
    public async Task Reopen(PayingChain chain, CancellationToken ct)
    {
        foreach (var payout in await db.OrphanedPayouts(chain.Id, WatchedDepth, ct))
        {
            if (payout.State == PayoutState.Reverted)
            {
                // What it should have paid was given back, and may be spent. Nothing to undo; somebody has to know.
                RevertedReturns(log, chain.Id, payout.TxId!);
                await db.Transaction((tx, token) => tx.Close(payout, PayoutState.Dead, time.GetUtcNow(), token), ct, repeatable: true);
                continue;
            }

            Returned(log, chain.Id, payout.TxId!);
            await TakeBack(payout);
            await db.Transaction((tx, token) => tx.Reopen(payout, time.GetUtcNow(), token), ct, repeatable: true);
        }
    }

    /// <summary>
    /// Looks up every payout that somebody may have sent: those that were tried, and those whose time ran out before they were signed, which
    /// another may replace once they are proven dead. Answers those that no node knows.
    /// </summary>
    public async Task<IReadOnlyList<Payout>> Run(PayingChain chain, IReadOnlyList<Payout> payouts, CancellationToken ct)
    {
        if (payouts.Count == 0)
            return [];
        var tip = await chain.Chain.Tip(ct);
        var lost = new List<Payout>();
        foreach (var some in payouts.Chunk(LookupsAtOnce))
        {
            var fates = await Task.WhenAll(some.Select(payout => Fate(chain, payout, ct)));
            foreach (var (payout, fate) in some.Zip(fates))
            {
                if (!await Apply(chain, payout, fate, tip, ct))
                    lost.Add(payout);
            }
        }

        return lost;
    }

    private static Task<PayoutFate> Fate(PayingChain chain, Payout payout, CancellationToken ct) => chain.Payouts.Fate(
        chain.Payouts.Read((payout.LastSigned ?? payout.Last).Unsigned).Claim,
        [.. payout.Attempts.Select(attempt => attempt.TxId ?? chain.Payouts.TxIdOf(attempt.Unsigned)).OfType<string>()], ct);

    /// <summary>False when nobody knows it.</summary>
    private async Task<bool> Apply(PayingChain chain, Payout payout, PayoutFate fate, ChainTip tip, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        switch (fate.Kind)
        {
            case FateKind.Mined or FateKind.Reverted:
                await Mined(chain, payout, fate, tip, ct);
                return true;
            case FateKind.Waiting:
                await TakeBack(payout);
                await db.Transaction((tx, token) => tx.InMempool(payout, finish.Currencies, now, token), ct, repeatable: true);
                return true;
            case FateKind.Dead:
                await TakeBack(payout);
                await Dead(chain, payout, ct);
                return true;
            case FateKind.Unknown:
                await TakeBack(payout);
                if (payout.Height is not null)
                    await db.Transaction((tx, token) => tx.InMempool(payout, finish.Currencies, now, token), ct, repeatable: true);
                return false;
            default:
                throw new ArgumentOutOfRangeException(nameof(fate));
        }
    }

    private async Task Mined(PayingChain chain, Payout payout, PayoutFate fate, ChainTip tip, CancellationToken ct)
    {
        var confirmations = await db.ConfirmationsOf(chain.Id, fate.Height!.Value, fate.BlockHash!, ct);
        if (confirmations < 1)
            return; // Our follower does not have that block, or not yet.
        if (payout.BlockHash != fate.BlockHash || payout.TxId != fate.TxId)
            await db.Transaction((tx, token) => tx.InBlock(payout, fate, finish.Currencies, time.GetUtcNow(), token), ct, repeatable: true);
        await reach("mined and marked");
        if (!payout.Withdrawals.All(one => IsFinal(chain.AssetOf(one).Currency, fate.Height.Value, confirmations, tip)))
        {
            await TakeBack(payout);
            return;
        }

        await Task.WhenAll(payout.Withdrawals.Select((withdrawal, i) => fate.Kind == FateKind.Mined
            ? Settle(chain, withdrawal, Share(fate.Fee, payout.Withdrawals.Count, i), fate.Height.Value)
            : finish.Fail(withdrawal, "The transaction was mined and moved nothing: the chain refused it. Nothing was paid.")));
        await reach("settled");
        var state = fate.Kind == FateKind.Mined ? PayoutState.Mined : PayoutState.Reverted;
        await db.Transaction((tx, token) => tx.CloseMined(payout, state, fate.BlockHash!, time.GetUtcNow(), token), ct, repeatable: true);
        await reach("closed");
    }

    private Task<Withdrawal> Settle(PayingChain chain, Withdrawal withdrawal, Int128? paid, long height)
    {
        var fee = WithdrawalFees.AtSettlement(chain.AssetOf(withdrawal).Currency, withdrawal.NetworkFee, withdrawal.TransactionFee, paid);
        return finish.Settle(withdrawal, fee, paid, height);
    }

    /// <summary>Whoever settled it did not come to closing it before its block was lost: what is open is not settled.</summary>
    private async Task TakeBack(Payout payout)
    {
        foreach (var withdrawal in payout.Withdrawals.Where(one => one.State == WithdrawalState.Completed))
            await finish.Unsettle(withdrawal);
    }

    private async Task Dead(PayingChain chain, Payout payout, CancellationToken ct)
    {
        if (payout.ExpiresAt is not null)
        {
            // Its time is over, and the chain is past it: that is the proof that it may be paid by another.
            await db.Transaction((tx, token) => tx.PayAnew(payout, finish.Currencies, time.GetUtcNow(), token), ct, repeatable: true);
            return;
        }

        ForeignSpend(log, chain.Id, payout.Id);
        foreach (var withdrawal in payout.Withdrawals)
            await finish.Fail(withdrawal, "Another transaction of the hot wallet took its place in the chain. Nothing was paid.");
        await db.Transaction((tx, token) => tx.Close(payout, PayoutState.Dead, time.GetUtcNow(), token), ct, repeatable: true);
    }

    private static bool IsFinal(Currency currency, long height, long confirmations, ChainTip tip) =>
        currency.Finalized && tip.Finalized is { } final ? height <= final : confirmations >= currency.Confirmations;

    /// <summary>What one of several pays of a fee; together exactly all of it.</summary>
    private static Int128? Share(Int128? fee, int count, int place) => fee is not { } all ? null
        : (all / count) + (place < (int)(all % count) ? 1 : 0);

    [LoggerMessage(55, LogLevel.Warning, "The block of {Transaction} left {Chain}; what it paid is on its way again")]
    private static partial void Returned(ILogger log, string chain, string transaction);

    [LoggerMessage(56, LogLevel.Critical,
        "The block of {Transaction}, which had moved nothing, left {Chain} after what it should have paid was given back; look after it")]
    private static partial void RevertedReturns(ILogger log, string chain, string transaction);

    [LoggerMessage(57, LogLevel.Critical, "Somebody else uses the hot wallet of {Chain}: payout {Payout} can never be mined and was given back")]
    private static partial void ForeignSpend(ILogger log, string chain, Guid payout);
}
