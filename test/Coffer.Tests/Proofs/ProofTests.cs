using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Proofs;
using Coffer.Server.Sql;
using Coffer.Tests.Chains;
using Coffer.Tests.Dashboard;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Proofs;

/// <summary>Proofs are run when asked for and each day, once for all servers, and say on the operator's page what they found.</summary>
public sealed class ProofTests(TestCluster cluster)
{
    private static readonly Proven _fine = new(ProofResult.Holds, "All read.", 0, []);
    private readonly FakeTime _time = new(new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_asks_for_a_proof_and_sees_what_it_found()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        var operators = await Browser.SignedIn(account, "olga", Role.Operator);
        Assert.Contains("Nothing was proven yet", (await operators.Get("/dashboard/operator")).Text, StringComparison.Ordinal);
        var deposit = $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"USDTERC20","amount":"100"}""";
        await world.Send(HttpMethod.Post, "/sandbox/deposits", deposit, ("X-API-Key", key));
        await world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":20}""", ("X-API-Key", key));

        Assert.Equal(302, (await operators.Submit("/dashboard/operator", "/dashboard/operator?handler=Prove")).Status);
        var page = await operators.Sees("/dashboard/operator", ">Holds</span>");
        Assert.Contains("<td>olga</td><td>2 postings, 1 movements, 1 balances and 1 hours read.</td>", page, StringComparison.Ordinal);

        await world.Execute("UPDATE balance SET available = available + 1, deposited = deposited + 1");
        await operators.Submit("/dashboard/operator", "/dashboard/operator?handler=Prove");
        page = await operators.Sees("/dashboard/operator", ">Wrong</span>");
        Assert.Contains("<h3>Ledger: 1 wrong</h3>", page, StringComparison.Ordinal);
        Assert.Contains($"{account.DefaultWallet.Value} USDTERC20: available is 100000001, its postings make 100000000", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_day_everything_is_proven_once_however_many_servers_there_are()
    {
        await using var db = await Database();
        var runs = 0;
        ProofSubject[] subjects = [Counts("ledger"), Counts("chain:ethereum")];
        RunProofs[] servers = [Server(db, subjects, Ct), Server(db, subjects, Ct)];
        await Round();
        // Who has just started does not begin with it.
        Assert.Equal(0, runs);
        foreach (var (hours, expected) in ((double, int)[])[(0.5, 2), (1, 2), (22, 2), (1, 4), (23.9, 4), (0.2, 6)])
        {
            _time.Now += TimeSpan.FromHours(hours);
            await Round();
            Assert.Equal((hours, expected), (hours, runs));
        }

        // A clock that was set back by a year must not end it.
        _time.Now -= TimeSpan.FromDays(365);
        await Round();
        Assert.Equal(8, runs);

        ProofSubject Counts(string name) => new(name, _ =>
        {
            Interlocked.Increment(ref runs);
            return Task.FromResult(_fine);
        });
        Task Round() => Task.WhenAll(servers.Select(server => Task.Run(async () =>
        {
            await server.AskDue(Ct);
            await server.Run(Ct);
        })));
    }

    [Fact]
    public async Task A_proof_that_is_asked_for_again_while_it_waits_or_runs_is_run_once()
    {
        await using var db = await Database();
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var runs = 0;
        ProofSubject[] subjects = [new("ledger", async _ =>
        {
            runs++;
            begun.TrySetResult();
            await go.Task;
            return _fine;
        })];
        var (one, other) = (Server(db, subjects, Ct), Server(db, subjects, Ct));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => one.Ask($"user {i}", Ct)));
        var running = one.Run(Ct);
        await begun.Task;
        await other.Ask("somebody", Ct);
        await other.Run(Ct);
        Assert.True(Assert.Single(await other.Last(Ct)).IsRunning);
        go.SetResult();
        await running;
        Assert.Equal(1, runs);
        Assert.Equal(ProofResult.Holds, Assert.Single(await other.Last(Ct)).Proven!.Result);
    }

    [Fact]
    public async Task What_a_server_that_died_had_begun_is_run_by_another()
    {
        await using var db = await Database();
        var never = new TaskCompletionSource<Proven>();
        var dead = Server(db, [new("ledger", _ => never.Task)], Ct);
        var living = Server(db, [new("ledger", _ => Task.FromResult(_fine))], Ct);
        await dead.Ask("olga", Ct);
        _ = dead.Run(CancellationToken.None);
        while ((await living.Last(Ct)) is [{ IsRunning: false }])
            await Task.Delay(10, Ct);
        await living.Run(Ct);
        Assert.Null(Assert.Single(await living.Last(Ct)).Proven);
        _time.Now += RunProofs.Silence + TimeSpan.FromSeconds(1);
        await living.Run(Ct);
        Assert.Equal(ProofResult.Holds, Assert.Single(await living.Last(Ct)).Proven!.Result);
    }

    [Fact]
    public async Task What_ends_with_the_server_is_left_to_the_next_and_what_fails_says_why()
    {
        await using var db = await Database();
        using var stopping = new CancellationTokenSource();
        var stopped = Server(db, [new("ledger", async ct =>
        {
            await stopping.CancelAsync();
            ct.ThrowIfCancellationRequested();
            return _fine;
        })], stopping.Token);
        await stopped.Ask("olga", Ct);
        await stopped.Run(Ct);
        var left = Assert.Single(await stopped.Last(Ct));
        Assert.Equal((false, null), (left.IsRunning, left.Proven));

        var next = Server(db, [new("ledger", _ => throw new InvalidOperationException("The disk is full."))], Ct);
        await next.Run(Ct);
        Assert.Equal((ProofResult.CannotTell, "It cannot be told: The disk is full."),
            (await next.Last(Ct)) is [{ Proven: { } told }] ? (told.Result, told.Summary) : default);
    }

    [Fact]
    public async Task Deposits_are_held_against_their_chain_and_every_difference_is_named()
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        var server = new RunProofs(ProofSubjects.Of(world.Db, TimeProvider.System, [world.Followed()], []), null, world.Db, Names(), _time,
            NullLogger.Instance, CancellationToken.None);
        await server.Ask("olga", Ct);
        await server.Run(Ct);
        var told = (await server.Last(Ct)).Single(proof => proof.Subject.StartsWith("chain:", StringComparison.Ordinal)).Proven!;
        Assert.Equal(ProofResult.CannotTell, told.Result);
        Assert.Contains("never followed", told.Summary, StringComparison.Ordinal);

        var txId = await world.Deposit("one", 100);
        await world.Mine(4);
        await world.Follow();
        await world.Execute($"UPDATE chain_deposit SET amount = amount + 1 WHERE tx_id = '{txId}'");
        _time.Now += TimeSpan.FromMinutes(1);
        await server.Ask("olga", Ct);
        await server.Run(Ct);
        told = (await server.Last(Ct)).Single(proof => proof.Subject.StartsWith("chain:", StringComparison.Ordinal)).Proven!;
        Assert.Equal((ProofResult.Wrong, 2), (told.Result, told.Wrong));
        Assert.Contains($"{ChainWorld.Address} holds less USDTERC20 than the books say: -1 smallest units.", told.Findings);
        Assert.Contains(told.Findings, finding => finding.Contains(txId, StringComparison.Ordinal));
    }

    private async Task<Db> Database() => new(await cluster.NewDatabase(), _time);

    private RunProofs Server(Db db, IReadOnlyList<ProofSubject> subjects, CancellationToken stopping) =>
        new(subjects, TimeSpan.FromHours(24), db, Names(), _time, NullLogger.Instance, stopping);

    private Ids Names() => new(_time, Random.Shared.NextBytes);
}
