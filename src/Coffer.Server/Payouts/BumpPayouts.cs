using Coffer.Chains;
using Coffer.Chains.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>
/// Offers a higher fee for payouts that are in no block for too long, and frees nonces that nothing uses. Called by
/// <see cref="PayWithdrawals"/>.
///
/// Guarantees: every further attempt carries the claim of the first, so of all of them one can be mined. A fee never goes above what the
/// operator allows. If the process dies here: the attempt is stored or it is not; it is signed and sent like any other.
/// </summary>
internal sealed class BumpPayouts(Db db, TimeProvider time)
{
    /// <summary>Payouts looked at in one round, the oldest first: those behind them cannot be mined before.</summary>
    public const int BumpsMax = 16;

    /// <summary>The most transactions of one payout.</summary>
    public const int AttemptsMax = 50;

    /// <summary>One round over open payouts, in their order.</summary>
    public async Task Run(PayingChain chain, IReadOnlyList<Payout> payouts, CancellationToken ct)
    {
        foreach (var payout in payouts.Where(one => one.Attempts.Count == 0))
            await Free(chain, payout, ct);
        var now = time.GetUtcNow();
        var stuck = payouts.Where(payout => payout.Attempts.Count is > 0 and < AttemptsMax && payout.Height is null
            && payout.Last.Signed is not null && now - payout.Last.PlannedAt >= chain.BumpAfter
            && !payout.Withdrawals.Any(one => one.WaitsFor == WaitingFor.Fee && now - one.UpdatedAt < PlanPayouts.AskAgainAfter));
        foreach (var payout in stuck.Take(BumpsMax))
            await Bump(chain, payout, ct);
    }

    private async Task Bump(PayingChain chain, Payout payout, CancellationToken ct)
    {
        PayoutOutput[] outputs = [.. payout.Withdrawals.Select(chain.OutputOf)];
        PayoutTerms terms;
        try
        {
            terms = await chain.Payouts.Terms(outputs, ct);
        }
        catch (ChainFault fault) when (!fault.Retryable)
        {
            // It would fail now; whether it does, its fate will say.
            return;
        }

        var last = payout.Last;
        var now = time.GetUtcNow();
        var bumped = chain.Payouts.Bump(new PayoutPlan(last.Unsigned, chain.Payouts.Read(last.Unsigned)), terms,
            new PayoutFunds(payout.Nonce, [], null, chain.FeeMax, now));
        await db.Transaction(async (tx, token) =>
        {
            if (bumped.Plan is { } plan)
                await tx.AddAttempt(payout, last.Number + 1, plan, now, token);
            else if (bumped.WhyNot is not null)
                await tx.Wait(payout.Withdrawals, WaitingFor.Fee, now, token);
        }, ct, repeatable: true);
    }

    /// <summary>A plan was undone when later nonces were in use already: its own is used up by sending nothing to ourselves.</summary>
    private async Task Free(PayingChain chain, Payout payout, CancellationToken ct)
    {
        var terms = await chain.Payouts.Terms([], ct);
        var now = time.GetUtcNow();
        if (chain.Payouts.Plan([], terms, new PayoutFunds(payout.Nonce, [], null, chain.FeeMax, now)).Plan is { } plan)
            await db.Transaction((tx, token) => tx.AddAttempt(payout, 1, plan, now, token), ct, repeatable: true);
    }
}
