using Coffer.Ledger;
using static Coffer.Tests.Ledger.TestLedger;

namespace Coffer.Tests.Ledger;

public sealed class ParallelWithdrawalTests(TestCluster cluster)
{
    [Fact]
    public async Task Of_200_parallel_withdrawals_of_7_from_1000_exactly_142_succeed_and_the_others_are_told_what_is_missing()
    {
        await using var first = await Open(cluster);
        await using var second = On(first.Database);
        var (owner, wallet) = (Account(1), Wallet(1));
        await first.Do(0, new Correct(owner, wallet, Usdt, Reference.Of("fund"), 1_000_000_000, null, "fund"));
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => (i % 2 == 0 ? first : second).Writers.Write(0,
            new RequestWithdrawal(owner, wallet, Usdt, Reference.Of($"withdrawal {i}"), 6_900_000, 100_000, "somewhere")))));

        Assert.Equal(142, outcomes.Count(outcome => outcome.Movement is not null));
        Assert.Equal(142, outcomes.Where(outcome => outcome.Movement is not null).Select(outcome => outcome.Movement!.Id).Distinct().Count());
        Assert.All(outcomes.Where(outcome => outcome.Movement is null), outcome =>
        {
            Assert.Equal(RefusalCode.InsufficientBalance, outcome.Refusal!.Code);
            Assert.Equal(("6.00", "7.00", "USDTERC20"),
                (outcome.Refusal.Details!["available"], outcome.Refusal.Details["required"], outcome.Refusal.Details["currency"]));
        });
        Assert.Equal("6000000 994000000 143", await first.Scalar<string>("SELECT concat_ws(' ', available, held, version) FROM balance"));
        Assert.Empty((await first.Verify(TestContext.Current.CancellationToken)).Findings);
    }
}
