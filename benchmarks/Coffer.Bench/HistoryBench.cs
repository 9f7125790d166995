using System.Diagnostics;

namespace Coffer.Bench;

/// <summary>
/// Thirty days by the hour over HTTP, for an account with very many postings against one with few. Both have moved in every hour; the rows
/// are written by SQL, since this is about reading them.
/// </summary>
internal static class HistoryBench
{
    private const int Few = 10_000;
    private const double Claim = 1.5;

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var many = quick ? 100_000 : 10_000_000;
        var large = await Filled(rig, "many postings", many);
        var small = await Filled(rig, "few postings", Few);
        await rig.Sql("VACUUM ANALYZE posting");
        await rig.Sql("ANALYZE");
        await using var server = await ServerProcess.Start(rig.ConnectionString, []);
        using var largeReads = await Open(server, large);
        using var smallReads = await Open(server, small);
        var rounds = quick ? 100 : 2_000;
        var (largeTimes, smallTimes) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds + 50; round++)
        {
            var (l, s) = (await Time(largeReads), await Time(smallReads));
            if (round < 50)
                continue;
            largeTimes.Add(l);
            smallTimes.Add(s);
        }

        double a = Median(largeTimes), b = Median(smallTimes);
        table.Add($"history 30d hourly, {many:N0} postings", $"{a:F2} ms", $"{b:F2} ms with {Few:N0}", $"{a / b:F2} x", $"<= {Claim} x", a / b <= Claim);
    }

    private static async Task<BenchAccount> Filled(Rig rig, string name, int postings)
    {
        var account = await BenchAccounts.Make(rig, name);
        await rig.Sql($"""
            INSERT INTO posting (shard, account_id, wallet_id, currency, version, movement_id, kind, effective_at, recorded_at, available, incoming,
                held, external, fee, transfer, deficit, available_after, incoming_after, held_after, hash)
            SELECT {account.Shard}, '{account.Id}', '{account.Wallet}', 'USDTERC20', i, gen_random_uuid(), 10,
                now() - interval '30 days' * (1 - i / {postings}.0), now(), 1000000, 0, 0, -1000000, 0, 0, 0, i * 1000000::numeric, 0, 0, '\x00'
            FROM generate_series(1, {postings}) AS i
            """);
        await rig.Sql($"""
            INSERT INTO flow_hour SELECT shard, account_id, currency, date_trunc('hour', effective_at, 'UTC'), wallet_id, sum(available), 0, count(*), 0
            FROM posting WHERE shard = {account.Shard} AND wallet_id = '{account.Wallet}' GROUP BY 1, 2, 3, 4, 5
            """);
        await rig.Sql($"""
            INSERT INTO balance (shard, account_id, currency, wallet_id, available, incoming, held, deposited, withdrawn, fees, transferred,
                deficit, version, last_movement_at, head_hash)
            SELECT {account.Shard}, '{account.Id}', 'USDTERC20', '{account.Wallet}', {postings} * 1000000::numeric, 0, 0,
                {postings} * 1000000::numeric, 0, 0, 0, 0, {postings}, now(), '\x00'
            """);
        return account;
    }

    private static async Task<HttpConnection> Open(ServerProcess server, BenchAccount account)
    {
        using var http = new HttpClient();
        return await HttpConnection.Open(server.Product, "/user/balances/history/?currency=USDTERC20&period=30d&interval=hourly",
            $"Authorization: Bearer {await account.Token(http, server.Product)}");
    }

    private static async Task<double> Time(HttpConnection connection)
    {
        var start = Stopwatch.GetTimestamp();
        await connection.Get();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
}
