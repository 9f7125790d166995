using Coffer.Server.Host;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>
/// Pays the withdrawals of one chain. Called in rounds by that chain's worker, and around the follower of a simulated chain; any number of
/// processes may pay on the same chain at once.
///
/// A round: what was sent is looked up; finished payouts whose block is gone are opened again; what no node knows is sent again, the same
/// bytes; what is stuck is offered for more; new withdrawals are planned, signed and sent. Every step is committed before the next one
/// leaves the process: plan and claim, signed bytes with their id, that they are about to be sent, that a node has them.
///
/// Guarantees: each withdrawal is paid at most once, because it is in one live payout, all transactions of a payout exclude each other on
/// the chain, and nothing returns to payable without proof. Each is paid in the end, as soon as funds, nodes and signer allow.
///
/// If the process dies here: between any two steps the next round finds where it stood, and each step done twice changes nothing.
/// </summary>
internal sealed class PayWithdrawals
{
    /// <summary>Every point at which the work can be stopped.</summary>
    public static readonly IReadOnlyList<string> Points =
    [
        "planned", "signer answered", "signed", "about to send", "sent", "sent and marked", "mined and marked", "settled", "closed",
    ];

    private readonly Db _db;
    private readonly TimeProvider _time;
    private readonly PlanPayouts _plan;
    private readonly SignPayouts _sign;
    private readonly SendPayouts _send;
    private readonly WatchPayouts _watch;
    private readonly BumpPayouts _bump;
    private readonly Func<string, Task> _reach;

    /// <param name="db">The database.</param>
    /// <param name="finish">Tells the ledger how they end.</param>
    /// <param name="ids">Names payouts.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told what an operator must know.</param>
    /// <param name="at">Called at each named point, so that a test can stop the work there; null in the product.</param>
    public PayWithdrawals(Db db, FinishWithdrawal finish, Ids ids, TimeProvider time, ILogger log, Func<string, Task>? at = null)
    {
        (_db, _time, _reach) = (db, time, at ?? (_ => Task.CompletedTask));
        _plan = new PlanPayouts(db, ids, time, finish, log);
        _sign = new SignPayouts(db, finish.Currencies, time, log, _reach);
        _send = new SendPayouts(db, finish, time, log, _reach);
        _watch = new WatchPayouts(db, finish, time, log, _reach);
        _bump = new BumpPayouts(db, time);
    }

    /// <summary>One round. A fault of the chain or the signer ends it; what was done stays done.</summary>
    public async Task Run(PayingChain chain, CancellationToken ct)
    {
        await Watch(chain, ct);
        await Pay(chain, ct);
    }

    /// <summary>Brings in line what was sent before, and sends again what no node knows.</summary>
    public async Task Watch(PayingChain chain, CancellationToken ct)
    {
        await _watch.Reopen(chain, ct);
        var now = _time.GetUtcNow();
        var watched = (await _db.OpenPayouts(chain.Id, ct)).Where(payout => payout.WasTried || payout.ExpiresAt < now).ToList();
        var lost = (await _watch.Run(chain, watched, ct)).Where(payout => payout.WasTried);
        now = _time.GetUtcNow();
        await _send.Run(chain, [.. lost.Where(payout => SendPayouts.IsDue(payout.LastSigned!, chain.SendAgainAfter, now))], ct);
        await _bump.Run(chain, await _db.OpenPayouts(chain.Id, ct), ct);
    }

    /// <summary>Plans, signs and sends what may be paid.</summary>
    public async Task Pay(PayingChain chain, CancellationToken ct)
    {
        bool planned;
        do
        {
            planned = await _plan.Run(chain, ct);
            await _reach("planned");
            var all = await _sign.Run(chain, ct);
            await _send.Run(chain, await _db.UntriedPayouts(chain.Id, ct), ct);
            if (!all)
                return;
        }
        while (planned);
    }
}
