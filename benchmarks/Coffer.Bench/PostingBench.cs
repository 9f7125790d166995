using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;

namespace Coffer.Bench;

/// <summary>
/// Postings a second through the real writers against one transaction per posting. The baseline is the product's own statements
/// with a batch of one, prepared and pipelined, from 16 connections: what a careful engineer writes without a batching writer.
/// A movement here is a deposit that is seen and confirmed: two postings, each a call that waits for its commit.
/// </summary>
internal static class PostingBench
{
    private const int Balances = 100_000;
    private const int HotBalances = 10;
    private const int HotPercent = 90;
    /// <summary>Shards, and so writers; changed by <c>--shards</c>.</summary>
    public static int Shards { get; set; } = Settings.ShardsDefault;
    private const int BaselineCallers = 16;
    private const int ThroughputCallers = 2_048;
    private const double UniformClaim = 15, HotClaim = 40, P50Claim = 2, P99Claim = 6, BytesClaim = 500, MegabytesClaim = 300;

    private static readonly Currency _usdt = new()
    {
        Code = "USDTERC20",
        Name = "Tether USD",
        Network = "ETH",
        Token = "USDT",
        Decimals = 6,
        Confirmations = 12,
    };

    /// <summary>
    /// Bytes on disk for each posting, everything counted. Written in rounds with a vacuum after each, as autovacuum (set to 5 % for
    /// the tables that are updated) does on a server that runs for long.
    /// </summary>
    public static async Task Size(Rig rig, ResultTable table, bool quick)
    {
        var (balances, movementsEach) = (quick ? 1_000 : 10_000, 30);
        var traffic = new Traffic();
        await rig.Sql("SELECT 1");
        await using var ledger = new LedgerWriters(Shards, rig.Db, rig.Ids, TimeProvider.System);
        for (var round = 0; round < movementsEach; round++)
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, balances), new ParallelOptions { MaxDegreeOfParallelism = ThroughputCallers },
                async (i, _) => await Deposit(traffic, [], Balances + i, ledger.Write));
            await rig.Sql("VACUUM movement, balance, flow_hour, posting");
        }

        var postings = (double)balances * movementsEach * 2;
        foreach (var name in (string[])["posting", "movement", "balance", "flow_hour"])
            Console.Error.WriteLine($"    {name}: {await rig.Sql($"SELECT pg_total_relation_size('{name}')") / postings:F0} bytes a posting, {await rig.Sql($"SELECT pg_relation_size('{name}')") / postings:F0} heap");
        var bytes = await rig.Sql("""
            SELECT pg_total_relation_size('posting') + pg_total_relation_size('movement') + pg_total_relation_size('balance')
                + pg_total_relation_size('flow_hour')
            """) / postings;
        table.Add("bytes per posting, indexes and rollups included", ResultTable.Number(bytes), "", "", $"<= {BytesClaim}", bytes <= BytesClaim);
    }

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var warmUp = TimeSpan.FromSeconds(quick ? 0.5 : 2);
        var measured = TimeSpan.FromSeconds(quick ? 2 : 8);
        var traffic = new Traffic();
        await using var ledger = new LedgerWriters(Shards, rig.Db, rig.Ids, TimeProvider.System);
        Task Batched(List<float> waits, bool hot) => Deposit(traffic, waits, hot, ledger.Write);
        Task Single(List<float> waits, bool hot) => Deposit(traffic, waits, hot, (shard, command) => One(rig, shard, command));

        // Every balance exists before anything is measured.
        await Parallel.ForEachAsync(Enumerable.Range(0, Balances), new ParallelOptions { MaxDegreeOfParallelism = ThroughputCallers },
            async (i, _) => await Deposit(traffic, [], i, ledger.Write));
        var latency = await Load.Run(16, warmUp, measured, waits => Batched(waits, hot: false));
        var crowd = await Load.Run(256, warmUp, measured, waits => Batched(waits, hot: false));
        var uniform = await Load.Run(ThroughputCallers, warmUp, measured, waits => Batched(waits, hot: false));
        var uniformSingle = await Load.Run(BaselineCallers, warmUp, measured, waits => Single(waits, hot: false));
        var hot = await Load.Run(ThroughputCallers, warmUp, measured, waits => Batched(waits, hot: true));
        var hotSingle = await Load.Run(BaselineCallers, warmUp, measured, waits => Single(waits, hot: true));
        var megabytes = Environment.WorkingSet / 1e6;
        Ratio(table, "postings/s, uniform over 100,000 balances", uniform, uniformSingle, UniformClaim);
        Ratio(table, "postings/s, 90 % on 10 balances", hot, hotSingle, HotClaim);
        Wait(table, "wait of 16 callers", latency, P50Claim, P99Claim);
        Wait(table, "wait of 256 callers", crowd, null, null);
        table.Add("resident memory under that load, MB", ResultTable.Number(megabytes), "callers included", "", $"<= {MegabytesClaim}", megabytes <= MegabytesClaim);
    }

    private static void Ratio(ResultTable table, string name, LoadResult writer, LoadResult single, double claim)
    {
        var ratio = writer.PerSecond / single.PerSecond;
        table.Add(name, ResultTable.Number(writer.PerSecond), $"{ResultTable.Number(single.PerSecond)} one transaction each",
            $"{ResultTable.Number(ratio)} x", $">= {claim} x", ratio >= claim);
    }

    private static void Wait(ResultTable table, string name, LoadResult result, double? p50, double? p99) => table.Add(name,
        $"{ResultTable.Number(result.PerSecond)} postings/s", "", $"p50 {result.P50:F2} ms, p99 {result.P99:F2} ms",
        p50 is null ? "" : $"<= {p50} ms, <= {p99} ms", p50 is null ? null : result.P50 <= p50 && result.P99 <= p99);

    private static Task Deposit(Traffic traffic, List<float> waits, bool hot, Func<short, Command, Task<Outcome>> write)
    {
        var index = hot && Random.Shared.Next(100) < HotPercent ? Random.Shared.Next(HotBalances) : Random.Shared.Next(Balances);
        return Deposit(traffic, waits, index, write);
    }

    private static async Task Deposit(Traffic traffic, List<float> waits, int index, Func<short, Command, Task<Outcome>> write)
    {
        var account = new AccountId(new Guid(index, 1, 0, new byte[8]));
        var wallet = new WalletId(new Guid(index, 2, 0, new byte[8]));
        var reference = traffic.Next();
        var shard = (short)(index % Shards);
        var amount = Random.Shared.Next(1, 1_000_000_000);
        Accepted(await Load.Timed(waits, write(shard, new DepositSeen(account, wallet, _usdt, reference, amount, DateTimeOffset.UtcNow, 1))));
        Accepted(await Load.Timed(waits, write(shard, new DepositConfirmed(account, wallet, _usdt, reference, 0, 1))));
    }

    private static Task<Outcome> One(Rig rig, short shard, Command command) => rig.Db.Transaction(async (tx, ct) =>
    {
        var batch = new LedgerBatch([command]);
        await tx.Load(shard, batch, [], ct);
        var outcome = batch.Decide(0, rig.Ids.Movement(), DateTimeOffset.UtcNow, []);
        tx.Store(shard, batch, []);
        return outcome;
    }, CancellationToken.None, repeatable: true);

    private static void Accepted(Outcome outcome)
    {
        if (outcome.Refusal is { } refusal)
            throw new InvalidOperationException(refusal.Message);
    }

    /// <summary>References as a chain gives them: 64 hex digits of a transaction, its kind, its ordinal.</summary>
    private sealed class Traffic
    {
        private readonly string _run = Guid.NewGuid().ToString("N");
        private long _serial;

        public Reference Next() => Reference.Of($"ethereum:0x{_run}{Interlocked.Increment(ref _serial):x32}:token:0");
    }
}
