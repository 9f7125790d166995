using System.Collections.Concurrent;
using Coffer.Server.Sql;

namespace Coffer.Server.Payouts;

/// <summary>
/// Looks at the hot wallets again and again and says when one of them cannot pay all that is queued and keep what should be left, before a
/// withdrawal has to wait for it. Called by a worker; any number of processes may do so, each logs for itself.
///
/// A node that does not answer leaves the alarms as they were. If the process dies here: the next one looks.
/// </summary>
internal sealed partial class WatchHotWallets(Db db, IReadOnlyList<HotWallet> wallets, ILogger log)
{
    /// <summary>The pause between two looks.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, string[]> alarms = [];
    private readonly ConcurrentDictionary<string, HotStanding> last = [];

    /// <summary>Each hot wallet's chain, and whether an alarm stands.</summary>
    public IEnumerable<(string Chain, bool Alarm)> Standing =>
        wallets.Select(wallet => (wallet.Chain.Id, alarms.ContainsKey(wallet.Chain.Id)));

    /// <summary>What the last look at each of them saw; without those that were not looked at yet.</summary>
    public IReadOnlyList<HotStanding> Last => [.. wallets.Select(wallet => last.GetValueOrDefault(wallet.Chain.Id)).OfType<HotStanding>()];

    public async Task Run(CancellationToken ct)
    {
        foreach (var wallet in wallets)
        {
            var standing = await new HotStatus(db).Run(wallet, ct);
            last[standing.Chain] = standing;
            string[] now = [.. standing.Alarms];
            if (standing.CannotTell is not null && now.Length == 0)
                continue;
            var before = alarms.GetValueOrDefault(standing.Chain, []);

            // The figures change with every withdrawal; that it is so is said once, and again when something else is wrong.
            if (!Subjects(now).SequenceEqual(Subjects(before)))
            {
                foreach (var alarm in now)
                    Raised(log, standing.Chain, alarm);
                if (now.Length == 0)
                    Over(log, standing.Chain);
            }

            if (now.Length > 0)
                alarms[standing.Chain] = now;
            else
                alarms.TryRemove(standing.Chain, out _);
        }
    }

    private static IEnumerable<string> Subjects(string[] alarms) => alarms.Select(alarm => alarm.Split(':')[0]);

    [LoggerMessage(40, LogLevel.Warning, "The hot wallet of {Chain}: {Alarm}")]
    private static partial void Raised(ILogger log, string chain, string alarm);

    [LoggerMessage(41, LogLevel.Warning, "The hot wallet of {Chain} has what it needs again")]
    private static partial void Over(ILogger log, string chain);
}
