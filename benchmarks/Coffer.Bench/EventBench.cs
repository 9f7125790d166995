using Coffer.Chains;
using Coffer.Ledger;
using Coffer.Server;
using Coffer.Server.Chain;
using Coffer.Server.Ledger;

namespace Coffer.Bench;

/// <summary>
/// What alerts and events cost the ledger's write path: the same deposits through the product's writers, each of the two postings of a deposit
/// with an event that commits with it, and every account with an alert, against the same writers without any of it. Both take turns, in short
/// rounds, so that what else the machine does meets both; what they use of the cores decides. No traffic tells more: with transfers, or accounts
/// that watch nothing, it costs less.
/// </summary>
internal static class EventBench
{
    private const int Accounts = 100_000;
    private const int Callers = 2_048;
    private const double Claim = 15;
    private static readonly TimeSpan _begin = TimeSpan.FromMilliseconds(100);

    private static readonly Currency _usdt = BenchAccounts.Currencies.Find("USDTERC20");
    private static readonly string _run = Guid.NewGuid().ToString("N");
    private static long _serial;

    private static readonly (string Name, Func<ILedgerGuest[]> Guests, bool Told)[] _ways =
    [
        ("without", () => [], false),
        ("alerts", () => LedgerGuests.All(TimeProvider.System), false),
        ("alerts and events", () => LedgerGuests.All(TimeProvider.System), true),
    ];

