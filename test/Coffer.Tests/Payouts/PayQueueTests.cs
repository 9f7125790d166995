using Coffer.Chains.Payouts;

namespace Coffer.Tests.Payouts;

/// <summary>Many withdrawals at once, several workers, and a signer that refuses some.</summary>
public sealed class PayQueueTests(TestCluster cluster, NodeFolder folder) : IAsyncLifetime
{
    private PayWorld _world = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await PayWorld.Start(cluster, folder);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_thousand_queued_withdrawals_are_paid_without_a_gap_and_never_more_wait_than_may()
    {
        const int count = 1_000, atOnce = 250;
        var paying = _world.Paying();
        paying.Paying = paying.Paying with { InFlightMax = atOnce };
        await paying.Withdraw(Enumerable.Range(1, count).Select(i => ($"w{i}", (Int128)(i + 1), PayWorld.Receiver(i), "ETH")));
        for (var rounds = 0; await _world.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state <> 6") > 0; rounds++)
        {
            Assert.True(rounds < 60, await _world.States());
            await paying.Round(Ct);
            Assert.InRange(await _world.Scalar<long>("SELECT count(*) FROM payout WHERE state = 1"), 0, atOnce);
            await _world.Node.Mine();
        }

        await NoGap(count);
        for (var i = 1; i <= count; i += 37)
            Assert.Equal(i + 1, await _world.Held(PayWorld.Receiver(i)));
        await _world.Clean();
    }

    [Fact]
    public async Task Two_workers_at_once_pay_each_withdrawal_once()
    {
        const int count = 60;
        PayingEvm[] workers = [_world.Paying(), _world.Paying(), _world.Paying()];
        await workers[0].Withdraw(Enumerable.Range(1, count).Select(i => ($"w{i}", (Int128)i, PayWorld.Receiver(i), i % 2 == 0 ? "STD" : "ETH")));
        for (var rounds = 0; await _world.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state <> 6") > 0; rounds++)
        {
            Assert.True(rounds < 30, await _world.States());
            await Task.WhenAll(workers.Select(worker => worker.Round(Ct)));
            await _world.Node.Mine();
        }

        await NoGap(count);
        for (var i = 1; i <= count; i++)
            Assert.Equal(i, await _world.Held(PayWorld.Receiver(i), i % 2 == 0 ? _world.Chain.Token : null));
        await _world.Clean();
    }

    [Fact]
    public async Task What_the_signer_refuses_waits_and_its_nonce_is_used_up_so_that_the_others_are_paid()
    {
        var paying = _world.Paying();
        var refuse = true;
        paying.Paying = paying.Paying with
        {
            Signer = (request, ct) => refuse && request.Withdrawals.Any(one => one.Output.Amount == 3)
                ? Task.FromResult(new SigningAnswer(null, new SigningRefusal(SigningRefusalCode.OverDayLimit, "Enough for today.")))
                : TestHotKey.Sign(request, ct),
        };
        await paying.Withdraw(Enumerable.Range(1, 5).Select(i => ($"w{i}", (Int128)i, PayWorld.Receiver(i), "ETH")));
        await paying.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations + 2, paying);
        Assert.Equal("6 6 1 6 6", await _world.States());
        Assert.Equal("limit", await _world.Scalar<string>("SELECT waits_for FROM withdrawal WHERE amount = 3"));
        Assert.Equal(5, await _world.Nonce());

        // Another day.
        refuse = false;
        await _world.Books.Execute("UPDATE withdrawal SET updated_at = updated_at - interval '1 day' WHERE amount = 3");
        await paying.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations, paying);
        Assert.Equal("6 6 6 6 6", await _world.States());
        for (var i = 1; i <= 5; i++)
            Assert.Equal(i, await _world.Held(PayWorld.Receiver(i)));
        Assert.Equal(6, await _world.Nonce());
        await _world.Clean();
    }

    [Fact]
    public async Task A_refused_plan_that_was_the_last_gives_its_nonce_back()
    {
        var paying = _world.Paying();
        var honest = paying.Paying;
        paying.Paying = honest with
        {
            Signer = (_, _) => Task.FromResult(new SigningAnswer(null, new SigningRefusal(SigningRefusalCode.OverTransactionLimit, "Too much."))),
        };
        await paying.Withdraw("w", 3, PayWorld.Receiver(3));
        await paying.Round(Ct);
        Assert.Equal("1", await _world.States());
        Assert.Equal("signer", await _world.Scalar<string>("SELECT waits_for FROM withdrawal"));
        Assert.Equal(0, await _world.Scalar<long>("SELECT next_number FROM hot_wallet"));
        paying.Paying = honest;
        await paying.Withdraw("other", 4, PayWorld.Receiver(4));
        await paying.Round(Ct);
        await _world.Mine(PayingEvm.Confirmations, paying);
        Assert.Equal(4, await _world.Held(PayWorld.Receiver(4)));
        Assert.Equal(1, await _world.Nonce());
    }

    private async Task NoGap(int count)
    {
        Assert.Equal(count, await _world.Nonce());
        Assert.Equal(count, await _world.Scalar<long>("SELECT count(DISTINCT nonce) FROM payout WHERE state = 2 AND nonce < " + count));
    }
}
