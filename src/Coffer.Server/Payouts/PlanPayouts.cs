using Coffer.Chains;
using Coffer.Chains.Payouts;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>
/// Takes withdrawals that may be paid, and stores for each transaction its unsigned bytes together with what it uses up. Called by
/// <see cref="PayWithdrawals"/>.
///
/// Guarantees: the withdrawal leaves pending or approved in the commit that stores the plan, so it is in one live payout at most and can no
/// longer be taken back; nonces are given out without a gap, in that same commit. What cannot be paid now says why and stays where it was.
/// If the process dies here: nothing has left, the plan is stored or it is not.
/// </summary>
internal sealed partial class PlanPayouts(Db db, Ids ids, TimeProvider time, FinishWithdrawal finish, ILogger log)
{
    /// <summary>Withdrawals looked at in one round.</summary>
    public const int TakenMax = 500;

    /// <summary>What the signer has refused is shown to it again after this.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromMinutes(1);

    /// <summary>One round; true when something was planned.</summary>
    public async Task<bool> Run(PayingChain chain, CancellationToken ct)
    {
        var room = chain.InFlightMax - await db.CountOpenPayouts(chain.Id, ct);
        if (room <= 0)
            return false;
        var most = Math.Min(TakenMax, room * chain.BatchMax);
        var taken = await Thawed(await Proven(await db.PayableWithdrawals(chain.Id, time.GetUtcNow() - AskAgainAfter, most, ct), ct), ct);
        if (taken.Count == 0)
            return false;
        await OpenWallet(chain, ct);
        var funds = await HotFunds.Of(db, chain, ct);
        var planned = false;
        foreach (var group in Groups(chain, taken).Take(room))
            planned |= await Plan(chain, group, funds, ct);
        return planned;
    }

    /// <summary>What one transaction could pay: as many as it has outputs; what the signer has refused goes alone.</summary>
    private static IEnumerable<Withdrawal[]> Groups(PayingChain chain, IReadOnlyList<Withdrawal> taken)
    {
        var most = Math.Min(chain.BatchMax, chain.Payouts.OutputsMax);
        var alone = taken.Where(withdrawal => withdrawal.WaitsFor == WaitingFor.Signer).Select(withdrawal => new[] { withdrawal });
        return taken.Where(withdrawal => withdrawal.WaitsFor != WaitingFor.Signer).Chunk(most).Concat(alone);
    }

    private async Task<bool> Plan(PayingChain chain, Withdrawal[] group, HotFunds funds, CancellationToken ct)
    {
        var outputs = group.Select(chain.OutputOf).ToArray();
        PayoutTerms terms;
        try
        {
            terms = await chain.Payouts.Terms(outputs, ct);
        }
        catch (ChainFault fault) when (!fault.Retryable && group.Length == 1)
        {
            // The chain says that it would fail whatever is paid: nothing was planned, so it can be given back at once.
            await finish.Fail(group[0], fault.Message);
            return false;
        }
        catch (ChainFault fault) when (!fault.Retryable)
        {
            return await Halves(chain, group, funds, ct);
        }

        var lacks = funds.Lacks(outputs, terms.FeeExpected);
        if (lacks is null)
        {
            lacks = await Store(chain, group, outputs, terms, funds, ct);
            if (lacks is null)
                return true;
        }

        // One large withdrawal must not hold up the small ones beside it.
        if (group.Length > 1)
            return await Halves(chain, group, funds, ct);
        await db.Transaction((tx, token) => tx.Wait(group[0], WaitingWord(lacks.Value), time.GetUtcNow(), token), ct, repeatable: true);
        return false;
    }

    private async Task<bool> Halves(PayingChain chain, Withdrawal[] group, HotFunds funds, CancellationToken ct)
    {
        var half = group.Length / 2;
        var first = await Plan(chain, group[..half], funds, ct);
        return await Plan(chain, group[half..], funds, ct) || first;
    }

    /// <summary>Stores the plan. Null when that is done, or when somebody else was faster; else what is lacking.</summary>
    private async Task<NoPlan?> Store(PayingChain chain, Withdrawal[] group, PayoutOutput[] outputs, PayoutTerms terms, HotFunds funds,
        CancellationToken ct)
    {
        var id = ids.New();
        Planned planned;
        try
        {
            planned = await db.Transaction((tx, token) => Store(tx, id, chain, group, outputs, terms, funds, token), ct, repeatable: true);
        }
        catch (TakenByOthers)
        {
            return null;
        }

        if (planned.Plan is { } plan)
            funds.Spend(outputs, plan.Reading);
        return planned.WhyNot;
    }

