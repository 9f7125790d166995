using Coffer.Chains.Simulated;
using Coffer.Server.Events;
using Coffer.Tests.Ledger;
using Npgsql;

namespace Coffer.Tests.Events;

/// <summary>Events are numbered without a gap in the order of their commits, and are there exactly when what they tell of is.</summary>
public sealed class EventTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_sees_an_event_sees_all_before_it_however_many_write()
    {
        const int writers = 8, each = 60, accounts = 2;
        await using var one = await TestLedger.Open(cluster);
        await using var other = TestLedger.On(one.Database);
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            for (var i = 0; i < each; i++)
                await (writer % 2 == 0 ? one : other).Db.Transaction((tx, ct) =>
                    tx.Write([.. Enumerable.Range(0, 3).Select(n => ((short)1, Event((i + n) % accounts)))], ct), Ct);
        }));
        await using var connection = new NpgsqlConnection(one.Database);
        await connection.OpenAsync(Ct);
        var looks = 0;
        do
        {
            looks++;
            await using var command = new NpgsqlCommand("SELECT count(*) FILTER (WHERE number > n) FROM "
                + "(SELECT number, row_number() OVER (PARTITION BY account_id ORDER BY number) AS n FROM event) e", connection);
            Assert.Equal(0L, await command.ExecuteScalarAsync(Ct));
        }
        while (!writing.IsCompleted);
        await writing;
        Assert.True(looks > 1);
        Assert.Equal(writers * each * 3, await one.Scalar<long>("SELECT count(*) FROM event"));
        Assert.Equal(writers * each * 3M, await one.Scalar<decimal>("SELECT sum(last) FROM event_head"));
    }

    [Fact]
    public async Task A_transaction_that_fails_tells_nothing_and_leaves_no_gap()
    {
        await using var ledger = await TestLedger.Open(cluster);
        var rings = new List<AccountId>();
        using var listening = ledger.Db.Bell.Listen(rings.Add);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ledger.Db.Transaction(async (tx, ct) =>
        {
            await tx.Write(1, Event(0), ct);
            throw new InvalidOperationException("late");
        }, Ct));
        Assert.Empty(rings);
        await ledger.Db.Transaction((tx, ct) => tx.Write(1, Event(0), ct), Ct);
        Assert.Equal([TestLedger.Account(0)], rings);
        Assert.Equal(1, await ledger.Scalar<long>("SELECT max(number) FROM event"));
    }

    [Fact]
    public async Task What_was_told_cannot_be_changed()
    {
        await using var ledger = await TestLedger.Open(cluster);
        await ledger.Db.Transaction((tx, ct) => tx.Write(1, Event(0), ct), Ct);
        foreach (var sql in (string[])["UPDATE event SET data = '{}'", "DELETE FROM event", "TRUNCATE event"])
            await Assert.ThrowsAsync<PostgresException>(() => ledger.Scalar<object>(sql));
    }

    [Fact]
    public async Task A_deposit_and_a_withdrawal_are_told_step_by_step_once()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        Task<Got> post(string path, string body) => world.Send(HttpMethod.Post, path, body, ("X-API-Key", key));
        await post("/sandbox/deposits", $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"BTC","amount":"0.5"}""");
        await post("/sandbox/blocks", """{"count":3}""");
        await post("/sandbox/reorg", """{"depth":3,"return":true}""");
        await post("/sandbox/blocks", """{"count":3}""");
        Assert.Equal("deposit.received deposit.confirmed deposit.reversed deposit.received deposit.confirmed", await Told(world));
        var told = await world.Query<string>("SELECT data FROM event WHERE number = 2");
        Assert.Contains("\"amount\":\"0.50000000\"", told, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"confirmed\"", told, StringComparison.Ordinal);

        var to = SimulatedAddress.Make(account.Id, new WalletId(new Guid(3, 2, 1, new byte[8])), "BTC", 1);
        var made = await post("/withdrawal/",
            $$"""{"amount":"0.1","currency":"BTC","address":"{{to}}","callback_url":"https://shop.example/hook"}""");
        Assert.Equal(201, made.Status);
        Assert.Equal("withdrawal.updated", await world.Query<string>("SELECT type FROM event WHERE number = 6"));
        Assert.Equal("https://shop.example/hook", await world.Query<string>("SELECT callback_url FROM event WHERE number = 6"));
        Assert.Contains("\"status\":\"pending\"", await world.Query<string>("SELECT data FROM event WHERE number = 6"), StringComparison.Ordinal);
        await post("/sandbox/blocks", """{"count":6}""");
        Assert.Contains("\"status\":\"completed\"", await world.Query<string>("SELECT data FROM event ORDER BY number DESC LIMIT 1"),
            StringComparison.Ordinal);
    }

    private static Task<string> Told(World world) => world.Query<string>("SELECT string_agg(type, ' ' ORDER BY number) FROM event");

    private static NewEvent Event(int account) => new(TestLedger.Account(account), TestLedger.Noon, EventType.BalanceLow, "{}");
}
