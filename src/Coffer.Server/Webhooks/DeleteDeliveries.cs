using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>
/// Deletes what became of deliveries long ago, a bounded piece at a time. The events stay. Run again and again by a worker, on any number of
/// servers; if the process dies here, the next run goes on.
/// </summary>
internal sealed class DeleteDeliveries(Db db, TimeProvider time)
{
    /// <summary>How long a delivery and its attempts are shown after it has ended. Longer than any schedule and any receiver's holidays.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(90);

    /// <summary>How many are deleted of one endpoint, and in all, in one transaction; and in how many transactions of one run.</summary>
    public const int OfEndpoint = 100, AtOnce = 1_000, PiecesMax = 100;

    public async Task Run(CancellationToken ct)
    {
        var before = time.GetUtcNow() - KeptFor;
        for (var piece = 0; piece < PiecesMax; piece++)
        {
            if (await db.Transaction((tx, token) => tx.DeleteFinished(before, OfEndpoint, AtOnce, token), ct) == 0)
                return;
        }
    }
}
