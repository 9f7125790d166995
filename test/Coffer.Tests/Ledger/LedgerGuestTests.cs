using Coffer.Ledger;
using Coffer.Server.Ledger;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Tests.Ledger;

/// <summary>What a room that takes part in the ledger's transactions may rely on.</summary>
public sealed class LedgerGuestTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_guest_writes_commits_with_the_posting_and_a_fault_of_his_harms_one_command_only()
    {
        await using var ledger = await Open();
        await using var writers = new LedgerWriters(TestLedger.Shards, ledger.Db, ledger.Ids, TimeProvider.System, new Counting());
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            try
            {
                return await writers.Write(0, Up(i, i == 37 ? "poison" : "count"));
            }
            catch (Npgsql.PostgresException)
            {
                return default(Outcome?);
            }
        }));
        Assert.Null(Assert.Single(outcomes.Index(), one => one.Item is null).Item);
        Assert.Null(outcomes[37]);
        Assert.Equal(99, await ledger.Scalar<long>("SELECT count FROM counted"));
        Assert.Equal(99, await ledger.Scalar<long>("SELECT count(*) FROM movement"));
        // Each saw what those before him in his transaction had made of the row that was locked.
        Assert.Equal(Enumerable.Range(1, 99), outcomes.Where(one => one is not null).Select(one => (int)one!.Value.Answer!).Order());
    }

    [Fact]
    public async Task A_guest_of_two_processes_counts_each_command_once()
    {
        await using var ledger = await Open();
        await using var first = new LedgerWriters(TestLedger.Shards, ledger.Db, ledger.Ids, TimeProvider.System, new Counting());
        await using var second = new LedgerWriters(TestLedger.Shards, ledger.Db, ledger.Ids, TimeProvider.System, new Counting());
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => (i % 2 == 0 ? first : second).Write(0, Up(i, "count"))));
        Assert.Equal(300, await ledger.Scalar<long>("SELECT count FROM counted"));
    }

    [Fact]
    public async Task What_a_guest_refuses_or_has_done_before_is_not_decided()
    {
        await using var ledger = await Open();
        await using var writers = new LedgerWriters(TestLedger.Shards, ledger.Db, ledger.Ids, TimeProvider.System, new Counting());
        Assert.Equal(RefusalCode.LimitExceeded, (await writers.Write(0, Up(1, "refuse"))).Refusal?.Code);
        var done = await writers.Write(0, Up(2, "done"));
        Assert.Equal((true, "as before", (Movement?)null), (done.Replayed, done.Answer, done.Movement));
        Assert.Equal(0, await ledger.Scalar<long>("SELECT count(*) FROM movement"));
        Assert.Equal(0, await ledger.Scalar<long>("SELECT count FROM counted"));
    }

    [Fact]
    public async Task A_guest_whom_nothing_concerns_is_not_asked_again()
    {
        await using var ledger = await Open();
        var guest = new Counting();
        await using var writers = new LedgerWriters(TestLedger.Shards, ledger.Db, ledger.Ids, TimeProvider.System, guest);
        await writers.Write(0, Up(1, null));
        Assert.Equal(0, guest.Visits);
        await writers.Write(0, Up(2, "count"));
        Assert.Equal(1, guest.Visits);
    }

    private static Correct Up(int number, string? companion) =>
        new(TestLedger.Account(1), TestLedger.Wallet(number % 5), TestLedger.Eth, Reference.Of($"up {number}"), 1, null, "up") { Companion = companion };

    private async Task<TestLedger> Open()
    {
        var ledger = await TestLedger.Open(cluster);
        await ledger.Scalar<object>("CREATE TABLE counted (shard smallint PRIMARY KEY, count bigint NOT NULL); INSERT INTO counted VALUES (0, 0); SELECT 1");
        return ledger;
    }

    /// <summary>Counts the commands that ask for it in a row of its own; does with the others what they say.</summary>
    private sealed class Counting : ILedgerGuest
    {
        public int Visits { get; private set; }

        public LedgerVisit? Enter(short shard, IReadOnlyList<Command> commands)
        {
            if (commands.All(command => command.Companion is not string))
                return null;
            Visits++;
            return new Visit(shard, commands);
        }

        private sealed class Visit(short shard, IReadOnlyList<Command> commands) : LedgerVisit
        {
            private long _count;
            private bool _poisoned;

            public override void Load(Server.Sql.Round round) =>
                round.Add(row => _count = row.GetInt64(0), "SELECT count FROM counted WHERE shard = $1 FOR UPDATE", P(shard));

            public override Admission? Admit(int index, DateTimeOffset now) => commands[index].Companion switch
            {
                "refuse" => new Admission(new(RefusalCode.LimitExceeded, "No.")),
                "done" => new Admission(null, "as before"),
                _ => null,
            };

            public override object? Decided(int index, Decision decision, List<Server.Events.NewEvent> events)
            {
                if (commands[index].Companion is not string word || decision.Postings.Count == 0)
                    return null;
                _poisoned |= word == "poison";
                return (int)++_count;
            }

            public override void Store(Server.Sql.Round round) =>
                round.Add($"UPDATE counted SET count = $2 / {(_poisoned ? 0 : 1)} WHERE shard = $1", P(shard), P(_count));
        }
    }
}
