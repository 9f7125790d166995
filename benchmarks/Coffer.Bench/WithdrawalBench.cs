using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Ledger;

namespace Coffer.Bench;

/// <summary>
/// <c>POST /withdrawal/</c> with an API key and an <c>Idempotency-Key</c> over HTTP, every one a new withdrawal that is committed with its
/// reservation, against plain reads of a balance in the same process and run.
/// </summary>
internal static class WithdrawalBench
{
    private const int Connections = 64;
    private const double Claim = 4_000;

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var accounts = await Accounts(rig);
        await rig.Sql("ANALYZE");
        await using var server = await ServerProcess.Start(rig.ConnectionString, []);
        var (compiling, warmUp, measured) = (TimeSpan.FromSeconds(quick ? 2 : 4), TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(quick ? 2 : 5));
        Task<HttpConnection[]> Posts(Func<int, BenchAccount> of) => Task.WhenAll(Enumerable.Range(0, Connections).Select(of).Select(account =>
            HttpConnection.OpenPost(server.Product, "/withdrawal/", Body(account), $"X-API-Key: {account.ApiKey}")));
        Task<HttpConnection[]> Gets() => Task.WhenAll(accounts.Select(account =>
            HttpConnection.Open(server.Product, $"/wallets/balances?wallet_id={account.Wallet}", $"X-API-Key: {account.ApiKey}")));
        await Hammer(await Gets(), c => c.Get(), warmUp, compiling);
        await Hammer(await Posts(i => accounts[i]), c => c.Post(), warmUp, compiling);
        var rounds = quick ? 1 : 3;
        LoadResult reads = default, many = default, one = default;
        CpuTime server64 = default, postgres64 = default;
        for (var round = 0; round < rounds; round++)
        {
            reads = Sum(reads, await Hammer(await Gets(), c => c.Get(), warmUp, measured));
            var before = (CpuTime.Of(server.Id), CpuTime.Of(rig.Postmaster), await rig.Sql("SELECT count(*) FROM withdrawal"));
            many = Sum(many, await Hammer(await Posts(i => accounts[i]), c => c.Post(), warmUp, measured));
            var made = await rig.Sql("SELECT count(*) FROM withdrawal") - before.Item3;
            server64 += (CpuTime.Of(server.Id) - before.Item1) / (made * rounds);
            postgres64 += (CpuTime.Of(rig.Postmaster) - before.Item2) / (made * rounds);
            one = Sum(one, await Hammer(await Posts(_ => accounts[0]), c => c.Post(), warmUp, measured));
        }

        var rate = many.PerSecond / rounds;
        table.Add("withdrawals accepted a second, 64 accounts", ResultTable.Number(rate), $"{ResultTable.Number(reads.PerSecond / rounds)} balance reads",
            $"{many.PerSecond / reads.PerSecond * 100:F0} %", $">= {ResultTable.Number(Claim)}", rate >= Claim);
        table.Add("  wait of 64 connections", $"p50 {many.P50 / rounds:F2} ms", "", $"p99 {many.P99 / rounds:F2} ms", "", null);
        table.Add("  CPU of each, server and PostgreSQL", $"{server64.Microseconds:F0} µs", $"{postgres64.Microseconds:F0} µs", "", "", null);
        table.Add("  all of one account", ResultTable.Number(one.PerSecond / rounds), "", $"p50 {one.P50 / rounds:F2} ms", "", null);
    }

    /// <summary>Accounts with more than they will ask for, one for each connection.</summary>
    public static async Task<List<BenchAccount>> Accounts(Rig rig)
    {
        var accounts = new List<BenchAccount>();
        var tether = BenchAccounts.Currencies.Find("USDTERC20");
        await using var ledger = new LedgerWriters(PostingBench.Shards, rig.Db, rig.Ids, TimeProvider.System);
        while (accounts.Count < Connections)
        {
            var account = await BenchAccounts.Make(rig, "withdrawals", Mode.Test, Scopes.Read | Scopes.Write);
            accounts.Add(account);
            (await ledger.Write(account.Shard, new Correct(new(account.Id), new(account.Wallet), tether, Reference.Of("bench"),
                Amount.One(30), null, "bench"))).Accepted();
        }

        return accounts;
    }

    /// <summary>What is asked for.</summary>
    public static string Body(BenchAccount account)
    {
        var to = SimulatedAddress.Make(new(account.Id), new(account.Wallet), "ETH", 1);
        return $$"""{"amount":"12.50","currency":"USDTERC20","address":"{{to}}"}""";
    }

    private static LoadResult Sum(LoadResult a, LoadResult b) => new(a.Calls + b.Calls, a.PerSecond + b.PerSecond, a.P50 + b.P50, a.P99 + b.P99);

    /// <summary>Every connection in a closed loop.</summary>
    public static async Task<LoadResult> Hammer(HttpConnection[] connections, Func<HttpConnection, Task<bool>> call, TimeSpan warmUp, TimeSpan measured)
    {
        var free = new System.Collections.Concurrent.ConcurrentBag<HttpConnection>(connections);
        try
        {
            return await Load.Run(Connections, warmUp, measured, async waits =>
            {
                if (!free.TryTake(out var connection))
                    throw new InvalidOperationException("More callers than connections.");
                await Load.Timed(waits, call(connection));
                free.Add(connection);
            });
        }
        finally
        {
            foreach (var connection in connections)
                connection.Dispose();
        }
    }
}
