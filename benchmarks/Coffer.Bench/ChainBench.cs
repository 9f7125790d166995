using System.Diagnostics;
using Coffer.Chains;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Server.Chain;
using Coffer.Server.Demo;
using Coffer.Server.Ledger;

namespace Coffer.Bench;

/// <summary>
/// Following a real chain (anvil): catching up over blocks with payments, against fetching the same blocks and receipts from the same node and
/// doing nothing with them; many watched addresses against few; a block that is full of deposits; memory over a long way; addresses from an xpub.
/// </summary>
internal static class ChainBench
{
    private const int Few = 10, Many = 10_000, Full = 1_000, PaymentsPerBlock = 2, DepositEvery = 10;
    private const double RateClaim = 70, ManyClaim = 1.10;

    // m/44'/60'/1' of the public test phrase "test test ... junk".
    private const string Xpub =
        "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76";

    private static readonly Currency _ether = new()
    {
        Code = "ETH",
        Name = "Ether",
        Network = "ETH",
        Token = "ETH",
        Decimals = 18,
        Confirmations = 12,
    };

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var addresses = Addresses(table, AddressSource.Evm(Xpub));
        var (blocks, rounds, far) = quick ? (2_000, 1, 0) : (5_000, 3, 100_000);
        await using var anvil = await AnvilNode.Start(["--no-mining"], CancellationToken.None);
        using var node = new BareNode(anvil.Url);
        await node.Fill(blocks, PaymentsPerBlock, DepositEvery, [.. addresses.Take(Few)]);
        await Watch(rig, "few", addresses.Take(Few));
        await Watch(rig, "many", addresses);
        await using var ledger = new LedgerWriters(PostingBench.Shards, rig.Db, rig.Ids, TimeProvider.System);
        var follow = new FollowChain(rig.Db, ledger, new Currencies([_ether]));

        // The first round is the compiler's.
        var (bare, few, many) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            var times = (await Time(() => node.Fetch(blocks)), await Time(() => Follow(rig.Db, follow, anvil, $"few{round}", "few")),
                await Time(() => Follow(rig.Db, follow, anvil, $"many{round}", "many")));
            if (round == 0)
                continue;
            bare.Add(times.Item1);
            few.Add(times.Item2);
            many.Add(times.Item3);
        }

        var (rate, more) = (bare.Sum() / few.Sum() * 100, many.Sum() / few.Sum());
        table.Add($"catch-up, blocks a second, {PaymentsPerBlock} payments each, a deposit in every {DepositEvery}th", ResultTable.Number(blocks * rounds / few.Sum()),
            $"{ResultTable.Number(blocks * rounds / bare.Sum())} only fetched", $"{rate:F0} %", $">= {RateClaim} %", rate >= RateClaim);
        table.Add($"catch-up with {Many:N0} watched addresses", ResultTable.Number(blocks * rounds / many.Sum()), $"{ResultTable.Number(blocks * rounds / few.Sum())} with {Few}",
            $"{more:F2} x the time", $"<= {ManyClaim} x", more <= ManyClaim);
        await FullBlock(rig, table, follow, anvil, node, addresses);
        if (far > 0)
            await LongWay(rig, table, follow, anvil, node, far);
    }

    private static string[] Addresses(ResultTable table, AddressSource source)
    {
        source.At(0);
        var watch = Stopwatch.StartNew();
        string[] addresses = [.. Enumerable.Range(0, Many).Select(i => source.At((uint)i))];
        table.Add("deposit addresses from an xpub a second, one thread", ResultTable.Number(Many / watch.Elapsed.TotalSeconds), "", "", "", null);
        return addresses;
    }

    private static async Task FullBlock(Rig rig, ResultTable table, FollowChain follow, AnvilNode anvil, BareNode node, string[] addresses)
    {
        await Follow(rig.Db, follow, anvil, "full", "many");
        await node.Block(addresses.Take(Full));
        var before = await rig.Sql("SELECT count(*) FROM posting");
        var seconds = await Time(() => Follow(rig.Db, follow, anvil, "full", "many"));
        var deposits = await rig.Sql("SELECT count(*) FROM posting") - before;
        var batches = await rig.Sql($"SELECT count(DISTINCT recorded_at) FROM (SELECT recorded_at FROM posting ORDER BY recorded_at DESC LIMIT {Full}) p");
        table.Add($"a block with {Full:N0} deposits, read to credited", $"{seconds * 1000:F0} ms", $"{deposits:N0} deposits", $"{batches} batches",
            $"<= {PostingBench.Shards * 2} batches", deposits == Full && batches <= PostingBench.Shards * 2);
    }

    private static async Task LongWay(Rig rig, ResultTable table, FollowChain follow, AnvilNode anvil, BareNode node, int blocks)
    {
        await node.Mine(blocks / 10);
        await Follow(rig.Db, follow, anvil, "full", "many");
        var start = Memory();
        await node.Mine(blocks);
        await Follow(rig.Db, follow, anvil, "full", "many");
        var grown = Memory() - start;
        table.Add($"memory grown over {blocks:N0} blocks, MB", ResultTable.Number(grown / 1e6), "", "", "<= 20", grown <= 20e6);
    }

    private static double Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static async Task Follow(Server.Sql.Db db, FollowChain follow, AnvilNode anvil, string id, string family)
    {
        async Task<IReadOnlySet<string>> Watched(IReadOnlyCollection<string> asked, CancellationToken ct) => await db.Watched(family, asked, ct);
        using var chain = new EvmChain(new EvmOptions(id, anvil.Entry.ChainId!.Value, [], TraceKind.None), [anvil.Url], Watched, TimeProvider.System);
        await follow.CatchUp(new FollowedChain(chain, family, Start: 0, _ => _ether) { Assets = [(_ether, null)] }, CancellationToken.None);
    }

    private static async Task Watch(Rig rig, string family, IEnumerable<string> addresses)
    {
        var account = await BenchAccounts.Make(rig, family);
        var values = string.Join(",", addresses.Select((address, i) => $"('{address}', {i})"));
        await rig.Sql($"""
            INSERT INTO chain_address (id, family, address, shard, account_id, wallet_id, network, source, index, created_at)
            SELECT gen_random_uuid(), '{family}', a, {account.Shard}, '{account.Id}', '{account.Wallet}', 'ETH', '{family}', i, now()
            FROM (VALUES {values}) v(a, i)
            """);
    }

    private static async Task<double> Time(Func<Task> work)
    {
        var watch = Stopwatch.StartNew();
        await work();
        return watch.Elapsed.TotalSeconds;
    }
}
