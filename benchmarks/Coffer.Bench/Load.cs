using System.Diagnostics;

namespace Coffer.Bench;

/// <summary>What a load came to.</summary>
/// <param name="Calls">Finished calls.</param>
/// <param name="Seconds">How long it took until the last was finished.</param>
/// <param name="P50">Median wait of a caller, in milliseconds.</param>
/// <param name="P99">99th percentile, in milliseconds.</param>
internal readonly record struct LoadResult(int Calls, double Seconds, double P50, double P99)
{
    /// <summary>Finished calls a second.</summary>
    public double PerSecond => Calls / Seconds;

    /// <summary>Both together, one after the other; of the waits the longer.</summary>
    public LoadResult Add(LoadResult other) =>
        new(Calls + other.Calls, Seconds + other.Seconds, Math.Max(P50, other.P50), Math.Max(P99, other.P99));
}

/// <summary>A closed loop of callers: each sends its next call when the last one was answered. Bounded in time.</summary>
internal static class Load
{
    /// <summary>One call, its wait recorded.</summary>
    public static async Task<T> Timed<T>(List<float> waits, Task<T> call)
    {
        var start = Stopwatch.GetTimestamp();
        var answer = await call;
        waits.Add((float)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return answer;
    }

    public static async Task<LoadResult> Run(int callers, TimeSpan warmUp, TimeSpan measured, Func<List<float>, Task> call)
    {
        await Loop(callers, warmUp, call);
        return await Loop(callers, measured, call);
    }

    /// <summary>The same without a warm-up.</summary>
    public static async Task<LoadResult> Loop(int callers, TimeSpan time, Func<List<float>, Task> call)
    {
        var clock = Stopwatch.StartNew();
        var waits = new List<float>[callers];
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            waits[caller] = [];
            while (clock.Elapsed < time)
            {
                await call(waits[caller]);
            }
        })));
        var seconds = clock.Elapsed.TotalSeconds;
        var all = waits.SelectMany(w => w).Order().ToArray();
        return new LoadResult(all.Length, seconds, all[all.Length / 2], all[all.Length * 99 / 100]);
    }
}
