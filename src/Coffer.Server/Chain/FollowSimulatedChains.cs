using Coffer.Server.Payouts;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>
/// Brings what test accounts see in line with their simulated chains: sends their withdrawals, follows the chain, settles what is
/// confirmed. Called by the sandbox after everything it does, and by a worker that finds what a dead process has left undone.
///
/// If the process dies here: the chain is marked as followed last, so the worker of the next process does all of it again, and all of it
/// may be done again.
/// </summary>
internal sealed class FollowSimulatedChains(Db db, SimulatedChains chains, FollowChain follow, LookIntoMempool mempool, PayWithdrawals pay)
{
    /// <summary>Accounts found in one run of the worker.</summary>
    public const int AccountsMax = 100;

    /// <summary>How often the worker looks. The sandbox does not wait for it; it is there for what was left undone.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>One run of the worker; true when there was something to do. One account's trouble does not hold up the others.</summary>
    public async Task<bool> Run(CancellationToken ct)
    {
        var accounts = await db.Unfollowed(AccountsMax, ct);
        var faults = new List<Exception>();
        foreach (var (account, shard) in accounts)
        {
            try
            {
                await Follow(account, shard, ct);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                faults.Add(fault);
            }
        }

        return faults.Count == 0 ? accounts.Count > 0 : throw new AggregateException(faults);
    }

    /// <summary>What was accepted waits for a block afterwards.</summary>
    public Task Send(AccountId account, short shard, CancellationToken ct) => pay.Pay(chains.Paying(account), ct);

    /// <summary>Everything that the chain says by now is in the ledger afterwards.</summary>
    public async Task Follow(AccountId account, short shard, CancellationToken ct)
    {
        var followed = chains.Followed(account);
        var paying = chains.Paying(account);
        await pay.Pay(paying, ct);
        var operations = await db.OperationCount(account, ct);
        await follow.CatchUp(followed, ct);
        await mempool.Run(followed, ct);
        await pay.Watch(paying, ct);
        await db.Transaction((tx, token) => tx.MarkFollowed(account, operations, token), ct, repeatable: true);
    }
}
