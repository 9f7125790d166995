using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Coffer.Server.Sql;
using Coffer.Server.Webhooks;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Webhooks;

/// <summary>A clock that is ahead of the real one.</summary>
internal sealed class ShiftedTime(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
}

/// <summary>
/// A worker that delivers in a process of its own that kills itself, as kill -9 would, the n-th time that it reaches a named point. This is
/// both ends: <see cref="Run"/> in the child, <see cref="Deliver"/> in the test.
/// </summary>
internal static class MortalDeliverer
{
    public const string Word = "deliverer-under-fire";
    private const int Killed = 128 + 9;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Whether the process died at the point; otherwise there was nothing left for it to do.</summary>
    public static async Task<bool> Deliver(string database, string keys, TimeSpan ahead, string point, int time)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(MortalDeliverer).Assembly.Location);
        foreach (var argument in (string[])[Word, database, keys, ahead.TotalSeconds.ToString(CultureInfo.InvariantCulture), point, $"{time}"])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(_patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            Assert.Fail($"A worker that should die when {point} still runs after {_patience}.");
        }

        Assert.Contains(process.ExitCode, (int[])[0, Killed]);
        return process.ExitCode == Killed;
    }

    /// <summary>The child: delivers until it dies or nothing is due.</summary>
    public static async Task<int> Run(string database, string keys, string ahead, string point, string time)
    {
        var left = int.Parse(time, CultureInfo.InvariantCulture);
        var clock = new ShiftedTime(TimeSpan.FromSeconds(double.Parse(ahead, CultureInfo.InvariantCulture)));
        await using var db = new Db(database, clock);
        var secrets = new EndpointSecrets(DataProtectionProvider.Create(new DirectoryInfo(keys)), RandomNumberGenerator.Fill);
        await using var worker = new DeliverEvents(db, DeliveryWorld.NewPost(), secrets, clock, RandomNumberGenerator.Fill, NullLogger.Instance, at: at =>
        {
            if (at == point && Interlocked.Decrement(ref left) == 0)
                Process.GetCurrentProcess().Kill();
        });
        while (await worker.Turn(default) || worker.Taken > 0)
            await Task.Delay(1);
        return 0;
    }
}
