using Coffer.Server.Withdrawals;
using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Http;

public sealed class FreezeTests(TestCluster cluster) : IAsyncLifetime
{
    private const string By = "operator:test";
    private readonly FakeTime _time = new(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private World _world = null!;
    private Withdrawer _payer = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private (short Shard, AccountId Id) Owner => (_payer.Account.Account.Shard, _payer.Account.Id);

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, time: _time);
        _payer = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "1000"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_frozen_account_withdraws_nothing_and_the_others_go_on()
    {
        var other = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "100"));
        await _payer.Allow.Freeze(Owner.Shard, Owner.Id, true, "password was lost", By, Ct);
        var got = await _payer.Withdraw("10");
        Assert.Equal((422, "account_frozen", "account"), (got.Status, got.ErrorCode, Text(Details(got), "frozen")));
        // Why is between the operator and himself.
        Assert.DoesNotContain("password", got.Text, StringComparison.Ordinal);
        Assert.Equal(("1000.00/0.00", 0L), (await _payer.Balance(), await _payer.Rows()));
        Assert.Equal(201, (await other.Withdraw("10")).Status);
        await _payer.Allow.Freeze(Owner.Shard, Owner.Id, false, null, By, Ct);
        Assert.Equal(201, (await _payer.Withdraw("10")).Status);
    }

    [Fact]
    public async Task Freezing_all_stops_every_shard_and_opening_leaves_those_frozen_that_were_frozen_themselves()
    {
        var others = new[] { await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "100")), await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "100")) };
        await _payer.Allow.Freeze(Owner.Shard, Owner.Id, true, "r", By, Ct);
        await _payer.Allow.FreezeAll(true, "keys may be stolen", By, Ct);
        foreach (var other in others)
        {
            var got = await other.Withdraw("10");
            Assert.Equal((422, "account_frozen", "all"), (got.Status, got.ErrorCode, Text(Details(got), "frozen")));
        }

        await _payer.Allow.FreezeAll(false, null, By, Ct);
        foreach (var other in others)
            Assert.Equal(201, (await other.Withdraw("10")).Status);
        Assert.Equal(422, (await _payer.Withdraw("10")).Status);
    }

    [Fact]
    public async Task A_withdrawal_that_waits_can_be_taken_back_while_the_account_is_frozen()
    {
        await _payer.Allow.Limit(Owner.Shard, Owner.Id, "USDTERC20", new WithdrawalLimits(null, null, 0), By, Ct);
        var id = Text((await _payer.Withdraw("10")).Json, "id");
        await _payer.Allow.Freeze(Owner.Shard, Owner.Id, true, "r", By, Ct);
        Assert.Equal("cancelled", Text((await _payer.Post($"/withdrawal/{id}/cancel/", "{}")).Json, "status"));
        Assert.Equal("1000.00/0.00", await _payer.Balance());
    }

    [Fact]
    public async Task What_was_accepted_is_not_begun_while_its_account_is_frozen_and_goes_on_afterwards()
    {
        foreach (var all in (bool[])[false, true])
        {
            Task Switch(bool on) => all ? _payer.Allow.FreezeAll(on, "r", By, Ct) : _payer.Allow.Freeze(Owner.Shard, Owner.Id, on, "r", By, Ct);
            await _payer.Allow.Limit(Owner.Shard, Owner.Id, "USDTERC20", new WithdrawalLimits(null, null, 0), By, Ct);
            var id = Text((await _payer.Withdraw("10")).Json, "id");
            await Switch(true);
            Assert.Equal(200, (await _payer.Post($"/withdrawal/{id}/approve/", "{}", await _payer.Account.ApiKey(Scopes.Approve))).Status);
            await _payer.Post("/sandbox/blocks", """{"count":20}""");
            var waits = (await _payer.Get($"/withdrawal/{id}")).Json;
            Assert.Equal(("approved", "frozen"), (Text(waits, "status"), Text(waits, "waits_for")));
            Assert.Equal(0L, await _world.Query<long>("SELECT count(*) FROM payout_withdrawal WHERE withdrawal_id = $1", Guid.Parse(id)));

            await Switch(false);
            _time.Now += TimeSpan.FromMinutes(2);
            await _payer.Post("/sandbox/blocks", """{"count":20}""");
            Assert.Equal("completed", Text((await _payer.Get($"/withdrawal/{id}")).Json, "status"));
        }
    }

    /// <summary>The promise of the switch: what had not committed when it returned does not happen.</summary>
    [Fact]
    public async Task Once_a_freeze_has_returned_not_one_more_withdrawal_is_made_whatever_was_under_way()
    {
        for (var round = 0; round < 10; round++)
        {
            var all = round % 2 == 0;
            using var stop = new CancellationTokenSource();
            var firing = Enumerable.Range(0, 20).Select(async _ =>
            {
                while (!stop.IsCancellationRequested)
                    await _payer.Withdraw("10");
            }).ToList();
            await Task.Delay(30, Ct);
            await (all ? _payer.Allow.FreezeAll(true, "r", By, Ct) : _payer.Allow.Freeze(Owner.Shard, Owner.Id, true, "r", By, Ct));
            var made = await _payer.Rows();
            await Task.Delay(30, Ct);
            Assert.Equal(made, await _payer.Rows());
            await stop.CancelAsync();
            await Task.WhenAll(firing);
            Assert.Equal(made, await _payer.Rows());
            await (all ? _payer.Allow.FreezeAll(false, null, By, Ct) : _payer.Allow.Freeze(Owner.Shard, Owner.Id, false, null, By, Ct));
            await Give(_world, _payer.Account, "USDTERC20", "1000");
        }

        Assert.True(await _payer.Rows() > 0);
    }

    [Fact]
    public async Task Whoever_plans_payments_is_told_who_is_frozen_and_a_freeze_waits_for_his_commit()
    {
        var other = await Withdrawer.Of(_world, Mode.Test);
        (short, AccountId)[] both = [Owner, (other.Account.Account.Shard, other.Account.Id)];
        Task<HashSet<AccountId>> Frozen() => _world.App.Db.Transaction((tx, ct) => tx.LockFrozen(both, ct), Ct);
        Assert.Empty(await Frozen());
        await _payer.Allow.Freeze(Owner.Shard, Owner.Id, true, "r", By, Ct);
        Assert.Equal([Owner.Id], await Frozen());
        await _payer.Allow.FreezeAll(true, "r", By, Ct);
        Assert.Equal(2, (await Frozen()).Count);
        await _payer.Allow.FreezeAll(false, null, By, Ct);

        Task freeze = null!;
        await _world.App.Db.Transaction(async (tx, ct) =>
        {
            Assert.Equal([Owner.Id], await tx.LockFrozen(both, ct));
            freeze = other.Allow.Freeze(other.Account.Account.Shard, other.Account.Id, true, "r", By, Ct);
            await Task.Delay(200, ct);
            Assert.False(freeze.IsCompleted);
        }, Ct);
        await freeze.WaitAsync(TimeSpan.FromSeconds(10), Ct);
        Assert.Equal(2, (await Frozen()).Count);
    }

    [Fact]
    public async Task A_reservation_that_was_under_way_is_waited_for()
    {
        // A ledger transaction that has decided and not yet committed, as a slow disk would make one.
        await using var connection = new Npgsql.NpgsqlConnection(_world.Database);
        await connection.OpenAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using var command = new Npgsql.NpgsqlCommand(
            $"SELECT frozen FROM withdrawal_gate WHERE shard = {Owner.Shard} FOR SHARE", connection, transaction);
        Assert.Equal(false, await command.ExecuteScalarAsync(Ct));
        var freeze = _payer.Allow.Freeze(Owner.Shard, Owner.Id, true, "r", By, Ct);
        await Task.Delay(200, Ct);
        Assert.False(freeze.IsCompleted);
        await transaction.CommitAsync(Ct);
        await freeze.WaitAsync(TimeSpan.FromSeconds(10), Ct);
    }
}
