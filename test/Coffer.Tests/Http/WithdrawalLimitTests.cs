using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Http;

/// <summary>What an account may withdraw at once and in a day. Fees of the test currency: 1 and 3.50.</summary>
public sealed class WithdrawalLimitTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly DateTimeOffset _noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTime _time = new(_noon);
    private World _world = null!;
    private Withdrawer _payer = null!;

    private static Currencies Limited { get; } = new(World.AllCurrencies.All.Select(c => c.Code == "USDTERC20"
        ? c with { WithdrawalMaximum = 60_000_000, WithdrawalDayMaximum = 100_000_000 } : c));

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, time: _time, currencies: Limited);
        _payer = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "1000"), ("ETH", "10"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task One_withdrawal_is_at_most_the_maximum_and_one_unit_more_reserves_nothing()
    {
        var got = await _payer.Withdraw("60.000001");
        Assert.Equal((422, "limit_exceeded"), (got.Status, got.ErrorCode));
        Assert.Equal("60.00 0.00 60.00 60.000001 USDTERC20 withdrawal", Line(got));
        Assert.Equal(("1000.00/0.00", 0L), (await _payer.Balance(), await _payer.Rows()));
        Assert.Equal(201, (await _payer.Withdraw("60")).Status);
    }

    [Fact]
    public async Task A_days_withdrawals_come_to_the_limit_and_no_further_until_the_next_UTC_day()
    {
        Assert.Equal(201, (await _payer.Withdraw("60")).Status);
        var got = await _payer.Withdraw("40.000001");
        Assert.Equal((422, "limit_exceeded"), (got.Status, got.ErrorCode));
        Assert.Equal("100.00 60.00 40.00 40.000001 USDTERC20 day", Line(got));
        Assert.Equal("2026-03-02T00:00:00Z", Text(Details(got), "resets_at"));
        // Refused without a trace: the whole rest can still be had, by another currency's limit not touched.
        Assert.Equal(201, (await _payer.Withdraw("40")).Status);
        Assert.Equal(422, (await _payer.Withdraw("10")).Status);
        Assert.Equal(201, (await _payer.Withdraw("1", "ETH")).Status);
        _time.Now = new DateTimeOffset(2026, 3, 1, 23, 59, 59, TimeSpan.Zero);
        Assert.Equal(422, (await _payer.Withdraw("10")).Status);
        _time.Now = new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal(201, (await _payer.Withdraw("60")).Status);
        Assert.Equal("40.00", Text(Details(await _payer.Withdraw("50")), "remaining"));
    }

    [Fact]
    public async Task Fifty_at_once_reach_the_limit_exactly()
    {
        // 100 is the limit, 10 each, from two processes.
        await using var second = await World.StartOn(_world.Database, _time, Limited);
        var other = _payer with { World = second };
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? _payer : other).Withdraw("10")));
        Assert.Equal(10, answers.Count(got => got.Status == 201));
        Assert.All(answers.Where(got => got.Status != 201), got => Assert.Equal((422, "limit_exceeded"), (got.Status, got.ErrorCode)));
        Assert.Equal(("1000.00/145.00", 10L), (await _payer.Balance(), await _payer.Rows()));
        Assert.Equal(100_000_000m, await _world.Query<decimal>("SELECT amount FROM withdrawal_day"));
    }

    [Fact]
    public async Task What_is_cancelled_is_given_back_to_the_day_on_which_it_counted()
    {
        var first = Text((await _payer.Withdraw("60", more: ", \"custom_id\":\"a\"")).Json, "id");
        Assert.Equal(422, (await _payer.Withdraw("60")).Status);
        await Cancel(first);
        // Once, however often it is asked for.
        await Cancel(first);
        var second = Text((await _payer.Withdraw("60")).Json, "id");
        Assert.Equal("40.00", Text(Details(await _payer.Withdraw("50")), "remaining"));
        _time.Now = _noon.AddDays(1);
        Assert.Equal(201, (await _payer.Withdraw("50")).Status);
        await Cancel(second);
        Assert.Equal("50.00", Text(Details(await _payer.Withdraw("60")), "remaining"));
    }

    [Fact]
    public async Task A_repeated_request_counts_once_and_is_answered_also_when_the_day_is_full()
    {
        Task<Got> Repeat() => _world.Send(HttpMethod.Post, "/withdrawal/",
            $$"""{"amount":"60","currency":"USDTERC20","address":"{{Payee}}"}""", ("X-API-Key", _payer.Key), ("Idempotency-Key", "k"));
        var first = await Repeat();
        Assert.Equal(201, (await _payer.Withdraw("40")).Status);
        var again = await Repeat();
        Assert.Equal((201, first.Text), (again.Status, again.Text));
    }

    [Fact]
    public async Task What_the_balance_does_not_cover_does_not_count()
    {
        var poor = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "50"));
        Assert.Equal("insufficient_balance", (await poor.Withdraw("60")).ErrorCode);
        Assert.Equal("insufficient_balance", (await poor.Withdraw("60")).ErrorCode);
        await Give(_world, poor.Account, "USDTERC20", "500");
        Assert.Equal(201, (await poor.Withdraw("60")).Status);
        Assert.Equal(201, (await poor.Withdraw("40")).Status);
    }

    [Fact]
    public async Task An_accounts_own_limits_take_the_place_of_the_files_one_by_one()
    {
        var (account, by) = (_payer.Account.Account, "operator:test");
        Task Set(WithdrawalLimits limits) => _payer.Allow.Limit(account.Shard, account.Id, "USDTERC20", limits, by, CancellationToken.None);
        await Set(new WithdrawalLimits(20_000_000, null, null));
        Assert.Equal("20.00", Text(Details(await _payer.Withdraw("20.01")), "limit"));
        await Set(new WithdrawalLimits(null, 30_000_000, null));
        Assert.Equal("30.00", Text(Details(await _payer.Withdraw("31")), "limit"));
        Assert.Equal("60.00", Text(Details(await _payer.Withdraw("61")), "limit"));
        await Set(new WithdrawalLimits(WithdrawalLimits.None, WithdrawalLimits.None, null));
        Assert.Equal(201, (await _payer.Withdraw("500")).Status);
        await Set(new WithdrawalLimits(null, null, null));
        // What was withdrawn without a limit has counted.
        Assert.Equal("500.00", Text(Details(await _payer.Withdraw("10")), "used"));
        Assert.Equal("0.00", Text(Details(await _payer.Withdraw("10")), "remaining"));
        Assert.Equal(201, (await (await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "100"))).Withdraw("60")).Status);
    }

    [Fact]
    public async Task The_minimum_is_told_with_the_fees_where_they_come_out_of_the_amount()
    {
        foreach (var (more, message) in new[] { ("", "Send at least 10.00 USDTERC20."), (", \"final_amount\":false",
            "Send at least 14.50 USDTERC20, the fees included.") })
        {
            var got = await _payer.Withdraw("9.99", more: more);
            Assert.Equal((400, "invalid_amount"), (got.Status, got.ErrorCode));
            Assert.Equal(message, Text(got.Json.GetProperty("error"), "message"));
        }

        Assert.Equal("10.00", Text((await _payer.Withdraw("14.5", more: ", \"final_amount\":false")).Json, "amount"));
    }

    private async Task Cancel(string id) => Assert.Equal(200, (await _payer.Post($"/withdrawal/{id}/cancel/", "{}")).Status);

    private static string Line(Got got) => string.Join(' ',
        ((string[])["limit", "used", "remaining", "required", "currency", "period"]).Select(name => Text(Details(got), name)));
}
