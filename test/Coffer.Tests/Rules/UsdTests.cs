using System.Numerics;
using FsCheck;
using FsCheck.Fluent;

namespace Coffer.Tests.Rules;

public class UsdTests
{
    private static UsdPrice Price(string text) =>
        UsdPrice.TryParse(text, out var price) ? price : throw new ArgumentException(text);

    private static Int128 Units(string text, int decimals) =>
        Amount.TryParse(text, decimals, out var amount, out _) ? amount : throw new ArgumentException(text);

    /// <summary>Seed 002; the price of ETH is one that gives the seed's figure.</summary>
    [Theory]
    [InlineData("5000.000000", 6, "0.9999", "4999.50")]
    [InlineData("2500.000000", 6, "1.0001", "2500.25")]
    [InlineData("5.123456789000000000", 18, "2345.258", "12015.83")]
    [InlineData("4200.000000", 6, "0.9999", "4199.58")]
    [InlineData("4700.000000", 6, "0.9999", "4699.53")]
    [InlineData("4500.000000", 6, "0.9999", "4499.55")]
    [InlineData("0.000000", 6, "0.9999", "0.00")]
    [InlineData("1", 0, "0.005", "0.01")]
    [InlineData("1", 0, "0.004999999999999999", "0.00")]
    [InlineData("1", 0, "1.015", "1.02")]
    [InlineData("3", 0, "0.335", "1.01")]
    [InlineData("0.000000000000000000000000000001", 30, "5000000000000000000", "0.00")]
    [InlineData("0.010000000000000000000000000000", 30, "0.5", "0.01")]
    [InlineData("99999999999999999999.999999999999999999", 18, "0.01", "1000000000000000000.00")]
    public void An_amount_is_worth_its_exact_value_rounded_half_up(string amount, int decimals, string price, string worth) =>
        Assert.Equal(worth, Usd.Text(Usd.Cents(Units(amount, decimals), decimals, Price(price))));

    [Fact]
    public void The_total_of_seed_002_is_the_sum_of_its_rounded_lines()
    {
        var sum = Usd.Cents(Units("5000", 6), 6, Price("0.9999"))
            + Usd.Cents(Units("2500", 6), 6, Price("1.0001"))
            + Usd.Cents(Units("5.123456789", 18), 18, Price("2345.258"));
        Assert.Equal("19515.58", Usd.Text(sum));
    }

    [Fact]
    public void No_price_is_no_figure()
    {
        Assert.Null(Usd.Cents(1, 6, null));
        Assert.Null(Usd.Text(null));
    }

    [Fact]
    public void A_figure_beyond_36_digits_is_unknown_and_never_overflows()
    {
        Assert.Null(Usd.Cents(Amount.Max, 0, new UsdPrice(Amount.Max)));
        Assert.Null(Usd.Cents(-Amount.Max, 0, Price("1")));
        Assert.Equal(Amount.One(36) - 1, Usd.Cents(Amount.One(36) - 1, 2, Price("1")));
        Assert.Null(Usd.Cents(Amount.One(36), 2, Price("1")));
    }

    [Fact]
    public void Worth_is_exact_for_every_amount_price_and_sign() => Prop.ForAll(
        Numbers.Signed,
        Numbers.Decimals,
        Numbers.Amounts,
        (amount, decimals, scaled) =>
        {
            // |2 * exact - 2 * cents| <= 1 in units of one cent, checked without a division.
            var cents = Usd.Cents(amount, decimals, new UsdPrice(scaled));
            var unit = BigInteger.Pow(10, decimals + 16);
            var exact = BigInteger.Abs(amount) * scaled;
            if (cents is not { } known)
                return exact * 2 >= (BigInteger.Pow(10, 36) * 2 - 1) * unit;
            var rounded = BigInteger.Abs(known) * unit;
            var up = (rounded - exact) * 2;
            return up <= unit && up > -unit && (known == 0 || known < 0 == amount < 0);
        })
        .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Theory]
    [InlineData("0.9999", "0.9999")]
    [InlineData("2345", "2345.00")]
    [InlineData("0.000000000000000001", "0.000000000000000001")]
    [InlineData("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999")]
    [InlineData("1.500000000000000000", "1.50")]
    public void A_price_keeps_18_decimals_and_shows_no_idle_zeros(string text, string shown) =>
        Assert.Equal(shown, Price(text).ToString());

    [Theory]
    [InlineData("1.0000000000000000001", AmountFault.TooManyDecimals)]
    [InlineData("100000000000000000000", AmountFault.TooLarge)]
    [InlineData("-1", AmountFault.Negative)]
    [InlineData("1e3", AmountFault.NotPlain)]
    public void A_price_is_refused_like_an_amount(string text, AmountFault expected)
    {
        Assert.False(UsdPrice.TryParse(text, out _, out var fault));
        Assert.Equal(expected, fault);
    }

    [Theory]
    [InlineData(2700, 7, 386)]
    [InlineData(5, 2, 3)]
    [InlineData(-5, 2, -3)]
    [InlineData(4, 3, 1)]
    [InlineData(-4, 3, -1)]
    [InlineData(0, 3, 0)]
    [InlineData(1, 2, 1)]
    [InlineData(1, 3, 0)]
    public void Halves_are_rounded_away_from_zero(int numerator, int divisor, int expected) =>
        Assert.Equal(expected, Rounding.HalfUp(numerator, divisor));

    [Fact]
    public void Rounding_holds_at_the_ends_of_the_range()
    {
        Assert.Equal(Int128.MinValue, Rounding.HalfUp(Int128.MinValue, 1));
        Assert.Equal(Int128.MaxValue, Rounding.HalfUp(Int128.MaxValue, 1));
        Assert.Equal(1, Rounding.HalfUp(Int128.MaxValue, Int128.MaxValue));
        Assert.Equal(-1, Rounding.HalfUp(Int128.MinValue, Int128.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => Rounding.HalfUp((Int128)1, 0));
    }
}
