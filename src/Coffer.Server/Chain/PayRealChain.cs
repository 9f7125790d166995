using Coffer.Chains;
using Coffer.Server.Payouts;

namespace Coffer.Server.Chain;

/// <summary>
/// The worker that pays withdrawals on one real chain, in rounds. Called by one loop per chain; other processes may do the same for the
/// same chain. A node or a signer that does not answer ends the round and nothing else.
///
/// If the process dies here: see <see cref="PayWithdrawals"/>.
/// </summary>
internal sealed partial class PayRealChain(PayingChain chain, PayWithdrawals pay, ILogger log, CancellationToken stopping)
{
    private string? _lastMessage;

    /// <summary>One round.</summary>
    public async Task Run(CancellationToken ct)
    {
        if (stopping.IsCancellationRequested)
            return;
        try
        {
            await pay.Run(chain, stopping);
            _lastMessage = null;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next process goes on.
        }
        catch (ChainFault fault)
        {
            if (fault.Message != _lastMessage)
                Waits(log, chain.Id, fault.Message);
            _lastMessage = fault.Message;
        }
    }

    [LoggerMessage(21, LogLevel.Warning, "Withdrawals on {Chain} wait: {Message}")]
    private static partial void Waits(ILogger log, string chain, string message);
}
