using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Npgsql;

namespace Coffer.Tests.Ledger;

/// <summary>
/// Random commands against the real ledger, over two servers on one database, and against an auditor who predicts every outcome and every
/// figure. Repeat a failure with COFFER_MODEL_SEED; run longer with COFFER_MODEL_OPERATIONS.
/// </summary>
public sealed class ModelTests(TestCluster cluster)
{
    private const long OperationsDefault = 100_000;
    private const int RoundsPerPlan = 12;
    private static readonly string[] Periods = ["24h", "7d", "30d"], Intervals = ["hourly", "daily"];
    private static readonly string[] Codes = ["ETH", "USDTERC20", "BTC"];
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_outcome_and_every_figure_of_every_endpoint_is_what_an_independent_auditor_predicts()
    {
        var seed = Setting("COFFER_MODEL_SEED") is { } given ? ulong.Parse(given, CultureInfo.InvariantCulture)
            : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) >> 16;
        var wanted = Setting("COFFER_MODEL_OPERATIONS") is { } asked ? long.Parse(asked, CultureInfo.InvariantCulture) : OperationsDefault;
        var time = new FakeTime(TestLedger.Noon);
        await using var first = await World.Start(cluster, new Settings { RequestsPerSecond = 1_000_000 }, time);
        await using var second = await World.StartOn(first.Database, null, time);
        long operations = 0;
        for (var plan = seed; operations < wanted; plan++)
        {
            try
            {
                operations += await Play(plan, first, second, time);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Repeat with COFFER_MODEL_SEED={plan}: {fault.Message}", fault);
            }
        }

