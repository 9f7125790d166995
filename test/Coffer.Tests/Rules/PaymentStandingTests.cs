namespace Coffer.Tests.Rules;

/// <summary>Where a payment stands: a function of what was expected, what came, and the time.</summary>
public sealed class PaymentStandingTests
{
    private const PaymentDepositState Mempool = PaymentDepositState.Mempool, Confirming = PaymentDepositState.Confirming,
        Credited = PaymentDepositState.Credited, Orphaned = PaymentDepositState.Orphaned, Kept = PaymentDepositState.NotCredited;

    private static readonly DateTimeOffset End = new(2025, 1, 15, 12, 0, 0, TimeSpan.Zero);

    private static PaymentDeposit InTime(int amount, PaymentDepositState state) => new(amount, state, End);

    private static PaymentDeposit Late(int amount, PaymentDepositState state) => new(amount, state, End.AddTicks(1));

    private static PaymentStanding At(TimeSpan afterEnd, params PaymentDeposit[] deposits) => PaymentStanding.Of(100, End, deposits, End + afterEnd);

    public static TheoryData<string, PaymentDeposit[], PaymentStatus, PaymentStatus> Cases() => new()
    {
        { "nothing", [], PaymentStatus.Waiting, PaymentStatus.Expired },
        { "exactly, in the mempool", [InTime(100, Mempool)], PaymentStatus.Confirming, PaymentStatus.Confirming },
        { "exactly, in a block", [InTime(100, Confirming)], PaymentStatus.Confirming, PaymentStatus.Confirming },
        { "exactly", [InTime(100, Credited)], PaymentStatus.Completed, PaymentStatus.Completed },
        { "one less", [InTime(99, Credited)], PaymentStatus.PartiallyPaid, PaymentStatus.Expired },
        { "in two, one of them waiting", [InTime(60, Credited), InTime(40, Mempool)], PaymentStatus.Confirming, PaymentStatus.Confirming },
        { "in two", [InTime(60, Credited), InTime(40, Credited)], PaymentStatus.Completed, PaymentStatus.Completed },
        { "too much", [InTime(100, Credited), InTime(5, Confirming)], PaymentStatus.Completed, PaymentStatus.Completed },
        { "late", [Late(100, Credited)], PaymentStatus.Waiting, PaymentStatus.Expired },
        { "the rest late", [InTime(60, Credited), Late(40, Credited)], PaymentStatus.PartiallyPaid, PaymentStatus.Expired },
        { "taken back", [InTime(100, Orphaned)], PaymentStatus.Waiting, PaymentStatus.Failed },
        { "half taken back", [InTime(60, Credited), InTime(40, Orphaned)], PaymentStatus.PartiallyPaid, PaymentStatus.Failed },
        { "never enough, taken back", [InTime(40, Orphaned)], PaymentStatus.Waiting, PaymentStatus.Expired },
        { "taken back, paid again", [InTime(100, Orphaned), InTime(100, Credited)], PaymentStatus.Completed, PaymentStatus.Completed },
        { "taken back late", [Late(100, Orphaned)], PaymentStatus.Waiting, PaymentStatus.Expired },
        { "below the minimum", [InTime(100, Kept)], PaymentStatus.Waiting, PaymentStatus.Expired },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_payment_stands_where_its_deposits_and_the_time_put_it(
        string what, PaymentDeposit[] deposits, PaymentStatus before, PaymentStatus after)
    {
        Assert.NotEmpty(what);
        Assert.Equal(before, At(TimeSpan.Zero, deposits).Status);
        Assert.Equal(after, At(TimeSpan.FromTicks(1), deposits).Status);
    }

    [Fact]
    public void Every_unit_that_came_is_in_exactly_one_figure()
    {
        var standing = At(TimeSpan.Zero, InTime(70, Credited), InTime(20, Confirming), InTime(30, Mempool), Late(7, Credited), Late(3, Mempool),
            InTime(1_000, Orphaned), InTime(1_000, Kept));
        Assert.Equal(new PaymentStanding(PaymentStatus.Confirming, Confirmed: 70, Pending: 50, Late: 10, Missing: 0, Over: 20), standing);
        Assert.Equal(40, At(TimeSpan.Zero, InTime(60, Mempool)).Missing);
    }

    [Fact]
    public void Sums_beyond_the_ledgers_digits_stay_at_its_largest_figure()
    {
        foreach (var state in new[] { Mempool, Confirming, Credited, Orphaned })
        {
            PaymentDeposit[] huge = [new(Amount.Max, state, End), new(Amount.Max, state, End), new(Amount.Max, state, End.AddTicks(1)),
                new(Amount.Max, state, End.AddTicks(1)), InTime(100, Credited), InTime(100, Mempool)];
            Assert.True(PaymentStanding.Of(100, End, huge, End).Over <= Amount.Max);
        }
    }

    [Theory]
    [InlineData("2500.00", 18, "100.00", "0.04")]
    [InlineData("0.9999", 6, "10.00", "10.001001")]
    [InlineData("3.00", 0, "10.00", "4")]
    [InlineData("98765.4321", 8, "0.01", "0.00000011")]
    public void A_price_in_dollars_becomes_the_next_amount_that_is_worth_it(string price, int decimals, string dollars, string amount)
    {
        Assert.True(UsdPrice.TryParse(price, out var rate));
        Assert.True(Amount.TryParse(dollars, Usd.Decimals, out var cents, out _));
        Assert.True(Amount.TryParse(amount, decimals, out var expected, out _));
        var converted = PaymentStanding.AmountFor(cents, decimals, rate)!.Value;
        Assert.Equal(expected, converted);
        Assert.True(Usd.Cents(converted, decimals, rate) >= cents);
    }

    [Fact]
    public void What_cannot_be_an_amount_is_none()
    {
        Assert.Null(PaymentStanding.AmountFor(100, 6, new UsdPrice(0)));
        Assert.Null(PaymentStanding.AmountFor(Amount.Max, 30, new UsdPrice(1)));
    }
}
