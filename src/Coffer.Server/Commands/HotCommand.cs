using System.CommandLine;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Payouts;

namespace Coffer.Server.Commands;

/// <summary><c>coffer hot status</c>: what the wallets that pay hold, and owe.</summary>
internal static class HotCommand
{
    public static Command Make() => new("hot", "The hot wallets that pay withdrawals") { Status() };

    private static Command Status()
    {
        var command = new Documented("status", "Say what each hot wallet holds, what it has to pay, and the address to fund it", """
            Examples:
              coffer hot status --chains /etc/coffer/chains.json
              coffer hot status --chain bitcoin --json

            For every chain of the chains file that has a hot wallet: its address, what it holds, what is queued and on its way, what the
            fees will be, what should always be left ("low"), what withdrawals wait for, and whether somebody else used its key.
            Exit status 0 all is well, 1 an alarm stands, 2 it cannot be told, e.g. because no node answers.
            """);
        var chain = Texts.Option("--chain", "ID", "Only this chain (every one of the chains file that has a hot wallet)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Options.Add(chain);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var entries = work.Chains.Where(entry => entry.Hot is not null).ToList();
            if (parsed.GetValue(chain) is { } only)
                entries.RemoveAll(entry => entry.Id != only);
            if (entries.Count == 0)
                throw new Misuse("The chains file (--chains, COFFER_CHAINS) has no such chain with a hot wallet.");
            var standings = new List<HotStanding>();
            using var chains = RealChains.Of(entries, work.Db, work.Currencies, work.Clock);
            foreach (var wallet in HotWallets.Of(chains.All, work.Db))
                standings.Add(await new HotStatus(work.Db).Run(wallet, ct));
            var alarm = standings.Any(standing => standing.Alarms.Any());
            Output.Of(parsed, json).Write(new { ok = !alarm, chains = standings.Select(Json).ToList() }, [.. standings.SelectMany(Lines)]);
            return alarm ? CommandLine.Failed
                : standings.Any(standing => standing.CannotTell is not null) ? ReconcileCommand.CannotTell : CommandLine.Done;
        });
        return command;
    }

    private static IEnumerable<string> Lines(HotStanding standing)
    {
        yield return $"{standing.Chain}: pay {standing.Address} to fund it";
        yield return $"  {"currency",-12}{"held",24}{"returning",16}{"queued",24}{"leaving",24}{"fees",16}{"low",16}{"missing",24}";
        foreach (var asset in standing.Assets)
            yield return $"  {asset.Code,-12}{(asset.Held is { } held ? asset.Text(held) : "?"),24}{asset.Text(asset.Returning),16}"
                + $"{asset.Text(asset.Queued),24}{asset.Text(asset.Leaving),24}{asset.Text(asset.Fees),16}{asset.Text(asset.Low),16}"
                + $"{asset.Text(asset.Missing),24}";
        yield return $"  next number {standing.NextNumber}, {standing.Open} payouts open"
            + (standing.OldestOpen is { } open ? $", the oldest since {Wire.Time(open)}" : "");
        foreach (var waits in standing.Waits)
            yield return $"  {waits}";
        if (standing.OldestWaiting is { } waiting)
            yield return $"  the oldest of them since {Wire.Time(waiting)}";
        if (standing.CannotTell is { } why)
            yield return $"  CANNOT TELL: {why}";
        foreach (var alarm in standing.Alarms)
            yield return $"  ALARM: {alarm}";
    }

    private static object Json(HotStanding standing) => new
    {
        standing.Chain,
        standing.Address,
        assets = standing.Assets.Select(asset => new
        {
            currency = asset.Code,
            held = asset.Held is { } held ? asset.Text(held) : null,
            returning = asset.Text(asset.Returning),
            queued = asset.Text(asset.Queued),
            queued_count = asset.QueuedCount,
            leaving = asset.Text(asset.Leaving),
            leaving_count = asset.LeavingCount,
            fees = asset.Text(asset.Fees),
            low = asset.Text(asset.Low),
            missing = asset.Text(asset.Missing),
        }).ToList(),
        next_number = standing.NextNumber,
        open_payouts = standing.Open,
        oldest_open = standing.OldestOpen,
        oldest_waiting = standing.OldestWaiting,
        waiting = standing.Waiting.Select(one => new { waits_for = one.Key.Length > 0 ? one.Key : null, count = one.Value }).ToList(),
        foreign_use = standing.ForeignUse,
        cannot_tell = standing.CannotTell,
        alarms = standing.Alarms.ToList(),
    };
}
