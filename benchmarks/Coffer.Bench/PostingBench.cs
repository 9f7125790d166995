using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;

namespace Coffer.Bench;

/// <summary>
/// Postings a second through the real writers against one transaction per posting, twice. The same callers as the writers have, each posting a
/// transaction of plain statements over the driver's default pool (<see cref="PlainTransactions"/>): what most services do, and what the claim is
/// about. And the hardest opponent that we know: the writer's own statements with a batch of one, in two round trips, from as few connections as
/// these cores like best. A movement here is a deposit that is seen and confirmed: two postings, each a call that waits for its commit.
/// </summary>
internal static class PostingBench
{
    private const int Balances = 100_000;
    private const int HotBalances = 10;

    // Single transactions have balances of their own in the same tables. Nobody else writes those of a server, and what a writer remembers
    // of them would be stale after every turn.
    private const int SinglesFirst = 2 * Balances;
    private const int HotPercent = 90;
    /// <summary>Shards, and so writers; changed by <c>--shards</c>.</summary>
    public static int Shards { get; set; } = Settings.ShardsDefault;
    private const int BestCallers = 16;
    private const int ThroughputCallers = 2_048;
    private const double UniformClaim = 15, HotClaim = 40, P50Claim = 2, P99Claim = 6, BytesClaim = 500, MegabytesClaim = 300;

