using Coffer.Chains;

namespace Coffer.Server.Chain;

/// <summary>Asks a node for a person who waits: for a while only, and a fault is an answer too.</summary>
internal static class NodeQuestion
{
    /// <summary>The answer, or why there is none.</summary>
    /// <param name="within">How long the node is waited for.</param>
    /// <param name="late">What is said when that has passed.</param>
    /// <param name="ask">What is asked.</param>
    /// <param name="ct">Gives up, and throws.</param>
    public static async Task<(T? Answer, string? Fault)> Ask<T>(
        TimeSpan within, string late, Func<CancellationToken, Task<T?>> ask, CancellationToken ct)
        where T : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(within);
        try
        {
            return (await ask(limit.Token), null);
        }
        catch (ChainFault fault)
        {
            return (null, fault.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (null, late);
        }
    }
}
