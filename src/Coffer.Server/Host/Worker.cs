namespace Coffer.Server.Host;

/// <summary>
/// Runs a piece of work again and again, one run at a time, with a pause between, a longer one after failures; once more at the end. The work
/// finds what there is to do by itself, so a run that fails is logged and the next one makes up for it.
/// </summary>
internal sealed partial class Worker : IAsyncDisposable
{
    /// <summary>The pause of work that only clears away what is no longer needed.</summary>
    public static readonly TimeSpan Housekeeping = TimeSpan.FromMinutes(10);

    /// <summary>The longest pause after a failure, of work whose usual pause is shorter: what is away is asked again, and logged, less often.</summary>
    public static readonly TimeSpan FailurePauseMax = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _ending = new();
    private readonly Task _loop;

    public Worker(string name, TimeSpan pause, Func<CancellationToken, Task> work, TimeProvider time, ILogger log) =>
        _loop = Task.Run(() => Loop(name, pause, work, time, log));

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _loop;
        _ending.Dispose();
    }

    private async Task Loop(string name, TimeSpan pause, Func<CancellationToken, Task> work, TimeProvider time, ILogger log)
    {
        var next = pause;
        while (true)
        {
            var last = _ending.IsCancellationRequested;
            try
            {
                await work(CancellationToken.None);
                next = pause;
            }
            catch (Exception fault)
            {
                Failed(log, fault, name);
                next = pause >= FailurePauseMax ? pause : next * 2 < FailurePauseMax ? next * 2 : FailurePauseMax;
            }

            if (last)
                return;
            await Task.Delay(next, time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(10, LogLevel.Warning, "{Worker} failed; it is tried again")]
    private static partial void Failed(ILogger log, Exception fault, string worker);
}
