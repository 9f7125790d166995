using System.Text.Json;
using Coffer.Ledger;
using Coffer.Server.Ledger;
using Coffer.Tests.Cli;
using static Coffer.Tests.Alerts.Watcher;

namespace Coffer.Tests.Alerts;

/// <summary>What low-balance alerts promise, whatever moves the balance.</summary>
public sealed class AlertTests(TestCluster cluster) : IAsyncLifetime
{
    private readonly FakeTime _time = new(new(2026, 3, 1, 12, 30, 0, TimeSpan.Zero));
    private World _world = null!;
    private Watcher _watcher = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, time: _time);
        _watcher = await Of(_world);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Falling_below_is_told_once_and_so_is_being_back()
    {
        await _watcher.Add(150);
        var alert = await _watcher.Alert(100, _watcher.Main);
        await _watcher.Request(50);
        Assert.Equal("ok 100.000000", await _watcher.State(alert));
        Assert.Empty(await _watcher.Told());
        var last = await _watcher.Request(1);
        await _watcher.Request(30);
        Assert.Equal(["low 99"], await _watcher.Told());
        Assert.Equal("low 69.000000", await _watcher.State(alert));
        await _watcher.Add(40);
        Assert.Equal("low 109.000000", await _watcher.State(alert));
        // A cancelled withdrawal gives back what it held.
        await _watcher.Write(new FailWithdrawal(_watcher.Account.Id, _watcher.Main, Usdt, last));
        Assert.Equal("ok 110.000000", await _watcher.State(alert));
        await _watcher.Add(-11);
        await _watcher.Add(500);
        Assert.Equal(["low 99", "recovered 110", "low 99", "recovered 599"], await _watcher.Told());
    }

    [Fact]
    public async Task An_event_says_all_that_is_needed_to_act_on_it()
    {
        await _watcher.Add(150);
        var alert = await _watcher.Alert(100, _watcher.Main, 130);
        var paid = await _watcher.Request(20);
        await _watcher.Write(new SettleWithdrawal(_watcher.Account.Id, _watcher.Main, Usdt, paid));
        _time.Now = _time.Now.AddHours(1);
        await _watcher.Request(40);
        await _watcher.Add(100);
        var (low, recovered) = await _watcher.Events() is [var one, var two] ? (one, two) : throw new InvalidOperationException("Not two events.");
        Assert.Equal("balance.low", low.Type);
        // Of 150 in two hours 60 have left or are on their way; the 90 that remain last a day and a half.
        Assert.Equal($$$"""
            {"alert_id":"{{{alert}}}","currency":"USDTERC20","wallet_id":"{{{_watcher.Main}}}","available":"90.000000","threshold":"100.000000","recovery_threshold":"130.000000","forecast":{"outflow_per_day":"60.000000","empty_at":"2026-03-03T01:30:00Z"}}
            """.Trim(), low.Data.GetRawText());
        Assert.Equal("balance.recovered", recovered.Type);
        Assert.Equal(("190.000000", JsonValueKind.Null), (Text(recovered.Data, "available"), recovered.Data.GetProperty("forecast").ValueKind));
    }

    [Fact]
    public async Task An_alert_of_the_account_adds_up_its_wallets_and_moves_between_them_are_no_crossing()
    {
        var other = await _watcher.Account.Wallet("Other");
        await _watcher.Add(100);
        var (all, main) = (await _watcher.Alert(80, null, 95), await _watcher.Alert(80, _watcher.Main));
        await _watcher.Write(new Transfer(_watcher.Account.Id, _watcher.Main, Usdt, Next(), other, Units(70), null));
        Assert.Equal(("ok 100.000000", "low 30.000000"), (await _watcher.State(all), await _watcher.State(main)));
        await _watcher.Request(21, other);
        await _watcher.Add(10);
        Assert.Equal(("low 89.000000", "low 40.000000"), (await _watcher.State(all), await _watcher.State(main)));
        await _watcher.Write(new Transfer(_watcher.Account.Id, other, Usdt, Next(), _watcher.Main, Units(49), null));
        Assert.Equal(("low 89.000000", "ok 89.000000"), (await _watcher.State(all), await _watcher.State(main)));
        Assert.Equal(["low 79"], await _watcher.Told(all));
        Assert.Equal(["low 30", "recovered 89"], await _watcher.Told(main));
    }

    [Fact]
    public async Task Two_alerts_on_one_balance_tell_each_for_itself()
    {
        await _watcher.Add(1_000);
        var (early, late) = (await _watcher.Alert(500), await _watcher.Alert(100));
        await _watcher.Add(-600);
        await _watcher.Add(-350);
        Assert.Equal(["low 400"], await _watcher.Told(early));
        Assert.Equal(["low 50"], await _watcher.Told(late));
    }

    [Fact]
    public async Task A_reorg_that_takes_a_deposit_back_is_a_crossing_and_told_once_however_often_it_is_seen()
    {
        var deposit = Next();
        var (id, main) = (_watcher.Account.Id, _watcher.Main);
        await _watcher.Write(new DepositSeen(id, main, Usdt, deposit, Units(200), _time.Now, 1));
        var (alert, whole) = (await _watcher.Alert(100, main), await _watcher.Alert(100));
        Assert.Equal("low 0.000000", await _watcher.State(alert));
        foreach (var again in (bool[])[false, true])
            await _watcher.Write(new DepositConfirmed(id, main, Usdt, deposit, 0, 1));
        await _watcher.Request(150);
        // What was spent is missing: the deposit takes all that is there and leaves a debt.
        foreach (var again in (bool[])[false, true])
            await _watcher.Write(new DepositReversed(id, main, Usdt, deposit, 1));
        await _watcher.Write(new DepositSeen(id, main, Usdt, deposit, Units(300), _time.Now, 2));
        await _watcher.Write(new DepositConfirmed(id, main, Usdt, deposit, 0, 2));
        foreach (var one in (string[])[alert, whole])
        {
            Assert.Equal(["recovered 200", "low 50", "recovered 150"], await _watcher.Told(one));
            Assert.Equal("ok 150.000000", await _watcher.State(one));
        }
    }

    [Fact]
    public async Task An_operators_correction_from_the_command_line_is_told_like_any_other_movement()
    {
        await _watcher.Add(150);
        var alert = await _watcher.Alert(100);
        var ended = await Binary.Run("correct", "--account", _watcher.Account.Id.ToString(), "--wallet", _watcher.Main.ToString(), "--currency",
            "USDTERC20", "--amount", "-60", "--reason", "counted twice", "--reference", "r1", "--database", _world.Database, "--json");
        Assert.True(ended.Status == 0, ended.Error);
        Assert.Equal(["low 90"], await _watcher.Told(alert));
    }

    [Fact]
    public async Task A_crossing_that_is_repeated_with_its_reference_is_told_once_also_by_a_server_that_starts_anew()
    {
        await _watcher.Add(150);
        await _watcher.Alert(100, _watcher.Main);
        var command = new RequestWithdrawal(_watcher.Account.Id, _watcher.Main, Usdt, Next(), Units(60), 0, "somewhere");
        await _watcher.Write(command);
        await using var next = await World.StartOn(_world.Database, time: _time);
        Assert.True((await _watcher.Write(command, next)).Replayed);
        await _watcher.Request(10, by: next);
        Assert.Equal(["low 90"], await _watcher.Told());
        await _watcher.Write(new FailWithdrawal(_watcher.Account.Id, _watcher.Main, Usdt, command.Reference), next);
        Assert.Equal(["low 90", "recovered 140"], await _watcher.Told());
    }

    [Fact]
    public async Task Every_command_of_one_batch_is_decided_in_its_turn()
    {
        await _watcher.Add(150);
        await _watcher.Alert(100, _watcher.Main);
        // Queued at once, so that they share transactions; each crosses.
        await _world.App.Ledger.WriteAll(_watcher.Account.Account.Shard, Enumerable.Range(0, 100).Select(i =>
            new Correct(_watcher.Account.Id, _watcher.Main, Usdt, Next(), Units(i % 2 == 0 ? -60 : 60), null, "swing")));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? "low 90" : "recovered 150"), await _watcher.Told());
    }

    [Fact]
    public async Task Wallets_that_are_full_together_stop_neither_the_ledger_nor_the_alert()
    {
        var other = await _watcher.Account.Wallet("Other");
        var alert = await _watcher.Alert(100);
        foreach (var wallet in (WalletId[])[_watcher.Main, other])
        {
            var full = new Correct(_watcher.Account.Id, wallet, Usdt, Next(), Amount.Max, null, "full");
            Assert.Null((await _watcher.Write(full)).Refusal);
        }

        Assert.Equal($"ok {Amount.Fixed(Amount.Max, Usdt.Decimals)}", await _watcher.State(alert));
        Assert.Empty((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings);
    }

    [Fact]
    public async Task Verify_finds_an_alert_that_is_not_as_its_balances_say()
    {
        await _watcher.Add(150);
        var (whole, wallet) = (await _watcher.Alert(100), await _watcher.Alert(120, _watcher.Main));
        Assert.Empty((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings);
        await _world.Execute("UPDATE alert SET available = available + 1 WHERE id = $1", Guid.Parse(whole));
        await _world.Execute("UPDATE alert SET state = 2 WHERE id = $1", Guid.Parse(wallet));
        var findings = (await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings;
        Assert.Equal(new[] { whole, wallet }.Order(), findings.Select(one => one.Key.Split(' ')[^1]).Order());
        Assert.All(findings, one => Assert.Equal("alert", one.Table));
    }
}
