using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Http;

public sealed class AddressListTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly DateTimeOffset _start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTime _time = new(_start);
    private World _world = null!;
    private Withdrawer _payer = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private (short Shard, AccountId Id) Owner => (_payer.Account.Account.Shard, _payer.Account.Id);

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, time: _time);
        _payer = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "1000"), ("BTC", "1"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_new_address_is_paid_only_after_its_wait_to_the_second()
    {
        Assert.Equal(201, (await _payer.Withdraw("10")).Status);
        await _payer.Allow.PayListOnly(Owner.Shard, Owner.Id, true, 48, Ct);
        var unknown = await _payer.Withdraw("10");
        Assert.Equal((422, "address_not_allowed"), (unknown.Status, unknown.ErrorCode));

        var added = await _payer.Allow.AddAddress(Owner.Shard, Owner.Id, "ETH", Payee, "store", "operator:test", Ct);
        Assert.Equal(_start.AddHours(48), added!.PayableAt);
        _time.Now = _start.AddHours(48).AddSeconds(-1);
        var early = await _payer.Withdraw("10");
        Assert.Equal((422, "address_not_allowed", "2026-03-03T12:00:00Z"), (early.Status, early.ErrorCode, Text(Details(early), "payable_at")));
        Assert.Equal(("1000.00/14.50", 1L), (await _payer.Balance(), await _payer.Rows()));
        _time.Now = _start.AddHours(48);
        Assert.Equal(201, (await _payer.Withdraw("10")).Status);

        // Adding it again does not begin the wait anew; another address and another network are others.
        Assert.Null(await _payer.Allow.AddAddress(Owner.Shard, Owner.Id, "ETH", Payee, "again", "operator:test", Ct));
        Assert.Equal(201, (await _payer.Withdraw("10")).Status);
        Assert.Equal(422, (await _payer.Withdraw("10", address: SomePayee(1))).Status);
        Assert.Equal(422, (await _payer.Withdraw("0.1", "BTC")).Status);

        Assert.True(await _payer.Allow.RemoveAddress(Owner.Shard, Owner.Id, "ETH", Payee, Ct));
        Assert.False(await _payer.Allow.RemoveAddress(Owner.Shard, Owner.Id, "ETH", Payee, Ct));
        Assert.Equal(422, (await _payer.Withdraw("10")).Status);
        await _payer.Allow.PayListOnly(Owner.Shard, Owner.Id, false, null, Ct);
        Assert.Equal(201, (await _payer.Withdraw("10")).Status);
    }

    [Fact]
    public async Task The_wait_is_a_day_until_the_operator_says_otherwise_and_no_other_account_is_concerned()
    {
        Assert.Equal(_start.AddHours(24), (await _payer.Allow.AddAddress(Owner.Shard, Owner.Id, "ETH", Payee, "a", "o", Ct))!.PayableAt);
        await _payer.Allow.PayListOnly(Owner.Shard, Owner.Id, true, 0, Ct);
        Assert.Equal(_start, (await _payer.Allow.AddAddress(Owner.Shard, Owner.Id, "ETH", SomePayee(1), "b", "o", Ct))!.PayableAt);
        Assert.Equal(201, (await _payer.Withdraw("10", address: SomePayee(1))).Status);
        // Switching off and on again does not make the first one payable earlier, nor does the shorter wait.
        await _payer.Allow.PayListOnly(Owner.Shard, Owner.Id, false, null, Ct);
        await _payer.Allow.PayListOnly(Owner.Shard, Owner.Id, true, null, Ct);
        Assert.Equal(422, (await _payer.Withdraw("10")).Status);
        var other = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "100"));
        Assert.Equal(201, (await other.Withdraw("10")).Status);
    }
}