    /// <summary>What a posting is written to.</summary>
    private static readonly string[] _tables = ["posting", "movement_made", "movement_change", "balance", "flow_hour"];

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
        var (balances, movementsEach) = quick ? (500, 60) : (10_000, 30);
        var traffic = new Traffic();
        await using var ledger = new LedgerWriters(Shards, rig.Db, rig.Ids, TimeProvider.System);
        for (var round = 0; round < movementsEach; round++)
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, balances), new ParallelOptions { MaxDegreeOfParallelism = ThroughputCallers },
                async (i, _) => await Deposit(traffic, [], Balances + i, ledger.Write));
            await rig.Sql($"VACUUM {string.Join(", ", _tables)}");
        }

        var postings = (double)balances * movementsEach * 2;
        var bytes = 0.0;
        foreach (var name in _tables)
        {
            var (all, heap) = (await rig.Sql($"SELECT pg_total_relation_size('{name}')"), await rig.Sql($"SELECT pg_relation_size('{name}')"));
            Console.Error.WriteLine($"    {name}: {all / postings:F0} bytes a posting, {heap / postings:F0} heap");
            bytes += all / postings;
        }

        table.Add("bytes per posting, indexes and rollups included", ResultTable.Number(bytes), "", "", $"<= {BytesClaim}", bytes <= BytesClaim);
    }

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var turns = quick ? 1 : 4;
        var warmUp = TimeSpan.FromSeconds(quick ? 0.4 : 1);
        var measured = TimeSpan.FromSeconds(quick ? 1.2 : 3);
        var traffic = new Traffic();
        await using var ledger = new LedgerWriters(Shards, rig.Db, rig.Ids, TimeProvider.System);
        await using var transactions = new PlainTransactions(rig);
        // Every balance exists before anything is measured; those of the writers are made last, as they are remembered.
        foreach (var first in (int[])[SinglesFirst, 0])
        {
            await Parallel.ForEachAsync(Enumerable.Range(first, Balances), new ParallelOptions { MaxDegreeOfParallelism = ThroughputCallers },
                async (i, _) => await Deposit(traffic, [], i, ledger.Write));
        }

        // What that left behind is swept, as autovacuum does in time.
        await rig.Sql($"VACUUM {string.Join(", ", _tables)}");

        async Task<LoadResult> Measure(string name, int callers, bool hot, Func<short, Command, Task<Outcome>> write, int warmUps = 1, int first = 0)
        {
            Task Call(List<float> waits) => Deposit(traffic, waits, hot, first, write);
            if (warmUps > 0)
                await Load.Loop(callers, warmUps * warmUp, Call);
            var (here, there) = (CpuTime.Of(Environment.ProcessId), CpuTime.Of(rig.Postmaster));
            var result = await Load.Loop(callers, measured, Call);
            here = (CpuTime.Of(Environment.ProcessId) - here) / result.Calls;
            there = (CpuTime.Of(rig.Postmaster) - there) / result.Calls;
            Console.Error.WriteLine($"    {name}: {result.PerSecond:F0} postings/s; CPU for each: PostgreSQL {there.Microseconds:F1}, this process {here.Microseconds:F1} µs");
            return result;
        }

        // Before the crowds, who keep checkpointer and autovacuum busy for minutes; small batches are not compiled yet.
        Wait(table, "wait of 16 callers", await Measure("16 callers", 16, false, ledger.Write, warmUps: 8), P50Claim, P99Claim);
        if (!quick)
            Wait(table, "wait of 256 callers", await Measure("256 callers", 256, false, ledger.Write), null, null);

        // Opens the connections; a round of the whole crowd would take seconds.
        await Load.Loop(PlainTransactions.Connections, warmUp, waits => Deposit(traffic, waits, false, SinglesFirst, transactions.Run));
        Task<Outcome> One(short shard, Command command) => Single(rig, shard, command);
        foreach (var (name, claim, hot) in ((string, double, bool)[])
            [("postings/s, uniform over 100,000 balances", UniformClaim, false), ("postings/s, 90 % on 10 balances", HotClaim, true)])
        {
            // In turns, and each as often before the other as after it: a shared machine changes its speed from one minute to the next, and what
            // the writers leave to the checkpointer others wait for.
            var (writers, plain) = (new LoadResult(), new LoadResult());
            for (var turn = 0; turn < 2 * turns; turn++)
            {
                if (turn % 4 is 0 or 3)
                    writers = writers.Add(await Measure(name, ThroughputCallers, hot, ledger.Write, warmUps: turn == 0 ? 1 : 0));
                else
                    plain = plain.Add(await Measure("one transaction each, the same callers", ThroughputCallers, hot, transactions.Run, warmUps: 0, SinglesFirst));
            }

            Ratio(table, name, writers, plain, $"one transaction each, {PlainTransactions.Connections} connections", claim);
            if (quick)
                continue;
            var best = await Measure("one transaction each, pipelined", BestCallers, hot, One, first: SinglesFirst);
            Ratio(table, "  against the best that single ones do", writers, best, $"pipelined, {BestCallers} connections", null);
        }

        var megabytes = Environment.WorkingSet / 1e6;
        table.Add("resident memory under that load, MB", ResultTable.Number(megabytes), "callers included", "", $"<= {MegabytesClaim}", megabytes <= MegabytesClaim);
    }

    private static void Ratio(ResultTable table, string name, LoadResult writer, LoadResult single, string what, double? claim)
    {
        var ratio = writer.PerSecond / single.PerSecond;
        table.Add(name, ResultTable.Number(writer.PerSecond), $"{ResultTable.Number(single.PerSecond)} {what}",
            $"{ResultTable.Number(ratio)} x", claim is null ? "" : $">= {claim} x", claim is null ? null : ratio >= claim);
    }

    private static void Wait(ResultTable table, string name, LoadResult result, double? p50, double? p99) => table.Add(name,
        $"{ResultTable.Number(result.PerSecond)} postings/s", "", $"p50 {result.P50:F2} ms, p99 {result.P99:F2} ms",
        p50 is null ? "" : $"<= {p50} ms, <= {p99} ms", p50 is null ? null : result.P50 <= p50 && result.P99 <= p99);

    private static Task Deposit(Traffic traffic, List<float> waits, bool hot, int first, Func<short, Command, Task<Outcome>> write)
    {
        var index = hot && Random.Shared.Next(100) < HotPercent ? Random.Shared.Next(HotBalances) : Random.Shared.Next(Balances);
        return Deposit(traffic, waits, first + index, write);
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

    private static Task<Outcome> Single(Rig rig, short shard, Command command) => rig.Db.Transaction(async (tx, ct) =>
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
