using Coffer.Bench;

// The measured claims of Coffer. Every figure is a ratio, or stands beside one, within one run: machines differ, ratios less so.
//   ./bench [--quick] [--json FILE] [--shards N] [--only size|postings|events|reads|history|chains|withdrawals|payouts|webhooks|pages]
if (args is ["--server", var database, var constant, var silent])
    return await ReadServer.Run(database, constant, silent == "silent");
var quick = args.Contains("--quick");
var only = Array.IndexOf(args, "--only") is var at and >= 0 ? args[at + 1] : null;
if (Array.IndexOf(args, "--shards") is var shards and >= 0)
    PostingBench.Shards = int.Parse(args[shards + 1], System.Globalization.CultureInfo.InvariantCulture);
var table = new ResultTable();
try
{
    await using var rig = await Rig.Start(quick);
    if (only is null or "size")
        await PostingBench.Size(rig, table, quick);
    if (only is null or "postings")
        await PostingBench.Run(rig, table, quick);
    if (only is null or "events")
    {
        await EventBench.Run(rig, table, quick);
        await EventBench.RunWithdrawals(rig, table, quick);
    }

    if (only is null or "reads")
        await ReadBench.Run(rig, table, quick);
    if (only is null or "history")
        await HistoryBench.Run(rig, table, quick);
    if (only is null or "chains")
        await ChainBench.Run(rig, table, quick);
    if (only is null or "withdrawals")
        await WithdrawalBench.Run(rig, table, quick);
    if (only is null or "webhooks")
        await WebhookBench.Run(rig, table, quick);
    if (only is null or "pages")
        await PageBench.Run(rig, table, quick);
    if (only is null or "payouts")
        await PayoutBench.Run(rig, table, quick);
}
catch (Exception fault)
{
    // Caught, so that what was started is stopped on the way out.
    Console.Error.WriteLine(fault);
    return 1;
}

table.Print(Console.Out);
if (Array.IndexOf(args, "--json") is var json and >= 0)
    await File.WriteAllTextAsync(args[json + 1], table.Json());
return 0;
