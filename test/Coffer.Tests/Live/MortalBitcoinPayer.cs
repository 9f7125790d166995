using System.Diagnostics;
using System.Globalization;
using Coffer.Tests.Chains.Bitcoin;

namespace Coffer.Tests.Live;

/// <summary>
/// Follower and payer of a real Bitcoin node in a process of its own that kills itself, as kill -9 would, the n-th time that it reaches a
/// named point. Both ends: <see cref="Run"/> in the child, <see cref="Pay"/> in the test.
/// </summary>
internal static class MortalBitcoinPayer
{
    public const string Word = "bitcoin-payer-under-fire";
    public const int BatchMax = 3, Rounds = 2;
    private const int Killed = 128 + 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Whether the process died at the point; otherwise it did its rounds.</summary>
    public static async Task<bool> Pay(string database, Uri node, long from, string point, int time, bool bump)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(MortalBitcoinPayer).Assembly.Location);
        foreach (var argument in (string[])[Word, database, node.ToString(), $"{from}", point, $"{time}", bump ? "bump" : "wait"])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(limit.Token);
        Assert.Contains(process.ExitCode, (int[])[0, Killed]);
        return process.ExitCode == Killed;
    }

    /// <summary>The child.</summary>
    public static async Task<int> Run(string database, string node, string from, string point, string time, string bump)
    {
        var left = int.Parse(time, CultureInfo.InvariantCulture);
        await using var paying = new PayingBitcoin(database, new Uri(node), long.Parse(from, CultureInfo.InvariantCulture), BatchMax,
            bump == "bump" ? TimeSpan.Zero : null, at =>
            {
                if (at == point && --left == 0)
                    Process.GetCurrentProcess().Kill();
                return Task.CompletedTask;
            });
        for (var round = 0; round < Rounds; round++)
            await paying.Round(CancellationToken.None);
        return 0;
    }
}