        var report = await Verify.Run(first.App.Db, TimeProvider.System, Ct);
        Assert.True(report.Clean, $"COFFER_MODEL_SEED={seed}: {string.Join('\n', report.Findings)}");
        TestContext.Current.SendDiagnosticMessage($"{operations} operations, {report.Postings} postings, proved in {report.Milliseconds} ms");
    }

    private static async Task<long> Play(ulong seed, World first, World second, FakeTime time)
    {
        // Nothing of the plan before is left, so that a seed repeats.
        var start = time.Now = TestLedger.Noon.AddMinutes(seed % 1_440);
        var prices = await Prices(first, start);
        var accounts = await Task.WhenAll(Enumerable.Range(0, ModelSteps.Accounts).Select(async _ =>
        {
            var account = await first.Account();
            WalletId[] wallets = [account.DefaultWallet, await account.Wallet("Cold"), await account.Wallet("Zebra")];
            return new ModelAccount(account, wallets, [.. Codes.Select(World.AllCurrencies.Find)]);
        }));
        long operations = 0;
        var rounds = ModelSteps.Plan(seed, RoundsPerPlan);
        for (var i = 0; i < rounds.Count; i++)
        {
            var round = rounds[i];
            await Task.WhenAll(accounts.Select((account, n) => Task.Run(() => Run(account, (n + i) % 6,
                [.. round.Steps.Where(step => step.Account == n)], first, second, time.Now), Ct)));
            operations += round.Steps.Count;
            time.Now = time.Now.AddMinutes(round.Minutes);
        }

        await Task.WhenAll(accounts.Select((account, n) => Task.Run(async () =>
        {
            await CheckTables(account, first);
            await CheckEndpoints(account, n == (int)(seed % ModelSteps.Accounts), prices, n % 2 == 0 ? first : second, start, time.Now);
        }, Ct)));
        return operations;
    }

    /// <summary>How an account's steps reach the servers: all at once in one queue, one by one over both, or each twice at the same time.</summary>
    private static async Task Run(ModelAccount account, int manner, IReadOnlyList<Step> steps, World first, World second, DateTimeOffset now)
    {
        if (manner > 1)
        {
            var all = steps.Select(step => account.Next(step, now)).ToList();
            var outcomes = await (manner % 2 == 0 ? first : second).App.Ledger.WriteAll(account.Shard, all.Select(one => one.Command));
            for (var i = 0; i < all.Count; i++) Compare(account, all[i].Command, all[i].Verdict, outcomes[i], now);
            return;
        }

        foreach (var step in steps)
        {
            var (command, verdict) = account.Next(step, now);
            var server = step.Pick % 2 == 0 ? first : second;
            var outcome = server.App.Ledger.Write(account.Shard, command);
            var twin = manner == 1 ? (server == first ? second : first).App.Ledger.Write(account.Shard, command) : null;
            Compare(account, command, verdict, await outcome, now);
            if (twin is null) continue;
            Compare(account, command, verdict, await twin, now);
            var made = (await outcome).Movement;
            if (made is not null) Assert.Equal(made.Id, (await twin).Movement!.Id);
            if (verdict.Changed && command is RequestWithdrawal or Transfer or Correct)
                Assert.True((await outcome).Replayed != (await twin).Replayed || !verdict.Changed, $"{command} was made twice, or by neither");
        }
    }

    private static void Compare(ModelAccount account, Command command, Verdict verdict, Outcome outcome, DateTimeOffset now)
    {
        var refusal = outcome.Refusal;
        Assert.True(verdict.Refusal == refusal?.Code.ToString(), $"{command}: auditor {verdict}, ledger {outcome}");
        if (verdict.Required is { } required)
        {
            Assert.Equal(verdict.Available, Digits(refusal!.Details!["available"], command.Currency.Decimals));
            Assert.Equal(required, Digits(refusal.Details["required"], command.Currency.Decimals));
        }

        if (refusal is null)
            Assert.True(Same(verdict.Movement, outcome.Movement), $"{command}: auditor {verdict.Movement}, ledger {outcome.Movement}");
        if (outcome.Movement is { } made)
        {
            account.Names.TryAdd(made.Reference.Text, (made.Id, now));
            Assert.Equal(account.Names[made.Reference.Text].Id, made.Id);
        }
    }

    private static bool Same(AuditedMovement? a, Movement? m) => a is null || m is null ? a is null && m is null
        : (a.Kind, a.State, a.Wallet, a.To, a.Currency, a.Amount, a.Fee, a.Sighting, a.Effective, a.Updated, a.Words, a.Reference)
            == (m.Kind.ToString(), m.State.ToString(), m.Wallet, m.ToWallet, m.Currency, m.Amount, m.Fee, m.Sighting, m.EffectiveAt, m.UpdatedAt,
                m.Description, m.Reference.Text);

    private static async Task CheckTables(ModelAccount account, World world)
    {
        await using var connection = new NpgsqlConnection(world.Database);
        await connection.OpenAsync(Ct);
        async Task<List<string>> Rows(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = account.Account.Id.Value } } };
            await using var reader = await command.ExecuteReaderAsync(Ct);
            var rows = new List<string>();
            while (await reader.ReadAsync(Ct)) rows.Add(reader.GetString(0));
            return rows;
        }

        static string Micros(DateTimeOffset t) => ((t - DateTimeOffset.UnixEpoch).Ticks / 10).ToString(CultureInfo.InvariantCulture);
        const string Time = "(extract(epoch from {0}) * 1000000)::bigint";
        Assert.Equal(account.Book.Purses.Select(p => $"{p.Key.Currency} {p.Key.Wallet} {p.Value.Free} {p.Value.Coming} {p.Value.Reserved} "
            + $"{p.Value.Received} {p.Value.Gone} {p.Value.Fees} {p.Value.Moved} {p.Value.Owed} {p.Value.Entries} {Micros(p.Value.Last)}"), await Rows($"""
            SELECT concat_ws(' ', currency, wallet_id, available, incoming, held, deposited, withdrawn, fees, transferred, deficit, version,
                {string.Format(CultureInfo.InvariantCulture, Time, "last_movement_at")})
            FROM balance WHERE account_id = $1 ORDER BY currency, wallet_id
            """));
        static DateTimeOffset Hour(DateTimeOffset t) => new(t.UtcTicks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour, TimeSpan.Zero);
        var hours = account.Book.Flows.GroupBy(f => (f.Currency, f.Wallet.Value, At: Hour(f.At)))
            .Select(g => (g.Key, In: Sum(g, f => f.In), Out: Sum(g, f => f.Out), g.Sum(f => f.InCount), g.Sum(f => f.OutCount)))
            .Where(h => (h.In, h.Out, h.Item4, h.Item5) != (BigInteger.Zero, BigInteger.Zero, 0, 0)).OrderBy(h => h.Key)
            .Select(h => $"{h.Key.Currency} {h.Key.Value} {Micros(h.Key.At)} {h.In} {h.Out} {h.Item4} {h.Item5}");
        Assert.Equal(hours, await Rows($"""
            SELECT concat_ws(' ', currency, wallet_id, {string.Format(CultureInfo.InvariantCulture, Time, "hour")}, deposits, withdrawals,
                deposit_count, withdrawal_count)
            FROM flow_hour WHERE account_id = $1 AND (deposits, withdrawals, deposit_count, withdrawal_count) <> (0, 0, 0, 0)
            ORDER BY currency, wallet_id, hour
            """));
        var movements = account.Book.Movements.Values.Select(m => $"{m.Reference} {m.Kind} {m.State} {m.Amount} {m.Fee}");
        Assert.Equal(movements.Order(StringComparer.Ordinal), (await Rows("""
            SELECT concat_ws(' ', reference_text, (ARRAY['Deposit', 'Withdrawal', 'Transfer', 'Correction'])[kind],
                (ARRAY['Seen', 'Confirmed', 'Reversed', 'Requested', 'Settled', 'Failed', 'Completed'])[state], amount, fee)
            FROM movement WHERE account_id = $1
            """)).Order(StringComparer.Ordinal));
    }

    private static async Task CheckEndpoints(
        ModelAccount account, bool all, IReadOnlyList<(string, DateTimeOffset, BigInteger)> prices, World world, DateTimeOffset opened, DateTimeOffset now)
    {
        (WalletId, string)[] names = [(account.Wallets[0], "Default Wallet"), (account.Wallets[1], "Cold"), (account.Wallets[2], "Zebra")];
        var answers = new AuditorAnswers(account.Book, prices, names, opened);
        var token = await account.Account.Token();
        async Task Check(string path, JsonObject expected)
        {
            var got = await world.Send(HttpMethod.Get, path, null, ("Authorization", $"Bearer {token}"));
            Assert.True(got.Status == 200, $"{path}: {got.Text}");
            var actual = JsonNode.Parse(got.Body);
            Assert.True(JsonNode.DeepEquals(expected, actual),
                $"{path}\nauditor {expected.ToJsonString()}\nserver  {actual!.ToJsonString()}");
        }

        foreach (var wallet in account.Wallets)
            await Check($"/wallets/balances?wallet_id={wallet}", answers.Wallet(wallet));
        foreach (var (path, page) in answers.Transactions(account.Names, 100))
            await Check(path, page);
        await Check("/user/balances/", answers.Account(now));
        await Check("/user/balances/?currency=eth", answers.Account(now, "ETH"));
        foreach (var period in Periods)
        {
            foreach (var interval in Intervals)
            {
                foreach (var code in all ? [null, .. Codes] : (string?[])[null])
                    await Check($"/user/balances/history/?period={period}&interval={interval}{(code is null ? "" : $"&currency={code}")}",
                        answers.History(code, period, interval, now));
            }
        }
    }

    /// <summary>A few prices around the plan, one that is gone before its window among them; BTC has none. Those of the plan before go.</summary>
    private static async Task<IReadOnlyList<(string, DateTimeOffset, BigInteger)>> Prices(World world, DateTimeOffset start)
    {
        (string Code, int Hours, string Usd18)[] prices =
        [
            ("ETH", -800, "3123450000000000000000"), ("ETH", -100, "2999990000000000000001"), ("ETH", -3, "3000000000000000000000"),
            ("USDTERC20", -200, "999500000000000000"),
        ];
        await world.Execute("DELETE FROM rate_hour");
        var all = new List<(string, DateTimeOffset, BigInteger)>();
        foreach (var (code, hours, text) in prices)
        {
            var (at, usd) = (start.AddHours(hours).AddMinutes(7 - start.Minute), BigInteger.Parse(text, CultureInfo.InvariantCulture));
            all.Add((code, at, usd));
            await world.Execute(
                "INSERT INTO rate_hour (currency, hour, usd, at, source) VALUES ($1, date_trunc('hour', $3, 'UTC'), $2, $3, 'test')",
                code, usd, at.UtcDateTime);
        }

        return all;
    }

    private static BigInteger Sum<T>(IEnumerable<T> all, Func<T, BigInteger> part) => all.Aggregate(BigInteger.Zero, (sum, one) => sum + part(one));

    private static BigInteger Digits(object text, int decimals)
    {
        var parts = ((string)text).Split('.');
        return BigInteger.Parse(parts[0] + parts.ElementAtOrDefault(1)?.PadRight(decimals, '0')[..decimals], CultureInfo.InvariantCulture);
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
