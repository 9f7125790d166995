using System.Numerics;
using FsCheck;
using FsCheck.Fluent;

namespace Coffer.Tests.Rules;

public sealed class WithdrawalFeesTests
{
    private static readonly Arbitrary<(Currency Currency, Int128 Amount, Int128 Network)> _cases = (
        from perMille in Gen.OneOf(Gen.Choose(0, 1_000), Gen.Elements(0, 1, 999, 1_000))
        from flat in Sizes()
        from amount in Sizes()
        from network in Sizes()
        select (Of(perMille, flat), Int128.Max(amount, 1), network)).ToArbitrary();

    private static Gen<Int128> Sizes() => Gen.OneOf(Numbers.Amounts.Generator, Gen.Choose(0, 5_000).Select(v => (Int128)v),
        Gen.Choose(0, 5_000).Select(v => Amount.Max - v));

    private static Currency Of(int perMille, Int128 flat, NetworkFeeBearer bearer = NetworkFeeBearer.House, string? contract = null) => new()
    {
        Code = "XX",
        Name = "X",
        Network = "XX",
        Token = "X",
        Decimals = 2,
        Confirmations = 1,
        Contract = contract,
        WithdrawalFee = flat,
        WithdrawalFeePerMille = perMille,
        NetworkFeeBearer = bearer,
    };

    [Theory]
    // 10 per mille and 50 flat on 10,000, 300 for the network.
    [InlineData(10, 50, 10_000, 300, true, 10_000, 150, 10_450)]
    [InlineData(10, 50, 10_000, 300, false, 9_550, 150, 10_000)]
    // A thousandth of one unit is a whole one.
    [InlineData(1, 0, 1, 0, true, 1, 1, 2)]
    [InlineData(1, 0, 1_001, 0, true, 1_001, 2, 1_003)]
    [InlineData(0, 0, 7, 0, false, 7, 0, 7)]
    public void The_platform_takes_a_flat_part_and_thousandths_rounded_up(
        int perMille, int flat, int amount, int network, bool onTop, int arrives, int platform, int deducted)
    {
        var quote = WithdrawalFees.Quote(Of(perMille, flat), amount, network, onTop)!;
        Assert.Equal((amount, arrives, network, platform, deducted),
            ((int)quote.Requested, (int)quote.Arrives, (int)quote.NetworkFee, (int)quote.TransactionFee, (int)quote.Deducted));
    }

    [Fact]
    public void The_fee_is_the_one_that_slow_and_obvious_arithmetic_gives() => Prop.ForAll(_cases, c =>
    {
        var exact = (BigInteger)c.Amount * c.Currency.WithdrawalFeePerMille;
        var fee = (exact / 1_000) + (exact % 1_000 > 0 ? 1 : 0) + c.Currency.WithdrawalFee;
        return fee > Amount.Max
            ? WithdrawalFees.Platform(c.Currency, c.Amount) is null
            : WithdrawalFees.Platform(c.Currency, c.Amount) == (Int128)fee;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_arrives_and_the_fees_are_what_is_deducted_to_the_unit() => Prop.ForAll(_cases, c =>
    {
        var platform = WithdrawalFees.Platform(c.Currency, c.Amount);
        var fee = platform is { } known ? (BigInteger)known + c.Network : (BigInteger)Amount.Max * 2;
        var onTop = WithdrawalFees.Quote(c.Currency, c.Amount, c.Network, feesOnTop: true);
        var within = WithdrawalFees.Quote(c.Currency, c.Amount, c.Network, feesOnTop: false);
        var topFits = onTop is null
            ? c.Amount + fee > Amount.Max
            : onTop.Arrives == c.Amount && onTop.Deducted == c.Amount + fee && onTop.Deducted <= Amount.Max;
        var withinFits = within is null
            ? c.Amount - fee <= 0
            : within.Deducted == c.Amount && within.Arrives == c.Amount - fee && within.Arrives > 0;
        return topFits && withinFits;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_most_that_a_balance_pays_for_fits_and_one_unit_more_does_not() => Prop.ForAll(_cases, c =>
    {
        var most = WithdrawalFees.Most(c.Currency, c.Amount, c.Network);
        var fits = most == 0 || WithdrawalFees.Quote(c.Currency, most, c.Network, feesOnTop: true)!.Deducted <= c.Amount;
        var more = most >= Amount.Max ? null : WithdrawalFees.Quote(c.Currency, most + 1, c.Network, feesOnTop: true);
        return fits && (more is null || more.Deducted > c.Amount);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_least_that_lets_so_much_arrive_does_and_one_unit_less_does_not() => Prop.ForAll(_cases, c =>
    {
        if (WithdrawalFees.Least(c.Currency, c.Amount, c.Network, feesOnTop: false) is not { } least)
            return true;
        var enough = WithdrawalFees.Quote(c.Currency, least, c.Network, feesOnTop: false);
        var less = least == 1 ? null : WithdrawalFees.Quote(c.Currency, least - 1, c.Network, feesOnTop: false);
        return enough?.Arrives >= c.Amount && (less is null || less.Arrives < c.Amount);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void At_settlement_the_customer_never_bears_more_than_was_reserved()
    {
        var (house, customer) = (Of(0, 0), Of(0, 0, NetworkFeeBearer.Customer));
        Assert.Equal(130, WithdrawalFees.AtSettlement(house, 100, 30, 70));
        Assert.Equal(100, WithdrawalFees.AtSettlement(customer, 100, 30, 70));
        Assert.Equal(130, WithdrawalFees.AtSettlement(customer, 100, 30, 170));
        Assert.Equal(130, WithdrawalFees.AtSettlement(customer, 100, 30, null));
        // The network's coin is not the token that was reserved.
        Assert.Equal(130, WithdrawalFees.AtSettlement(Of(0, 0, NetworkFeeBearer.Customer, "0x1"), 100, 30, 70));
    }

    [Fact]
    public void A_coins_fee_is_worth_the_same_in_a_token_rounded_up()
    {
        Assert.True(UsdPrice.TryParse("2500", out var ether));
        Assert.True(UsdPrice.TryParse("0.999", out var dollar));
        // 0.00042 ETH are 1.05 dollars, 1.051051...1 of the token.
        Assert.Equal(1_051_052, EstimatedFee.InToken(420_000_000_000_000, 18, ether, 6, dollar));
        Assert.Equal(0, EstimatedFee.InToken(0, 18, ether, 6, dollar));
        Assert.Equal(1, EstimatedFee.InToken(1, 18, ether, 6, dollar));
        Assert.Null(EstimatedFee.InToken(1, 18, ether, 6, new UsdPrice(0)));
        Assert.Equal(Amount.Max, EstimatedFee.InToken(Amount.Max, 0, ether, 30, dollar));
        Assert.Equal((5, 7), (new EstimatedFee(5, null).Charged(9), (int)new EstimatedFee(8, null).Charged(7)));
    }
}
