using Coffer.Ledger;
using Coffer.Server.Ledger;

namespace Coffer.Tests.Ledger;

/// <summary>What a writer remembers spares it reading, and is never believed against the database.</summary>
public sealed class LedgerCacheTests(TestCluster cluster)
{
    private static readonly AccountId _account = TestLedger.Account(1);
    private static readonly WalletId _wallet = TestLedger.Wallet(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_process_s_deposit_can_be_spent_and_what_it_spent_cannot()
    {
        await using var ledger = await TestLedger.Open(cluster);
        await using var first = Writers(ledger);
        await using var second = Writers(ledger);
        await Deposit(first, "a", 100);
        await Deposit(second, "b", 100);
        Assert.Null((await first.Write(0, Withdrawal("1", 150))).Refusal);
        var refused = (await second.Write(0, Withdrawal("2", 100))).Refusal;
        Assert.Equal(RefusalCode.InsufficientBalance, refused?.Code);
        Assert.Equal("0.00005", refused!.Details!["available"]);
        Assert.Null((await first.Write(0, Withdrawal("3", 50))).Refusal);
        Assert.Empty((await ledger.Verify(Ct)).Findings);
    }

    [Fact]
    public async Task A_deposit_that_another_process_confirmed_is_not_confirmed_again()
    {
        await using var ledger = await TestLedger.Open(cluster);
        await using var first = Writers(ledger);
        await using var second = Writers(ledger);
        await first.Write(0, Seen("a", 100));
        await second.Write(0, Confirmed("a"));
        var again = await first.Write(0, Confirmed("a"));
        Assert.Equal((MovementState.Confirmed, true, (Int128)100), (again.Movement!.State, again.Replayed, again.Own!.Available));
        Assert.Equal(2, await ledger.Scalar<long>("SELECT count(*) FROM posting"));
        Assert.Empty((await ledger.Verify(Ct)).Findings);
    }

    [Fact]
    public async Task What_has_happened_already_is_answered_as_it_was_however_little_is_remembered_of_it()
    {
        await using var ledger = await TestLedger.Open(cluster);
        await using var writers = Writers(ledger);
        await Deposit(writers, "a", 100);
        var made = await writers.Write(0, Withdrawal("1", 70));
        for (var i = 0; i < 3; i++)
        {
            var again = await writers.Write(0, Withdrawal("1", 70));
            Assert.Equal((made.Movement!.Id, true), (again.Movement!.Id, again.Replayed));
        }

        Assert.Equal(RefusalCode.IdempotencyKeyReused, (await writers.Write(0, Withdrawal("1", 5))).Refusal?.Code);
        await writers.Write(0, Seen("a", 100));
        Assert.Equal(3, await ledger.Scalar<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task A_batch_in_which_a_reference_comes_for_two_wallets_is_decided_once()
    {
        await using var ledger = await TestLedger.Open(cluster);
        await using var writers = Writers(ledger);
        await Deposit(writers, "a", 100);
        var elsewhere = Withdrawal("1", 60) with { Wallet = TestLedger.Wallet(2) };
        // The first is refused and leaves nothing, the second makes the movement, the third rests on what is left.
        var outcomes = await writers.WriteAll(0, [elsewhere, Withdrawal("1", 60), Withdrawal("2", 60)]);
        Assert.Equal([RefusalCode.InsufficientBalance, null, RefusalCode.InsufficientBalance], outcomes.Select(one => one.Refusal?.Code));
        Assert.Equal((false, (Int128)40), (outcomes[1].Replayed, outcomes[1].Own!.Available));
        Assert.Equal(MovementState.Settled, (await writers.Write(0, new SettleWithdrawal(_account, _wallet, TestLedger.Usdt, Reference.Of("withdrawal 1")))).Movement!.State);
        Assert.Empty((await ledger.Verify(Ct)).Findings);
    }

    [Fact]
    public async Task Two_processes_on_the_same_balances_book_everything_once()
    {
        await using var ledger = await TestLedger.Open(cluster);
        await using var first = Writers(ledger);
        await using var second = Writers(ledger);
        // Each deposit is seen and confirmed by both, in rounds, so that both remember what the other changes.
        for (var round = 0; round < 30; round++)
        {
            var names = Enumerable.Range(0, 10).Select(i => $"{round}.{i}").ToArray();
            foreach (var command in (Func<string, Command>[])[name => Seen(name, 7), Confirmed])
            {
                var (ours, theirs) = (round % 2 == 0 ? first : second, round % 2 == 0 ? second : first);
                await Task.WhenAll(names.Select(name => ours.Write(0, command(name))));
                await Task.WhenAll(names[..5].Select(name => theirs.Write(0, command(name))).Concat(names[5..].Select(name => ours.Write(0, command(name)))));
            }
        }

        Assert.Equal(600, await ledger.Scalar<long>("SELECT count(*) FROM posting"));
        Assert.Equal(2100m, await ledger.Scalar<decimal>("SELECT available FROM balance"));
        Assert.Empty((await ledger.Verify(Ct)).Findings);
    }

    [Fact]
    public async Task A_writer_keeps_its_connection_and_what_it_remembers_whatever_others_do()
    {
        const string its = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'coffer ledger'";
        await using var ledger = await TestLedger.Open(cluster);
        await using var writers = Writers(ledger);
        await Deposit(writers, "a", 100);
        var (opened, process) = (ledger.Db.Opened, await ledger.Scalar<string>(its));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ledger.Db.Transaction(Ask, Ct)));
        for (var i = 0; i < 8; i++)
            await Deposit(writers, $"b{i}", 100);
        Assert.Equal((opened, process), (ledger.Db.Opened, await ledger.Scalar<string>(its)));
        Assert.DoesNotContain(' ', process);
    }

    [Fact]
    public async Task A_standby_that_lost_the_last_commits_is_continued_from_what_it_has()
    {
        await using var ledger = await TestLedger.Open(cluster);
        await using var writers = Writers(ledger);
        await Deposit(writers, "a", 100);
        string[] tables = ["balance", "posting", "movement_made", "movement_change", "flow_hour"];
        foreach (var table in tables)
            await ledger.Scalar<object>($"CREATE TABLE {table}_kept AS TABLE {table}", superuser: true);
        await Deposit(writers, "b", 100);
        foreach (var table in tables)
            await ledger.Scalar<object>($"TRUNCATE {table}; INSERT INTO {table} SELECT * FROM {table}_kept", superuser: true);
        await ledger.Scalar<object>("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'coffer ledger'", superuser: true);
        // Somebody else's transaction finds the broken connection, so the writer's own does not fail.
        await ledger.Db.LedgerTransaction(async (tx, ct) =>
        {
            await Ask(tx, ct);
            return true;
        });
        await Deposit(writers, "c", 5);
        Assert.Equal(105m, await ledger.Scalar<decimal>("SELECT available FROM balance"));
        Assert.Empty((await ledger.Verify(Ct)).Findings);
    }

    [Fact]
    public void What_was_committed_is_not_read_again_and_what_nothing_proves_is()
    {
        var cache = new LedgerCache(100);
        Assert.True(cache.MayUse(1));
        var batch = Decided(cache, [Seen("a", 100)], [], out _);
        Assert.Equal((1, 1), (batch.ToLock.Count, batch.ToRead.Count));
        batch.Remember();
        batch = Decided(cache, [Confirmed("a"), Seen("b", 1)], [], out _);
        Assert.Equal((0, 0, 2, null), (batch.ToLock.Count, batch.ToRead.Count, batch.Postings.Count, batch.Doubts));
        batch.Remember();
        batch = Decided(cache, [Withdrawal("1", 60), Withdrawal("2", 60)], [], out var outcomes);
        Assert.Equal([1], batch.Doubts!);
        Assert.Equal(RefusalCode.InsufficientBalance, outcomes[1].Refusal?.Code);
        // Now both, for they are about one balance.
        batch = new LedgerBatch([Withdrawal("1", 60), Withdrawal("2", 60)], cache, [1]);
        Assert.Equal((1, 2), (batch.ToLock.Count, batch.ToRead.Count));
        // What has ended is not remembered.
        batch = new LedgerBatch([new DepositReversed(_account, _wallet, TestLedger.Usdt, Reference.Of("deposit a"), 1)], cache);
        Assert.Equal((0, 1), (batch.ToLock.Count, batch.ToRead.Count));
        Assert.True(cache.MayUse(2));
        Assert.Single(new LedgerBatch([Seen("c", 1)], cache).ToLock);
    }

    [Fact]
    public void However_little_room_there_is_what_is_found_is_what_was_written_last()
    {
        var random = new Random(7);
        foreach (var max in (int[])[1, 2, 7, 300])
        {
            var cache = new LedgerCache(max);
            var truth = new Dictionary<int, Balance>();
            var found = 0;
            for (var step = 0; step < 5_000; step++)
            {
                var number = random.Next(step % 2 == 0 ? 5 : 400);
                var key = new BalanceKey(_account, "ETH", TestLedger.Wallet(number));
                var balance = new Balance { Available = random.Next(), Version = step, HeadHash = new Guid(step, 3, 3, new byte[8]).ToByteArray() };
                var digest = new Guid(number, 0, 0, new byte[8]);
                if (cache.Find(key) is { } slot)
                {
                    found++;
                    Assert.Equal(truth[number].Available, cache.Read(slot).Available);
                    Assert.Equal(truth[number].HeadHash, cache.Read(slot).HeadHash);
                    Assert.True(cache.Open(slot, digest) is not { } open || open.Movement.Amount == truth[number].Available);
                    cache.Write(slot, balance);
                }
                else
                {
                    slot = cache.Add(key, balance);
                    Assert.Null(cache.Open(slot, digest));
                }

                truth[number] = balance;
                cache.Write(slot, digest, Open(balance.Available), changed: false);
            }

            Assert.InRange(found, 10, 5_000);
        }
    }

    [Fact]
    public void A_slot_that_is_another_s_by_now_is_left_alone()
    {
        var cache = new LedgerCache(1);
        var (one, two) = (new BalanceKey(_account, "ETH", TestLedger.Wallet(1)), new BalanceKey(_account, "ETH", TestLedger.Wallet(2)));
        var slot = cache.Add(one, new Balance { Version = 1 });
        var other = cache.Add(two, new Balance { Version = 2 });
        cache.Write(slot, new Balance { Version = 9 });
        cache.Write(slot, Guid.Empty, Open(1), changed: false);
        Assert.Equal(2, cache.Read(other).Version);
        Assert.Null(cache.Open(other, Guid.Empty));
        Assert.Null(cache.Find(one));
    }

    [Fact]
    public void After_each_failure_it_rests_twice_as_long()
    {
        var cache = new LedgerCache(10);
        var rests = new List<int>();
        for (var failure = 0; failure < 13; failure++)
        {
            cache.Failed();
            var rest = 0;
            for (; !cache.MayUse(0); rest++)
                cache.Committed();
            rests.Add(rest);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024], rests);
        for (var i = 0; i < LedgerCache.PauseMax; i++)
            cache.Committed();
        cache.Failed();
        cache.Committed();
        Assert.True(cache.MayUse(0));
    }

