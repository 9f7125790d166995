using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Chain;

/// <summary>
/// Brings what test accounts see in line with their simulated chains: sends their withdrawals, follows the chain, settles what is
/// confirmed. Called by the sandbox after everything it does, and by a worker that finds what a dead process has left undone.
///
/// If the process dies here: the chain is marked as followed last, so the worker of the next process does all of it again, and all of it
/// may be done again.
/// </summary>
internal sealed class FollowSimulatedChains(Db db, SimulatedChains chains, FollowChain follow, SendWithdrawals withdrawals)
{
    /// <summary>Accounts found in one run of the worker.</summary>
    public const int AccountsMax = 100;

    /// <summary>One run of the worker; true when there was something to do.</summary>
    public async Task<bool> Run(CancellationToken ct)
    {
        var accounts = await db.Unfollowed(AccountsMax, ct);
        foreach (var (account, shard) in accounts)
            await Follow(account, shard, ct);
        return accounts.Count > 0;
    }

    /// <summary>Everything that the chain says by now is in the ledger afterwards.</summary>
    public async Task Follow(AccountId account, short shard, CancellationToken ct)
    {
        var followed = chains.Followed(account);
        await withdrawals.Send(followed.Chain, account, shard, ct);
        var operations = await db.OperationCount(account, ct);
        await follow.CatchUp(followed, ct);
        await withdrawals.Settle(followed.Chain, account, shard, ct);
        await db.Transaction((tx, token) => tx.MarkFollowed(account, operations, token), ct, repeatable: true);
    }
}