    /// <summary>The bare writers, then withdrawals over HTTP.</summary>
    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        await RunWriters(rig, table, quick);
        await RunWithdrawals(rig, table, quick);
    }

    private static async Task RunWriters(Rig rig, ResultTable table, bool quick)
    {
        var rounds = quick ? 4 : 12;
        var each = TimeSpan.FromSeconds(quick ? 1 : 2);
        var per = new (double Seconds, double Cpu, double Postings)[_ways.Length];
        await Fill(rig);
        for (var round = -1; round < rounds; round++)
        {
            for (var way = 0; way < _ways.Length; way++)
            {
                await using var ledger = new LedgerWriters(PostingBench.Shards, rig.Db, rig.Ids, TimeProvider.System, _ways[way].Guests());
                var before = Cpu(rig);
                var start = TimeProvider.System.GetTimestamp();
                var result = await Load.Run(Callers, _begin, each, waits => Deposit(waits, Random.Shared.Next(Accounts), _ways[way].Told, ledger));
                var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
                // The first round compiles.
                if (round >= 0)
                    per[way] = (per[way].Seconds + seconds, per[way].Cpu + Cpu(rig) - before, per[way].Postings + (result.PerSecond * seconds));
            }
        }

        foreach (var (way, index) in _ways.Select((way, index) => (way, index)))
        {
            var (rate, cpu) = (per[index].Postings / per[index].Seconds, per[index].Cpu / per[index].Postings);
            var (bareRate, bareCpu) = (per[0].Postings / per[0].Seconds, per[0].Cpu / per[0].Postings);
            var (longer, cost) = (((bareRate / rate) - 1) * 100, ((cpu / bareCpu) - 1) * 100);
            var last = index == _ways.Length - 1;
            table.Add($"postings/s, {way.Name}", ResultTable.Number(rate), index == 0 ? "" : $"{ResultTable.Number(bareRate)} without",
                index == 0 ? $"{cpu:F1} µs of CPU" : $"{cpu:F1} µs of CPU: {cost:F0} % more; {longer:F0} % longer",
                last ? $"< {Claim} %" : "", last ? cost < Claim : null);
        }
    }

    /// <summary>
    /// The same for <c>POST /withdrawal/</c> over HTTP, each with its event, of accounts that watch their balance: what a customer's request costs
    /// the server and PostgreSQL together. The product and one without alerts and events take turns.
    /// </summary>
    private static async Task RunWithdrawals(Rig rig, ResultTable table, bool quick)
    {
        var accounts = await WithdrawalBench.Accounts(rig);
        await rig.Sql($"""
            INSERT INTO alert (shard, account_id, currency, id, wallet_id, threshold, recovery, recovery_is_usual, state, state_since, created_at, updated_at)
            SELECT shard, account_id, currency, gen_random_uuid(), wallet_id, 1, 2, true, 1, now(), now(), now() FROM balance
            WHERE wallet_id IN ({string.Join(", ", accounts.Select(account => $"'{account.Wallet}'"))})
            """);
        await rig.Sql("ANALYZE");
        await using var silent = await ServerProcess.Start(rig.ConnectionString, [], silent: true);
        await using var told = await ServerProcess.Start(rig.ConnectionString, []);
        ServerProcess[] servers = [silent, told];
        var per = new (double Cpu, double Made, double Seconds)[servers.Length];
        for (var round = -2; round < (quick ? 4 : 10); round++)
        {
            foreach (var (at, server) in servers.Index())
            {
                var connections = await Task.WhenAll(accounts.Select(account => HttpConnection.OpenPost(server.Product, "/withdrawal/",
                    WithdrawalBench.Body(account), $"X-API-Key: {account.ApiKey}")));
                var (before, start, had) = (Cpu(), TimeProvider.System.GetTimestamp(), await rig.Sql("SELECT count(*) FROM withdrawal"));
                await WithdrawalBench.Hammer(connections, c => c.Post(), _begin, TimeSpan.FromSeconds(2));
                var (cpu, seconds) = (Cpu() - before, TimeProvider.System.GetElapsedTime(start).TotalSeconds);
                if (round >= 0)
                    per[at] = (per[at].Cpu + cpu, per[at].Made + await rig.Sql("SELECT count(*) FROM withdrawal") - had, per[at].Seconds + seconds);
            }
        }

        var (without, with) = (per[0].Cpu / per[0].Made, per[1].Cpu / per[1].Made);
        var cost = ((with / without) - 1) * 100;
        table.Add("withdrawals over HTTP a second, alerts and events", ResultTable.Number(per[1].Made / per[1].Seconds),
            $"{ResultTable.Number(per[0].Made / per[0].Seconds)} without", $"{with:F0} µs of CPU: {cost:F0} % more", $"< {Claim} %", cost < Claim);

        double Cpu() => servers.Sum(server => CpuTime.Of(server.Id).Microseconds) + CpuTime.Of(rig.Postmaster).Microseconds;
    }

    /// <summary>Every balance exists before anything is measured, and every account has an alert on it.</summary>
    private static async Task Fill(Rig rig)
    {
        await using (var ledger = new LedgerWriters(PostingBench.Shards, rig.Db, rig.Ids, TimeProvider.System))
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, Accounts), new ParallelOptions { MaxDegreeOfParallelism = Callers },
                async (i, _) => await Deposit([], i, told: false, ledger));
        }

        await rig.Sql($"""
            INSERT INTO alert (shard, account_id, currency, id, wallet_id, threshold, recovery, recovery_is_usual, state, state_since, created_at, updated_at)
            SELECT shard, account_id, currency, gen_random_uuid(), wallet_id, 1, 2, true, 1, now(), now(), now() FROM balance
            WHERE currency = '{_usdt.Code}' AND available > 1
            """);
        await rig.Sql("VACUUM ANALYZE alert, balance, posting, movement_made, movement_change, flow_hour");
    }

    private static async Task Deposit(List<float> waits, int index, bool told, LedgerWriters ledger)
    {
        var account = new AccountId(new Guid(index, 3, 0, new byte[8]));
        var wallet = new WalletId(new Guid(index, 4, 0, new byte[8]));
        var txid = $"0x{_run}{Interlocked.Increment(ref _serial):x32}";
        var reference = Reference.Of($"ethereum:{txid}:token:0");
        var shard = (short)(index % PostingBench.Shards);
        var amount = Random.Shared.Next(1_000, 1_000_000_000);
        var seen = told ? Seen(txid, account, wallet, amount) : null;
        await Wrote(waits, ledger.Write(shard, new DepositSeen(account, wallet, _usdt, reference, amount, DateTimeOffset.UtcNow, 1) { Companion = seen }));
        await Wrote(waits, ledger.Write(shard, new DepositConfirmed(account, wallet, _usdt, reference, 0, 1) { Companion = seen }));
    }

    private static Observation Seen(string txid, AccountId account, WalletId wallet, int amount) => new()
    {
        TxId = txid,
        Kind = TransferKind.Token,
        Ordinal = 0,
        Height = 20_000_000,
        BlockHash = txid,
        BlockTime = DateTimeOffset.UtcNow,
        Address = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045",
        Shard = (short)0,
        Account = account,
        Wallet = wallet,
        Amount = amount,
    };

    private static async Task Wrote(List<float> waits, Task<Outcome> write) => (await Load.Timed(waits, write)).Accepted();

    private static double Cpu(Rig rig) => (CpuTime.Of(Environment.ProcessId) + CpuTime.Of(rig.Postmaster)).Microseconds;
}
