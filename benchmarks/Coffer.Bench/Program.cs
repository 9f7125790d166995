using System.Globalization;
using Coffer.Bench;

// The measured claims of Coffer. Every figure is a ratio, or stands beside one, within one run: machines differ, ratios less so.
if (args is ["--server", var database, var constant, var silent])
    return await ReadServer.Run(database, constant, silent == "silent");

// What ./bench --quick measures within a minute comes first.
(string Name, bool Quick, Func<Rig, ResultTable, bool, Task> Run)[] parts =
[
    ("size", true, PostingBench.Size), ("postings", true, PostingBench.Run), ("reads", true, ReadBench.Run), ("history", true, HistoryBench.Run),
    ("events", false, EventBench.Run), ("chains", false, ChainBench.Run), ("withdrawals", false, WithdrawalBench.Run),
    ("webhooks", false, WebhookBench.Run), ("pages", false, PageBench.Run), ("payouts", false, PayoutBench.Run),
];
var names = string.Join("|", parts.Select(part => part.Name));
var usage = $"""
    ./bench [--quick] [--only {names}] [--shards N] [--json FILE]

    Measures what this machine does and compares it with what was aimed at.
      --quick    within a minute: {string.Join(", ", parts.Where(part => part.Quick).Select(part => part.Name))}; with --only, that part shortened
      --only     one part
      --shards   writer lanes (one more than there are cores)
      --json     writes the figures to a file as well
    """;
var (quick, only, json) = (false, (string?)null, (string?)null);
for (var at = 0; at < args.Length; at++)
{
    var value = at + 1 < args.Length ? args[at + 1] : "";
    switch (args[at])
    {
        case "--quick":
            quick = true;
            continue;
        case "--only" when parts.Any(part => part.Name == value):
            only = value;
            break;
        case "--shards" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var shards) && shards > 0:
            PostingBench.Shards = shards;
            break;
        case "--json" when value.Length > 0:
            json = value;
            break;
        case "--help" or "-h":
            Console.WriteLine(usage);
            return 0;
        default:
            Console.Error.WriteLine($"{args[at]} {value}".TrimEnd() + $" is not understood.\n\n{usage}");
            return 2;
    }

    at++;
}

var table = new ResultTable();
try
{
    await using var rig = await Rig.Start(quick);
    foreach (var part in parts)
    {
        if (only is null ? part.Quick || !quick : part.Name == only)
            await part.Run(rig, table, quick);
    }
}
catch (Exception fault)
{
    // Caught, so that what was started is stopped on the way out.
    Console.Error.WriteLine(fault);
    return 1;
}

table.Print(Console.Out);
if (quick && only is null)
    Console.WriteLine($"Left out by --quick: {string.Join(", ", parts.Where(part => !part.Quick).Select(part => part.Name))}.");
if (json is not null)
    await File.WriteAllTextAsync(json, table.Json());
return 0;