    private static LedgerBatch Decided(LedgerCache cache, Command[] commands, int[] doubts, out Outcome[] outcomes)
    {
        var batch = new LedgerBatch(commands, cache, doubts);
        outcomes = [.. commands.Select((_, i) => batch.Decide(i, Id(i), TestLedger.Noon, []))];
        return batch;
    }

    private static MovementId Id(int number) => new(new Guid(number, 4, 4, new byte[8]));

    private static LedgerWriters Writers(TestLedger ledger) => new(TestLedger.Shards, ledger.Db, ledger.Ids, TimeProvider.System);

    private static async Task Deposit(LedgerWriters writers, string name, int amount)
    {
        await writers.Write(0, Seen(name, amount));
        await writers.Write(0, Confirmed(name));
    }

    private static DepositSeen Seen(string name, int amount) =>
        new(_account, _wallet, TestLedger.Usdt, Reference.Of($"deposit {name}"), amount, TestLedger.Noon, 1);

    private static DepositConfirmed Confirmed(string name) => new(_account, _wallet, TestLedger.Usdt, Reference.Of($"deposit {name}"), 0, 1);

    private static RequestWithdrawal Withdrawal(string name, int amount) =>
        new(_account, _wallet, TestLedger.Usdt, Reference.Of($"withdrawal {name}"), amount, 0, "0x1");

    private static async Task Ask(Server.Sql.Tx tx, CancellationToken ct)
    {
        await using var round = new Server.Sql.Round(tx);
        round.Add("SELECT 1");
        await round.Write(ct);
    }

    private static Movement Open(Int128 amount) => new()
    {
        Id = Id(1),
        Account = _account,
        Kind = MovementKind.Deposit,
        State = MovementState.Seen,
        Wallet = _wallet,
        Currency = "ETH",
        Amount = amount,
        Fee = 0,
        Reference = Reference.Of("open"),
        EffectiveAt = TestLedger.Noon,
        UpdatedAt = TestLedger.Noon,
    };
}
