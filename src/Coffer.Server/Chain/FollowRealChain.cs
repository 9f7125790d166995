using Coffer.Chains;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>
/// The worker of one real chain: looks at its tip again and again and brings the ledger in line. Called by one loop per chain; other
/// processes may do the same for the same chain.
///
/// A node that is away, lags, lies or limits its rate costs time, never a deposit: the cursor stays, the pauses get longer up to a bound,
/// and readiness says what is waited for. Everything else goes on being served.
///
/// If the process dies here: the next one goes on at the cursor.
/// </summary>
internal sealed partial class FollowRealChain(
    RealChain chain, FollowChain follow, LookIntoMempool mempool, TimeProvider time, ILogger log, CancellationToken stopping)
{
    /// <summary>The longest pause after a failure.</summary>
    public static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);

    private DateTimeOffset _notBefore = DateTimeOffset.MinValue;
    private TimeSpan _pause;
    private string? _lastMessage;

    /// <summary>One look at the chain, unless it is too early after a failure.</summary>
    public async Task Run(CancellationToken ct)
    {
        if (stopping.IsCancellationRequested || time.GetUtcNow() < _notBefore)
            return;
        try
        {
            await follow.CatchUp(chain.Followed, stopping, chain.Progress);
            await mempool.Run(chain.Followed, stopping);
            (_pause, _lastMessage) = (TimeSpan.Zero, null);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next process goes on.
        }
        catch (ChainFault fault)
        {
            Wait(fault.Message);
            if (fault.Message != _lastMessage)
                Waits(log, chain.Entry.Id, fault.Message);
            _lastMessage = fault.Message;
        }
        catch (Exception fault)
        {
            Wait(SqlFaults.IsConnectionLoss(fault) ? "The database does not answer." : "An unexpected error; the server's log has it.");
            throw;
        }
    }

    private void Wait(string message)
    {
        _pause = _pause == TimeSpan.Zero ? chain.Entry.Poll : _pause * 2;
        if (_pause > PauseMax)
            _pause = PauseMax;
        _notBefore = time.GetUtcNow() + _pause;
        chain.Progress.Waits(message);
    }

    [LoggerMessage(20, LogLevel.Warning, "The chain {Chain} waits: {Message}")]
    private static partial void Waits(ILogger log, string chain, string message);
}
