using System.Globalization;
using System.Security.Cryptography;
using Coffer.Chains.Simulated;
using Coffer.Server.Auth;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Coffer.Server.Wallets;
using Npgsql;

namespace Coffer.Tests.Ledger;

/// <summary>
/// The bank under fire as its customers see it: the real server process, over HTTP, with deposits, blocks, transfers and withdrawals under
/// Idempotency-Keys, while the process is killed, its connections are cut, PostgreSQL is stopped hard and replies to COMMIT are lost.
/// In the end everything is answered, and the customers' own papers predict every figure. COFFER_FIRE_ROUNDS runs longer.
/// </summary>
public sealed class FireOverHttpTests : IAsyncLifetime
{
    private const int RoundsDefault = 6, Customers = 4, Faults = 6, Shards = 2, HeldMax = 16;
    private static readonly TimeSpan Before = TimeSpan.FromMilliseconds(500), After = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(30);

    private readonly string data = Directory.CreateTempSubdirectory("coffer-fire-").FullName;
    private EmbeddedCluster cluster = null!;
    private FireProxy proxy = null!;
    private FireHttp server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        cluster = await EmbeddedCluster.Start(data, TimeProvider.System, Ct);
        proxy = new FireProxy(new NpgsqlConnectionStringBuilder(cluster.ConnectionString).Host!);
        server = new FireHttp(new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Host = proxy.Host }.ConnectionString);
        await server.Start();
    }

    public async ValueTask DisposeAsync()
    {
        server?.Dispose();
        proxy?.Dispose();
        if (cluster is not null) await cluster.DisposeAsync();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Every_customer_finds_each_of_his_requests_done_once_whatever_is_killed_or_cut()
    {
        var rounds = Environment.GetEnvironmentVariable("COFFER_FIRE_ROUNDS") is { Length: > 0 } wanted
            ? int.Parse(wanted, CultureInfo.InvariantCulture) : RoundsDefault;
        var (done, refused, again, reads, longest) = (0, 0, 0, 0, TimeSpan.Zero);
        for (var round = 0; round < rounds; round++)
        {
            var customers = await Open(round);
            await Task.WhenAll(customers.Select(customer => customer.Begin()));
            using var stop = new CancellationTokenSource();
            var running = Task.WhenAll(customers.Select(customer => customer.Run(stop.Token)));
            await Task.WhenAny(running, Task.Delay(Before, Ct));
            await Break(round % Faults);
            await Task.WhenAny(running, Task.Delay(After, Ct));
            await stop.CancelAsync();
            await LetTimePass(running);
            await Task.WhenAll(customers.Select(customer => customer.AskAgain()));
            foreach (var customer in customers) await customer.Summary();
            // Three blocks are what BTC asks for: everything that was under way has arrived then.
            await Task.WhenAll(customers.Select(customer => customer.Mine(3)));
            foreach (var customer in customers) await Prove(customer);
            await ProveLedger(round);
            await Task.WhenAll(customers.Select(customer => customer.AskAgain()));

            var requests = customers.SelectMany(customer => customer.Requests).ToList();
            done += requests.Count(request => request.IsDone);
            refused += requests.Count(request => !request.IsDone);
            again += requests.Count(request => request.Tries > 1);
            reads += customers.Sum(customer => customer.Reads);
            longest = customers.Max(customer => customer.LongestWait) is var waited && waited > longest ? waited : longest;
        }

        Assert.DoesNotContain("failed unexpectedly", server.Said, StringComparison.Ordinal);
        Assert.True(rounds < Faults || (proxy.Lost > 0 && again > 0), $"{proxy.Lost} replies lost, {again} sent again: that was no fire");
        Assert.True(done > rounds * Customers * 10, "hardly anything was done");
        TestContext.Current.SendDiagnosticMessage($"{rounds} rounds, {done} done, {refused} refused, {again} sent again, {reads} reads, "
            + $"{proxy.Lost} replies lost, longest {longest}");
    }

    private async Task Break(int fault)
    {
        switch (fault)
        {
            case 0:
                await KillWhileCommitting();
                await Task.Delay(Before, Ct);
                await KillWhileCommitting();
                break;
            case 1:
                for (var i = 0; i < 5; i++)
                {
                    await Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'coffer%'");
                    await Task.Delay(50, Ct);
                }

                break;
            case 2:
                proxy.LoseReplies(12);
                break;
            case 3:
                var postmaster = new Postmaster(Path.Combine(data, "cluster"));
                var start = TimeProvider.System.GetTimestamp();
                Postmaster.Signal(postmaster.Running()!.Value.Pid, Postmaster.Quit);
                while (postmaster.Running() is not null)
                {
                    Assert.True(TimeProvider.System.GetElapsedTime(start) < StopMax, "PostgreSQL does not stop");
                    await Task.Delay(5, Ct);
                }

                await cluster.DisposeAsync();
                cluster = await EmbeddedCluster.Start(data, TimeProvider.System, Ct);
                break;
            case 4:
                proxy.CutBefore(12);
                break;
            default:
                for (var i = 0; i < 5; i++)
                {
                    proxy.CutAll();
                    await Task.Delay(50, Ct);
                }

                await KillWhileCommitting();
                break;
        }
    }

    /// <summary>The moment in which a server that forgets would do it twice: it is in the ledger, and nobody was told.</summary>
    private async Task KillWhileCommitting()
    {
        var (lost, start) = (proxy.Lost, TimeProvider.System.GetTimestamp());
        proxy.HoldReplies(HeldMax);
        // Once both lanes of the ledger are among them, everybody waits.
        while (proxy.Lost - lost < HeldMax && TimeProvider.System.GetElapsedTime(start) < Before) await Task.Delay(5, Ct);
        await server.Kill();
        proxy.LetGo();
        await server.Start();
    }

    /// <summary>
    /// Waits until everybody is done, and makes the claims of requests older all the while: what a dead process claimed is free after
    /// <see cref="IdempotencyApi.ClaimSeconds"/>, and work that lives must stand being taken for dead.
    /// </summary>
    private async Task LetTimePass(Task running)
    {
        while (await Task.WhenAny(running, Task.Delay(300, Ct)) != running)
        {
            await Execute($"""
                UPDATE idempotency_key SET claimed_at = claimed_at - interval '{IdempotencyApi.ClaimSeconds} seconds' WHERE status IS NULL
                """);
        }

        await running;
    }

    private async Task<List<FireCustomer>> Open(int round)
    {
        await using var db = new Db(cluster.ConnectionString, TimeProvider.System);
        var ids = new Ids(TimeProvider.System, RandomNumberGenerator.Fill);
        var issue = new IssueCredential(db, ids, RandomNumberGenerator.Fill, TimeProvider.System);
        List<FireCustomer> customers = [];
        for (var n = 0; n < Customers; n++)
        {
            var (account, first) = await CreateAccount.Run(db, ids, TimeProvider.System, Shards, $"Customer {round}.{n}", Mode.Test,
                (short)(n % Shards), Ct);
            var second = await CreateWallet.Run(db, ids, TimeProvider.System, account.Id, account.Shard, "Second", Ct);
            var (key, _) = await issue.ApiKey(account, "fire", Scopes.Read | Scopes.Write, null, null, null, Ct);
            var (_, client) = await issue.Client(account, "fire", Scopes.Read, Ct);
            var token = await issue.Token(client, Scopes.Read, TimeSpan.FromHours(1), Ct);
            customers.Add(new FireCustomer(server, account.Id, key, token, [first.Id.ToString(), second.Id.ToString()], (round * 97) + n));
        }

        return customers;
    }

    /// <summary>The customer's papers against what the server shows, and against the chain.</summary>
    private async Task Prove(FireCustomer customer)
    {
        var done = customer.Requests.Where(request => request.IsDone && request.Kind != FireCustomer.Blocks).ToList();
        var moved = done.ToDictionary(request => request.Movement);
        var listed = await customer.Movements();
        foreach (var movement in listed)
        {
            var name = movement.GetProperty(movement.GetProperty("type").GetString() == "deposit" ? "transaction_hash" : "id").GetString()!;
            Assert.True(moved.Remove(name, out var request), $"nobody asked for {movement}, or it happened twice");
            Assert.Equal((request.Kind, request.Amount, "completed"), (movement.GetProperty("type").GetString()!,
                FireCustomer.Units(movement, "amount"), movement.GetProperty("status").GetString()!));
        }

        Assert.True(moved.Count == 0, $"acknowledged, and not there: {string.Join('\n', moved.Values)}");
        for (var wallet = 0; wallet < customer.Wallets.Count; wallet++)
        {
            var predicted = done.Sum(request =>
                (request.Kind != FireCustomer.Withdrawal && request.To == wallet ? request.Amount : 0)
                - (request.Kind != FireCustomer.Deposit && request.From == wallet ? Taken(request) : 0));
            Assert.Equal((predicted, 0L), await customer.WalletBalance(wallet));
        }

        var summary = await customer.Summary();
        var withdrawals = done.Where(request => request.Kind == FireCustomer.Withdrawal).ToList();
        Assert.Equal(done.Where(request => request.Kind == FireCustomer.Deposit).Sum(request => request.Amount),
            FireCustomer.Units(summary, "total_deposited"));
        Assert.Equal(withdrawals.Sum(Taken), FireCustomer.Units(summary, "total_withdrawn"));
        Assert.Equal(withdrawals.Count * FireCustomer.Fee, FireCustomer.Units(summary, "total_fees_paid"));

        await using var db = new Db(cluster.ConnectionString, TimeProvider.System);
        var log = new SimulatedLog(db, customer.Account, TimeProvider.System);
        using var chain = new SimulatedChain(SimulatedChain.IdOf(customer.Account), log);
        var blocks = await chain.Blocks(0, SimulatedLimits.HeightMax, Ct);
        var paid = blocks.SelectMany(block => block.Transfers).ToLookup(transfer => transfer.Address);
        foreach (var request in withdrawals)
            Assert.True((long)Assert.Single(paid[request.Address!]).Amount == request.Amount, $"{request} was not paid so");
        // A stranger's address that was refused, or that nobody named, got nothing.
        var named = withdrawals.Select(request => request.Address!).ToHashSet();
        Assert.DoesNotContain(customer.Requests, request => request.Address is { } to && !named.Contains(to) && paid.Contains(to));
        Assert.Empty(await chain.Mempool(Ct));
    }

    private static long Taken(FireRequest request) => request.Amount + (request.Kind == FireCustomer.Withdrawal ? FireCustomer.Fee : 0);

    private async Task ProveLedger(int round)
    {
        // The ledger grows with every round; in long runs every tenth is proved.
        if (round >= RoundsDefault && round % 10 != 0) return;
        await using var db = new Db(cluster.ConnectionString, TimeProvider.System);
        var report = await Verify.Run(db, TimeProvider.System, Ct);
        Assert.True(report.Clean, $"round {round}: {string.Join('\n', report.Findings)}");
    }

    private async Task Execute(string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