    private async Task<Planned> Store(Tx tx, Guid id, PayingChain chain, Withdrawal[] group, PayoutOutput[] outputs, PayoutTerms terms,
        HotFunds funds, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var number = await tx.LockHotWallet(chain.Id, ct);
        var planned = chain.Payouts.Plan(outputs, terms,
            new PayoutFunds(number, funds.Coins, chain.Payouts.Change(number), chain.FeeMax, now));
        if (planned.Plan is not { } plan)
            return planned;
        // Frozen, taken back, or taken by another process in the meantime.
        if ((await tx.LockFrozen(Owners(group), ct)).Count > 0)
            throw new TakenByOthers();
        if (await tx.Process(group, finish.Currencies, now, ct) != group.Length || !await tx.LockHotCoins(chain.Id, id, plan.Reading.Claim.Coins, ct))
            throw new TakenByOthers();
        await tx.Store(new NewPayout(id, chain.Id, plan, group, now), ct);
        await tx.SetNumber(chain.Id, number + 1, ct);
        return planned;
    }

    /// <summary>
    /// Those whose rows say what the ledger was asked for. The others were changed by somebody who had no business there, and wait for a human.
    /// </summary>
    private async Task<IReadOnlyList<Withdrawal>> Proven(IReadOnlyList<(Withdrawal Row, bool Proven)> taken, CancellationToken ct)
    {
        foreach (var (row, proven) in taken)
        {
            if (proven)
                continue;
            Contradicts(log, row.Id);
            await db.Transaction((tx, token) => tx.Wait(row, WaitingFor.Ledger, time.GetUtcNow(), token), ct, repeatable: true);
        }

        return [.. taken.Where(one => one.Proven).Select(one => one.Row)];
    }

    /// <summary>Those of accounts that may withdraw; the others say that they wait.</summary>
    private async Task<IReadOnlyList<Withdrawal>> Thawed(IReadOnlyList<Withdrawal> taken, CancellationToken ct)
    {
        if (taken.Count == 0)
            return taken;
        return await db.Transaction(async (tx, token) =>
        {
            var frozen = await tx.LockFrozen(Owners(taken), token);
            if (frozen.Count == 0)
                return taken;
            await tx.Wait([.. taken.Where(row => frozen.Contains(row.Account))], WaitingFor.Frozen, time.GetUtcNow(), token);
            return [.. taken.Where(row => !frozen.Contains(row.Account))];
        }, ct, repeatable: true);
    }

    private static HashSet<(short Shard, AccountId Account)> Owners(IReadOnlyList<Withdrawal> rows) =>
        [.. rows.Select(row => (row.Shard, row.Account))];

    /// <summary>What the chain says of the wallet's own count, which somebody with the same key may have moved.</summary>
    private async Task OpenWallet(PayingChain chain, CancellationToken ct)
    {
        var counts = await chain.Payouts.Nonces(ct);
        await db.Transaction(async (tx, token) =>
        {
            await tx.AddHotWallet(chain.Id, token);
            var number = await tx.LockHotWallet(chain.Id, token);
            if (counts is { } said && Math.Max(said.Latest, said.Waiting) is var used && used > number)
                await tx.SkipNumbers(chain.Id, number, used, token);
        }, ct, repeatable: true);
    }

    private static string WaitingWord(NoPlan why) => why switch
    {
        NoPlan.TooLittle => WaitingFor.Funds,
        NoPlan.TooLittleForFee => WaitingFor.Gas,
        NoPlan.FeeAboveMax => WaitingFor.Fee,
        _ => throw new ArgumentOutOfRangeException(nameof(why)),
    };

    [LoggerMessage(50, LogLevel.Critical, "The row of withdrawal {Withdrawal} does not say what the ledger was asked for; it is not paid")]
    private static partial void Contradicts(ILogger log, MovementId withdrawal);

    /// <summary>Rolls the transaction back: the next round looks anew.</summary>
    private sealed class TakenByOthers : Exception;
}
