using Coffer.Chains;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>
/// Hands signed transactions to the chain, the first time and, the same bytes, every further time. Called by <see cref="PayWithdrawals"/>.
///
/// Guarantees: that it is about to be tried is committed before the bytes leave, so whatever comes after counts as possibly paid: a fault,
/// a time limit or a crash leaves the withdrawal unknown, never payable again. Only the chain's word that it will never take these bytes
/// is a failure.
/// If the process dies here: the attempt was tried, and is looked up and sent again.
/// </summary>
internal sealed partial class SendPayouts(Db db, FinishWithdrawal finish, TimeProvider time, ILogger log, Func<string, Task> reach)
{
    /// <summary>The longest pause before the same bytes are sent again.</summary>
    public static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(5);

    private const int DoublingsMax = 16;

    /// <summary>Whether it is time to send an attempt, again or for the first time.</summary>
    public static bool IsDue(Attempt attempt, TimeSpan first, DateTimeOffset now)
    {
        if (attempt.TriedAt is not { } tried)
            return true;
        var pause = first * Math.Pow(2, Math.Min(attempt.Tries - 1, DoublingsMax));
        // A clock that was set back must not stop it for as long as it was set back.
        return now - tried >= (pause < PauseMax ? pause : PauseMax) || tried > now;
    }

    /// <summary>Sends the latest signed attempts of these payouts, in their order.</summary>
    public async Task Run(PayingChain chain, IReadOnlyList<Payout> payouts, CancellationToken ct)
    {
        if (payouts.Count == 0)
            return;
        await db.Transaction((tx, token) => tx.MarkTried(payouts, time.GetUtcNow(), token), ct, repeatable: true);
        await reach("about to send");
        List<Payout> sent = [], doubtful = [];
        try
        {
            foreach (var payout in payouts)
                (await Send(chain, payout, ct) switch { true => sent, false => doubtful, null => [] }).Add(payout);
        }
        finally
        {
            await reach("sent");
            await Mark(sent, doubtful);
        }

        await reach("sent and marked");
    }

    private async Task Mark(List<Payout> sent, List<Payout> doubtful)
    {
        var now = time.GetUtcNow();
        if (sent.Count > 0)
            await db.Transaction((tx, token) => tx.MarkSent(sent, finish.Currencies, now, token), CancellationToken.None, repeatable: true);
        if (doubtful.Count > 0)
            await db.Transaction((tx, token) => tx.Doubt(doubtful, finish.Currencies, now, token), CancellationToken.None, repeatable: true);
    }

    /// <summary>True: a node has it. False: nobody knows. Null: it is proven that it never will be, and everything is given back.</summary>
    private async Task<bool?> Send(PayingChain chain, Payout payout, CancellationToken ct)
    {
        var attempt = payout.LastSigned!;
        try
        {
            await chain.Chain.Broadcast(attempt.Signed, ct);
            return true;
        }
        catch (ChainFault fault) when (!fault.Retryable && payout.Attempts.Count(one => one.Signed is not null) == 1)
        {
            NeverTaken(log, chain.Id, attempt.TxId!, fault.Message);
            foreach (var withdrawal in payout.Withdrawals)
                await finish.Fail(withdrawal, fault.Message);
            await db.Transaction((tx, token) => tx.Close(payout, PayoutState.Dead, time.GetUtcNow(), token), ct, repeatable: true);
            return null;
        }
        catch (ChainFault fault)
        {
            NotProven(log, chain.Id, attempt.TxId!, fault.Message);
            return false;
        }
    }

    [LoggerMessage(53, LogLevel.Warning, "Whether {Chain} has {Transaction} is not known; the same bytes are sent again: {Why}")]
    private static partial void NotProven(ILogger log, string chain, string transaction, string why);

    [LoggerMessage(54, LogLevel.Error, "{Chain} will never take {Transaction}; what it should have paid is given back: {Why}")]
    private static partial void NeverTaken(ILogger log, string chain, string transaction, string why);
}
