using Coffer.Ledger;
using Coffer.Server.Ledger;
using static Coffer.Tests.Alerts.Watcher;

namespace Coffer.Tests.Alerts;

/// <summary>Alerts under many callers, in one process and in two.</summary>
public sealed class AlertFireTests(TestCluster cluster) : IAsyncLifetime
{
    private World _world = null!, _second = null!;
    private Watcher _watcher = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _second = await World.StartOn(_world.Database);
        _watcher = await Of(_world);
    }

    public async ValueTask DisposeAsync()
    {
        await _second.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fifty_debits_at_once_across_a_threshold_are_one_event(bool twoProcesses)
    {
        var wallets = new List<WalletId> { _watcher.Main };
        for (var i = 0; i < 4; i++)
            wallets.Add(await _watcher.Account.Wallet($"W{i}"));
        await _watcher.Add(100);
        var (one, whole) = (await _watcher.Alert(75, _watcher.Main), await _watcher.Alert(75));
        for (var round = 0; round < 5; round++)
        {
            // The account's alert sees the debits of all wallets, which lock nothing in common but its own row.
            foreach (var wallet in wallets.Skip(1))
                await _watcher.Add(20, wallet);
            await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Debit(_watcher.Main, i)));
            await Task.WhenAll(Enumerable.Range(0, 80).Select(i => Debit(wallets[1 + (i % 4)], i)));
            Assert.Equal((round * 2) + 1, (await _watcher.Told(one)).Count);
            Assert.Equal((round * 2) + 1, (await _watcher.Told(whole)).Count);
            await _watcher.Add(50);
            Assert.Equal((round + 1) * 2, (await _watcher.Told(one)).Count);
            Assert.Equal((round + 1) * 2, (await _watcher.Told(whole)).Count);
        }

        Assert.Equal(Enumerable.Repeat("low 74", 5), (await _watcher.Told(one)).Where(told => told.StartsWith("low", StringComparison.Ordinal)));
        Assert.Empty((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings);

        async Task Debit(WalletId wallet, int i) => Assert.Null((await _watcher.Write(new Correct(_watcher.Account.Id, wallet, Usdt, Next(),
            -Units(1), null, "debit"), twoProcesses && i % 2 == 1 ? _second : _world)).Refusal);
    }

    /// <summary>The ledger's own postings say how often each balance crossed; there must be exactly as many events, in their order.</summary>
    [Fact]
    public async Task What_is_told_is_what_the_postings_say_whatever_two_processes_do_at_once()
    {
        var wallets = new List<WalletId> { _watcher.Main };
        for (var i = 0; i < 3; i++)
            wallets.Add(await _watcher.Account.Wallet($"W{i}"));
        foreach (var wallet in wallets)
            await _watcher.Add(100, wallet);
        var alerts = new List<(string Id, WalletId Wallet)>();
        foreach (var wallet in wallets)
            alerts.Add((await _watcher.Alert(100, wallet, 120), wallet));
        var whole = await _watcher.Alert(400, null, 430);
        var random = new Random(20261121);
        var work = Enumerable.Range(0, 1_500).Select(i =>
        {
            var (from, to, units, second) = (wallets[random.Next(4)], wallets[random.Next(4)], random.Next(1, 40), i % 2 == 0);
            Command command = random.Next(3) == 0 && from != to
                ? new Transfer(_watcher.Account.Id, from, Usdt, Next(), to, Units(units), null)
                : new Correct(_watcher.Account.Id, from, Usdt, Next(), Units(random.Next(2) == 0 ? units : -units), null, "fire");
            return (command, second);
        }).ToList();
        foreach (var chunk in work.Chunk(60))
            await Task.WhenAll(chunk.Select(one => _watcher.Write(one.command, one.second ? _second : _world)));

        // How often the fire crosses a threshold is chance. These swings of all wallets cross each, and the account's, five times at least.
        foreach (var units in (int[])[50, 150, 50, 150, 50, 150])
        {
            foreach (var wallet in wallets)
            {
                var change = Units(units) - (await After(wallet))[^1];
                if (change != 0)
                    Assert.Null((await _watcher.Write(new Correct(_watcher.Account.Id, wallet, Usdt, Next(), change, null, "swing"), _world)).Refusal);
            }
        }

        foreach (var (id, wallet) in alerts)
        {
            var (state, expected) = (AlertState.Ok, new List<string>());
            foreach (var available in await After(wallet))
            {
                var next = LowBalance.Next(state, available, Units(100), Units(120));
                if (next != state)
                    expected.Add($"{(next == AlertState.Low ? "low" : "recovered")} {available / Units(1)}");
                state = next;
            }

            Assert.True(expected.Count > 3);
            Assert.Equal(expected, await _watcher.Told(id));
        }

        var told = await _watcher.Told(whole);
        Assert.True(told.Count > 3);
        Assert.All(told.Index(), one => Assert.StartsWith(one.Index % 2 == 0 ? "low" : "recovered", one.Item, StringComparison.Ordinal));
        Assert.Empty((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings);
    }

    [Fact]
    public async Task Alerts_that_are_made_changed_and_deleted_while_money_moves_are_right_from_their_first_moment()
    {
        var fresh = await _watcher.Account.Wallet("Fresh");
        await _watcher.Add(500);
        using var stop = new CancellationTokenSource();
        var firing = Enumerable.Range(0, 12).Select(async i =>
        {
            // The first posting of a wallet has no row to lock.
            while (!stop.IsCancellationRequested)
            {
                var wallet = i % 3 == 0 ? fresh : _watcher.Main;
                await _watcher.Write(new Correct(_watcher.Account.Id, wallet, Usdt, Next(), Units(Random.Shared.Next(-30, 30) is var u and not 0 ? u : 1),
                    null, "fire"), i % 2 == 0 ? _second : _world);
            }
        }).ToList();
        for (var i = 0; i < 60; i++)
        {
            var id = await _watcher.Alert(100 + i, (i % 3) switch { 0 => fresh, 1 => _watcher.Main, _ => null });
            if (i % 2 == 0)
                Assert.Equal(200, (await _watcher.Send(HttpMethod.Patch, $"/user/alerts/{id}/", $$"""{"threshold":"{{400 + i}}"}""")).Status);
            if (i % 5 == 0)
                Assert.Equal(204, (await _watcher.Send(HttpMethod.Delete, $"/user/alerts/{id}/")).Status);
            if (i % 10 == 0)
                Assert.Empty((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings);
        }

        await stop.CancelAsync();
        await Task.WhenAll(firing);
        Assert.Equal(48L, await _world.Query<long>("SELECT count(*) FROM alert"));
        Assert.Empty((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings);
    }

    private async Task<List<Int128>> After(WalletId wallet)
    {
        await using var command = _world.App.Db.Reads.CreateCommand(
            $"SELECT available_after FROM posting WHERE shard = {_watcher.Account.Account.Shard} AND wallet_id = '{wallet}' ORDER BY version");
        await using var rows = await command.ExecuteReaderAsync(Ct);
        var values = new List<Int128>();
        while (await rows.ReadAsync(Ct))
            values.Add(rows.GetFieldValue<Int128>(0));
        return values;
    }
}
