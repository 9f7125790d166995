namespace Coffer.Bench;

/// <summary>
/// <c>GET /wallets/balances</c> with an API key over HTTP (authentication, the wallet's balances from PostgreSQL, JSON, entity tag) against a
/// constant of the same size, head and body, from a bare Kestrel in the same process. From as many connections as a busy service has, which the
/// claim is about, and from a few.
/// </summary>
internal static class ReadBench
{
    private const int Connections = 256, FewConnections = 64;
    private const double Claim = 55;

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        // A connection each for many customers: every request finds another credential, wallet and balances.
        var accounts = new List<BenchAccount>();
        while (accounts.Count < Connections)
            accounts.Add(await BenchAccounts.Make(rig, "reads"));
        await rig.Sql($"""
            INSERT INTO balance (shard, account_id, currency, wallet_id, available, incoming, held, deposited, withdrawn, fees, transferred,
                deficit, version, last_movement_at, head_hash)
            SELECT a.shard, a.account, c, a.wallet, 1000500000, 0, 0, 1000500000, 0, 0, 0, 0, 1, now(), '\x00'
            FROM (VALUES {string.Join(", ", accounts.Select(a => $"({a.Shard}, '{a.Id}'::uuid, '{a.Wallet}'::uuid)"))}) AS a(shard, account, wallet),
                unnest(ARRAY['USDTTRC20', 'USDTERC20', 'BTC']) AS c
            """);

        await rig.Sql("ANALYZE");
        (string, string)[] reads = [.. accounts.Select(a => ($"/wallets/balances?wallet_id={a.Wallet}", $"X-API-Key: {a.ApiKey}"))];
        (string, string)[] constants = [.. reads.Select(_ => ("/constant", "X-API-Key: none"))];
        byte[] answer;
        await using (var probe = await ServerProcess.Start(rig.ConnectionString, []))
        {
            using var one = await HttpConnection.Open(probe.Product, reads[0].Item1, reads[0].Item2);
            await one.Get();
            answer = one.Whole.ToArray();
        }

        await using var server = await ServerProcess.Start(rig.ConnectionString, answer);
        // The first seconds of both are the compiler's.
        var (compiling, warmUp, measured) = (TimeSpan.FromSeconds(quick ? 6 : 8), TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(quick ? 1.5 : 5));
        await Hammer(server.Bare, constants, warmUp, compiling / 3);
        await Hammer(server.Product, reads, warmUp, compiling);
        await Measure(Connections, Claim);
        if (!quick)
            await Measure(FewConnections, null);
        var megabytes = await server.WorkingSet() / 1e6;
        table.Add("server resident memory under reads, MB", ResultTable.Number(megabytes), "", "", "<= 300", megabytes <= 300);

        async Task Measure(int connections, double? claim)
        {
            var rounds = quick ? 2 : 4;
            double balanceRate = 0, constantRate = 0, p50 = 0, p99 = 0;
            for (var round = 0; round < rounds; round++)
            {
                var constant = await Hammer(server.Bare, constants[..connections], warmUp, measured);
                var balance = await Hammer(server.Product, reads[..connections], warmUp, measured);
                (balanceRate, constantRate, p50, p99) = (balanceRate + balance.PerSecond, constantRate + constant.PerSecond, p50 + balance.P50, p99 + balance.P99);
            }

            var percent = balanceRate / constantRate * 100;
            table.Add($"GET /wallets/balances a second, {connections} connections", ResultTable.Number(balanceRate / rounds),
                $"{ResultTable.Number(constantRate / rounds)} constants", $"{percent:F0} %", claim is null ? "" : $">= {claim} %",
                claim is null ? null : percent >= claim);
            table.Add($"  wait of {connections} connections", $"p50 {p50 / rounds:F2} ms", "", $"p99 {p99 / rounds:F2} ms", "", null);
        }
    }

    private static async Task<LoadResult> Hammer(Uri url, (string Path, string Header)[] requests, TimeSpan warmUp, TimeSpan measured)
    {
        var connections = await Task.WhenAll(requests.Select(r => HttpConnection.Open(url, r.Path, r.Header)));
        var free = new System.Collections.Concurrent.ConcurrentBag<HttpConnection>(connections);
        try
        {
            return await Load.Run(requests.Length, warmUp, measured, async waits =>
            {
                if (!free.TryTake(out var connection))
                    throw new InvalidOperationException("More callers than connections.");
                await Load.Timed(waits, connection.Get());
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
