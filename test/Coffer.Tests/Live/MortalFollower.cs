using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Coffer.Chains.Evm;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Coffer.Tests.Ledger;

namespace Coffer.Tests.Live;

/// <summary>
/// A follower of a real node in a process of its own that kills itself, as kill -9 would, the n-th time that it reaches a named point. This
/// is both ends: <see cref="Run"/> in the child, <see cref="Follow"/> in the test.
/// </summary>
internal static class MortalFollower
{
    public const string Word = "follower-under-fire";
    public const string Family = "evm";
    private const int Killed = 128 + 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Currency Ether { get; } = TestLedger.Eth with { Confirmations = 3 };

    /// <summary>Whether the process died at the point; otherwise it came to the end of the chain.</summary>
    public static async Task<bool> Follow(string database, Uri node, string point, int time)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(MortalFollower).Assembly.Location);
        foreach (var argument in (string[])[Word, database, node.ToString(), point, $"{time}"])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(limit.Token);
        Assert.Contains(process.ExitCode, (int[])[0, Killed]);
        return process.ExitCode == Killed;
    }

    /// <summary>The child.</summary>
    public static async Task<int> Run(string database, string node, string point, string time)
    {
        var left = int.Parse(time, CultureInfo.InvariantCulture);
        await Undisturbed(database, new Uri(node), at =>
        {
            if (at == point && --left == 0)
                Process.GetCurrentProcess().Kill();
            return Task.CompletedTask;
        });
        return 0;
    }

    /// <summary>Follows the chain to its end in this process.</summary>
    public static async Task Undisturbed(string database, Uri node, Func<string, Task>? at = null)
    {
        await using var db = new Db(database, TimeProvider.System);
        var ids = new Ids(TimeProvider.System, RandomNumberGenerator.Fill);
        await using var ledger = new LedgerWriters(TestLedger.Shards, db, ids, TimeProvider.System);
        using var chain = new EvmChain(new EvmOptions("ethereum", Chains.Evm.EvmWorld.ChainId, []), [node],
            async (addresses, ct) => await db.Watched(Family, addresses, ct), TimeProvider.System);
        var followed = new FollowedChain(chain, Family, Start: 0, _ => Ether) { Assets = [(Ether, null)] };
        await new FollowChain(db, ledger, new Currencies([Ether]), at).CatchUp(followed, CancellationToken.None);
    }
}
