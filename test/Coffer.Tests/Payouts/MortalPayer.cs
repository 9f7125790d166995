using System.Diagnostics;
using System.Globalization;
using Coffer.Chains;
using Coffer.Server.Sql;

namespace Coffer.Tests.Payouts;

/// <summary>
/// A worker that pays on a real node in a process of its own that kills itself, as kill -9 would, the n-th time that it reaches a named
/// point. This is both ends: <see cref="Run"/> in the child, <see cref="Pay"/> in the test.
/// </summary>
internal static class MortalPayer
{
    public const string Word = "payer-under-fire";
    private const int Killed = 128 + 9, RoundsMax = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Whether the process died at the point; otherwise there was nothing left for it to do.</summary>
    public static async Task<bool> Pay(string database, Uri node, string[] tokens, string point, int time)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        // It lives for a second: compiled quickly is better than compiled well.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(MortalPayer).Assembly.Location);
        foreach (var argument in (string[])[Word, database, node.ToString(), string.Join(',', tokens), point, $"{time}"])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(limit.Token);
        Assert.Contains(process.ExitCode, (int[])[0, Killed]);
        return process.ExitCode == Killed;
    }

    /// <summary>The child: pays in rounds, with a block after each.</summary>
    public static async Task<int> Run(string database, string node, string tokens, string point, string time)
    {
        var left = int.Parse(time, CultureInfo.InvariantCulture);
        await using var paying = new PayingEvm(database, new Uri(node), tokens.Split(','), at =>
        {
            if (at == point && Interlocked.Decrement(ref left) == 0)
                Process.GetCurrentProcess().Kill();
            return Task.CompletedTask;
        });
        for (var round = 0; round < RoundsMax && await Unfinished(paying.Db) > 0; round++)
        {
            try
            {
                await paying.Round(CancellationToken.None);
            }
            catch (ChainFault)
            {
                // The chain was turned back under it; the next round looks again.
            }

            await Mine(node);
        }

        return 0;
    }

    /// <summary>Withdrawals and payouts that are not at their end.</summary>
    public static async Task<long> Unfinished(Db db)
    {
        await using var command = db.Reads.CreateCommand(
            "SELECT (SELECT count(*) FROM withdrawal WHERE state IN (1, 2, 3, 4, 5, 10)) + (SELECT count(*) FROM payout WHERE state = 1)");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task Mine(string node)
    {
        using var http = new HttpClient();
        using var content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"evm_mine","params":[]}""", null, "application/json");
        (await http.PostAsync(node, content)).Dispose();
    }
}
