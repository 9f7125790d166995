using System.Globalization;
using Coffer.Ledger;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Tests.Ledger;

/// <summary>
/// The bank test under fire: customers move money without a pause while the server is killed, its connections are cut, PostgreSQL is stopped
/// hard and replies to COMMIT are lost. What was acknowledged is there, what was refused is not, what was never answered happened once or
/// not at all, and an auditor who replays all of it has every figure. COFFER_FIRE_ROUNDS runs longer.
/// </summary>
public sealed class FireTests : IAsyncLifetime
{
    private const int RoundsDefault = 14, Clients = 8, Faults = 6;
    private static readonly TimeSpan Before = TimeSpan.FromMilliseconds(250), After = TimeSpan.FromMilliseconds(450);

    /// <summary>Longest that a customer waits for an answer, whatever happens; bounded tries, then "come again".</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string data = Directory.CreateTempSubdirectory("coffer-fire-").FullName;
    private EmbeddedCluster cluster = null!;
    private FireProxy proxy = null!;
    private FireServer server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Proxied => new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Host = proxy.Host }.ConnectionString;

    public async ValueTask InitializeAsync()
    {
        cluster = await EmbeddedCluster.Start(data, TimeProvider.System, Ct);
        await Migrations.Apply(cluster.ConnectionString, TimeProvider.System, Ct);
        proxy = new FireProxy(new NpgsqlConnectionStringBuilder(cluster.ConnectionString).Host!);
        server = FireServer.Start(Proxied);
    }

    public async ValueTask DisposeAsync()
    {
        server?.Dispose();
        proxy?.Dispose();
        if (cluster is not null) await cluster.DisposeAsync();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_nothing_happens_twice_whatever_is_killed_or_cut()
    {
        var rounds = Environment.GetEnvironmentVariable("COFFER_FIRE_ROUNDS") is { Length: > 0 } wanted
            ? int.Parse(wanted, CultureInfo.InvariantCulture) : RoundsDefault;
        var (answered, open, longest) = (0, 0, TimeSpan.Zero);
        for (var round = 0; round < rounds; round++)
        {
            var shared = 500_000 + round;
            Assert.StartsWith("made", await server.Send(new Correct(TestLedger.Account(shared), TestLedger.Wallet(shared), TestLedger.Eth,
                Reference.Of("fund"), 1_000_000_000, null, "x")), StringComparison.Ordinal);
            var clients = Enumerable.Range(0, Clients).Select(n => new FireClient((round * Clients) + n + 1, shared, new Random((round * 97) + n))).ToList();
            using var stop = new CancellationTokenSource();
            var running = clients.Select(client => Task.Run(() => client.Run(() => server, stop.Token), Ct)).ToList();
            await Task.Delay(Before, Ct);
            await Break(round % Faults);
            await Task.Delay(After, Ct);
            await stop.CancelAsync();
            await Task.WhenAll(running);
            foreach (var client in clients) await client.AskAgain(server, 10);

            var happened = await Happened([clients[0].Shared, .. clients.Select(client => client.Account)]);
            var because = $"round {round}";
            foreach (var client in clients) await Replay(client.Account, client.History, happened, because);
            await Replay(clients[0].Shared, [(new Correct(TestLedger.Account(shared), TestLedger.Wallet(shared), TestLedger.Eth, Reference.Of("fund"),
                1_000_000_000, null, "x"), "made"), .. clients.SelectMany(client => client.History)], happened, because);
            await Prove(because, round);
            answered += clients.Sum(client => client.History.Count(one => one.Answer is not null));
            open += clients.Sum(client => client.History.Count(one => one.Answer is null));
            longest = clients.Max(client => client.LongestWait) is var waited && waited > longest ? waited : longest;
            Assert.True(longest < Patience, $"{because}: a customer waited {longest}");
        }

        Assert.True(rounds < Faults || proxy.Lost > 0, "no reply to COMMIT was ever lost");
        Assert.True(answered > rounds * Clients, "hardly anything was answered");
        TestContext.Current.SendDiagnosticMessage($"{rounds} rounds, {answered} answered, {open} left open, {proxy.Lost} replies lost, longest {longest}");
    }

    private async Task Break(int fault)
    {
        switch (fault)
        {
            case 0:
                await server.Kill();
                server.Dispose();
                server = FireServer.Start(Proxied);
                break;
            case 1:
                for (var i = 0; i < 5; i++)
                {
                    await Query("SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE application_name LIKE 'coffer%'");
                    await Task.Delay(20, Ct);
                }

                break;
            case 2:
                proxy.LoseReplies(4);
                break;
            case 3:
                var postmaster = new Postmaster(Path.Combine(data, "cluster"));
                Postmaster.Signal(postmaster.Running()!.Value.Pid, Postmaster.Quit);
                while (postmaster.Running() is not null) await Task.Delay(5, Ct);
                await cluster.DisposeAsync();
                cluster = await EmbeddedCluster.Start(data, TimeProvider.System, Ct);
                break;
            case 4:
                proxy.CutBefore(4);
                break;
            default:
                for (var i = 0; i < 5; i++)
                {
                    proxy.CutAll();
                    await Task.Delay(20, Ct);
                }

                break;
        }
    }

    /// <summary>What an auditor who has the customers' papers expects of an account is what its balances say.</summary>
    private async Task Replay(AccountId account, IEnumerable<(Command Command, string? Answer)> history,
        Dictionary<(AccountId, string, PostingKind), int> happened, string because)
    {
        var book = new AuditorModel();
        foreach (var (command, answer) in history.Where(one => one.Command.Account == account))
        {
            var times = happened.GetValueOrDefault((account, command.Reference.Text, KindOf(command)));
            Assert.True(times <= 1, $"{because}: {command} happened {times} times");
            Assert.False(answer?.StartsWith("fault", StringComparison.Ordinal) == true, $"{because}: {command}: {answer}");
            if (answer is null && times == 0) continue;
            var verdict = book.Take(command, TestLedger.Noon);
            var refused = answer?.StartsWith("no ", StringComparison.Ordinal) == true;
            Assert.True(verdict.Refusal == (refused ? answer![3..] : null), $"{because}: {command}: answered {answer ?? "nothing"}, the auditor says {verdict}");
            Assert.True(!verdict.Changed || times == 1, $"{because}: {command}: answered {answer}, but it is not there");
            Assert.True(!refused || times == 0, $"{because}: {command}: answered {answer}, but it is there");
        }

        Assert.Equal(book.Purses.Select(p => $"{p.Key.Wallet} {p.Value.Free} {p.Value.Coming} {p.Value.Reserved} {p.Value.Received} {p.Value.Gone} "
            + $"{p.Value.Fees} {p.Value.Moved} {p.Value.Owed} {p.Value.Entries}"), await Query($"""
            SELECT concat_ws(' ', wallet_id, available, incoming, held, deposited, withdrawn, fees, transferred, deficit, version)
            FROM balance WHERE account_id = '{account}' ORDER BY wallet_id
            """));
    }

    private static PostingKind KindOf(Command command) => command switch
    {
        DepositSeen => PostingKind.DepositSeen,
        DepositConfirmed => PostingKind.DepositConfirmed,
        DepositReversed => PostingKind.DepositReversed,
        RequestWithdrawal => PostingKind.WithdrawalRequested,
        SettleWithdrawal => PostingKind.WithdrawalSettled,
        FailWithdrawal => PostingKind.WithdrawalFailed,
        Transfer => PostingKind.TransferOut,
        Correct correct => correct.Amount > 0 ? PostingKind.CorrectionIn : PostingKind.CorrectionOut,
        _ => throw new NotSupportedException(),
    };

    private async Task<Dictionary<(AccountId, string, PostingKind), int>> Happened(IEnumerable<AccountId> accounts)
    {
        var rows = await Query($"""
            SELECT concat_ws('|', p.account_id, m.reference_text, p.kind, count(*)) FROM posting p
            JOIN movement m ON m.shard = p.shard AND m.account_id = p.account_id AND m.id = p.movement_id
            WHERE p.account_id IN ('{string.Join("', '", accounts)}') GROUP BY p.account_id, m.reference_text, p.kind
            """);
        return rows.Select(row => row.Split('|')).ToDictionary(row => (new AccountId(Guid.Parse(row[0])), row[1],
            (PostingKind)short.Parse(row[2], CultureInfo.InvariantCulture)), row => int.Parse(row[3], CultureInfo.InvariantCulture));
    }

    private async Task Prove(string because, int round)
    {
        // The ledger grows with every round; in long runs every tenth is proved.
        if (round >= RoundsDefault && round % 10 != 0) return;
        await using var db = new Db(cluster.ConnectionString, TimeProvider.System);
        var report = await Verify.Run(db, TimeProvider.System, Ct);
        Assert.True(report.Clean, $"{because}: {string.Join('\n', report.Findings)}");
    }

    private async Task<List<string>> Query(string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var rows = new List<string>();
        while (await reader.ReadAsync(Ct)) rows.Add(reader.GetString(0));
        return rows;
    }
}
