using Coffer.Server.Demo;

namespace Coffer.Tests.Rules;

/// <summary>The demo's thirty days add up whenever they are begun, also just after midnight.</summary>
public sealed class DemoTimelineTests
{
    private static readonly DemoAccount Account = new(new Guid(1, 0, 0, new byte[8]), new Guid(2, 0, 0, new byte[8]),
        new Guid(3, 0, 0, new byte[8]), default, "", "", "");

    public static IEnumerable<TheoryDataRow<int>> Minutes => Enumerable.Range(0, 48).Select(i => new TheoryDataRow<int>(i * 30 + (i % 7)));

    [Theory]
    [MemberData(nameof(Minutes))]
    public void No_withdrawal_comes_before_the_deposits_that_pay_it_and_the_week_is_that_of_the_seed(int minute)
    {
        var end = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minute);
        foreach (var steps in new[] { DemoTimeline.OfMain(end, Account), DemoTimeline.OfTrading(end, Account) })
        {
            Assert.True(steps.Zip(steps.Skip(1)).All(pair => pair.First.At.AddSeconds(15 * pair.First.Blocks) < pair.Second.At));
            Assert.True(steps[0].At >= DemoTimeline.Start(end) && steps[^1].At < end);
            Spend(steps);
        }

        var week = new DateTimeOffset(end.UtcDateTime.Date.AddDays(-6), TimeSpan.Zero);
        var usdt = DemoTimeline.OfMain(end, Account).Where(s => s.At >= week)
            .SelectMany(s => s.Events).Where(e => e.Currency == "USDTERC20").ToList();
        var deposits = usdt.Where(e => e.Kind == DemoEventKind.Deposit).ToList();
        var finished = usdt.Where(e => e.Kind == DemoEventKind.Withdrawal && e.Name != "pending withdrawal").ToList();
        Assert.Equal((35, (Int128)3_500_000_000), (deposits.Count, deposits.Aggregate(Int128.Zero, (sum, e) => sum + e.Amount)));
        Assert.Equal((12, (Int128)2_700_000_000), (finished.Count, finished.Aggregate(Int128.Zero, (sum, e) => sum + e.Amount + e.Fee)));
    }

    /// <summary>What a step brings cannot be spent before the next one.</summary>
    private static void Spend(List<DemoStep> steps)
    {
        var available = new Dictionary<(Guid, string), Int128>();
        foreach (var step in steps)
        {
            foreach (var one in step.Events.Where(e => e.Kind != DemoEventKind.Deposit))
            {
                available[(one.Wallet, one.Currency)] = available.GetValueOrDefault((one.Wallet, one.Currency)) - one.Amount - one.Fee;
                Assert.True(one.Amount > 0 && available[(one.Wallet, one.Currency)] >= 0, $"{one}");
            }

            foreach (var one in step.Events.Where(e => e.Kind == DemoEventKind.Deposit))
                available[(one.Wallet, one.Currency)] = available.GetValueOrDefault((one.Wallet, one.Currency)) + one.Amount;
        }
    }
}
