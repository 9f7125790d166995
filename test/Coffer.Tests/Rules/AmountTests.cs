using System.Globalization;
using System.Numerics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Coffer.Tests.Rules;

public class AmountTests
{
    private const string Top = "170141183460469231731687303715884105727";
    private const string Bottom = "-170141183460469231731687303715884105728";
    private const string Nines38 = "99999999999999999999999999999999999999";

    [Theory]
    [InlineData("0", 0, "0")]
    [InlineData("7", 0, "7")]
    [InlineData("0", 6, "0")]
    [InlineData("0.0", 6, "0")]
    [InlineData("0.5", 6, "500000")]
    [InlineData("0.000001", 6, "1")]
    [InlineData("12", 6, "12000000")]
    [InlineData("100", 6, "100000000")]
    [InlineData("1.20", 6, "1200000")]
    [InlineData("5000.000000", 6, "5000000000")]
    [InlineData("5.123456789000000000", 18, "5123456789000000000")]
    [InlineData("18446744073709551616", 0, "18446744073709551616")]
    [InlineData("1234567890123456789", 0, "1234567890123456789")]
    [InlineData("12345678901234567890", 0, "12345678901234567890")]
    [InlineData("1.000000000000000000000000000000", 30, "1000000000000000000000000000000")]
    [InlineData("0.000000000000000000000000000001", 30, "1")]
    [InlineData("99999999.999999999999999999999999999999", 30, Nines38)]
    [InlineData(Nines38, 0, Nines38)]
    [InlineData("10000000000000000000000000000000000000", 0, "10000000000000000000000000000000000000")]
    public void Plain_decimal_text_is_read_exactly(string text, int decimals, string expected)
    {
        Assert.True(Amount.TryParse(text, decimals, out var amount, out var fault));
        Assert.Equal(AmountFault.None, fault);
        Assert.Equal(Int128.Parse(expected, CultureInfo.InvariantCulture), amount);
        Assert.True(Amount.TryParse(Encoding.UTF8.GetBytes(text), decimals, out var same, out _));
        Assert.Equal(amount, same);
    }

    [Theory]
    [InlineData("", AmountFault.Empty)]
    [InlineData("-1", AmountFault.Negative)]
    [InlineData("-0", AmountFault.Negative)]
    [InlineData("-", AmountFault.Negative)]
    [InlineData("+1", AmountFault.NotPlain)]
    [InlineData(" 1", AmountFault.NotPlain)]
    [InlineData("1 ", AmountFault.NotPlain)]
    [InlineData(" ", AmountFault.NotPlain)]
    [InlineData("1\n", AmountFault.NotPlain)]
    [InlineData("1\0", AmountFault.NotPlain)]
    [InlineData(".", AmountFault.NotPlain)]
    [InlineData(".5", AmountFault.NotPlain)]
    [InlineData("5.", AmountFault.NotPlain)]
    [InlineData("1.2.3", AmountFault.NotPlain)]
    [InlineData("1..2", AmountFault.NotPlain)]
    [InlineData("00", AmountFault.NotPlain)]
    [InlineData("007", AmountFault.NotPlain)]
    [InlineData("00.5", AmountFault.NotPlain)]
    [InlineData("1e3", AmountFault.NotPlain)]
    [InlineData("1E3", AmountFault.NotPlain)]
    [InlineData("1.5e400", AmountFault.NotPlain)]
    [InlineData("NaN", AmountFault.NotPlain)]
    [InlineData("Infinity", AmountFault.NotPlain)]
    [InlineData("-Infinity", AmountFault.Negative)]
    [InlineData("null", AmountFault.NotPlain)]
    [InlineData("0x10", AmountFault.NotPlain)]
    [InlineData("1,000", AmountFault.NotPlain)]
    [InlineData("1_000", AmountFault.NotPlain)]
    [InlineData("1.-5", AmountFault.NotPlain)]
    [InlineData("1/", AmountFault.NotPlain)]
    [InlineData("1:", AmountFault.NotPlain)]
    [InlineData("\u0661", AmountFault.NotPlain)]
    [InlineData("\uFF11", AmountFault.NotPlain)]
    [InlineData("1\u066B5", AmountFault.NotPlain)]
    [InlineData("\u01311", AmountFault.NotPlain)]
    [InlineData("0.0000001", AmountFault.TooManyDecimals)]
    [InlineData("0.1000000", AmountFault.TooManyDecimals)]
    [InlineData("1.0000000", AmountFault.TooManyDecimals)]
    [InlineData("100000000000000000000000000000000", AmountFault.TooLarge)]
    [InlineData("100000000000000000000000000000000.000000", AmountFault.TooLarge)]
    [InlineData("340282366920938463463374607431768211456", AmountFault.TooLarge)]
    public void Anything_else_is_refused_with_its_reason(string text, AmountFault expected)
    {
        Assert.False(Amount.TryParse(text, 6, out var amount, out var fault));
        Assert.Equal(expected, fault);
        Assert.Equal(0, amount);
        Assert.False(Amount.TryParse(Encoding.UTF8.GetBytes(text), 6, out _, out var same));
        Assert.Equal(expected, same);
        Assert.EndsWith(".", fault.Sentence(6), StringComparison.Ordinal);
    }

    [Fact]
    public void The_limit_is_38_digits_of_smallest_units_and_not_one_more()
    {
        for (var decimals = 0; decimals <= Amount.DecimalsMax; decimals++)
        {
            var whole = new string('9', Amount.DigitsMax - decimals);
            var text = decimals == 0 ? whole : $"{whole}.{new string('9', decimals)}";
            Assert.True(Amount.TryParse(text, decimals, out var amount, out _));
            Assert.Equal(Amount.Max, amount);
            Assert.False(Amount.TryParse("1" + new string('0', whole.Length), decimals, out _, out var fault));
            Assert.Equal(AmountFault.TooLarge, fault);
        }
    }

    [Fact]
    public void A_currency_without_decimals_takes_no_point()
    {
        Assert.False(Amount.TryParse("5.0", 0, out _, out var fault));
        Assert.Equal("Write a whole number; this currency has no decimals.", fault.Sentence(0));
    }

    [Fact]
    public void A_very_long_text_is_refused_and_not_computed()
    {
        Assert.False(Amount.TryParse(new string('9', 1_000_000), 6, out _, out var fault));
        Assert.Equal(AmountFault.TooLarge, fault);
        Assert.False(Amount.TryParse("0." + new string('0', 1_000_000), 6, out _, out fault));
        Assert.Equal(AmountFault.TooManyDecimals, fault);
    }

    [Fact]
    public void Where_money_moves_zero_is_refused_too()
    {
        Assert.False(Amount.TryParsePositive("0.00", 6, out _, out var fault));
        Assert.Equal(AmountFault.Zero, fault);
        Assert.False(Amount.TryParsePositive("0"u8, 6, out _, out fault));
        Assert.Equal(AmountFault.Zero, fault);
        Assert.False(Amount.TryParsePositive("x", 6, out _, out fault));
        Assert.Equal(AmountFault.NotPlain, fault);
        Assert.True(Amount.TryParsePositive("0.000001", 6, out var amount, out fault));
        Assert.Equal((1, AmountFault.None), (amount, fault));
    }

    [Theory]
    [InlineData("5000000000", 6, "5000.000000", "5000.00")]
    [InlineData("5123456789000000000", 18, "5.123456789000000000", "5.123456789")]
    [InlineData("0", 18, "0.000000000000000000", "0.00")]
    [InlineData("1000500000", 6, "1000.500000", "1000.50")]
    [InlineData("5000000", 8, "0.05000000", "0.05")]
    [InlineData("500000", 8, "0.00500000", "0.005")]
    [InlineData("1", 8, "0.00000001", "0.00000001")]
    [InlineData("-800000000", 6, "-800.000000", "-800.00")]
    [InlineData("-1", 6, "-0.000001", "-0.000001")]
    [InlineData("7", 0, "7", "7.00")]
    [InlineData("0", 0, "0", "0.00")]
    [InlineData("100", 0, "100", "100.00")]
    [InlineData("-100", 0, "-100", "-100.00")]
    [InlineData("15", 1, "1.5", "1.50")]
    [InlineData("0", 1, "0.0", "0.00")]
    [InlineData("10", 1, "1.0", "1.00")]
    [InlineData("499950", 2, "4999.50", "4999.50")]
    [InlineData("18446744073709551615", 0, "18446744073709551615", "18446744073709551615.00")]
    [InlineData("18446744073709551616", 6, "18446744073709.551616", "18446744073709.551616")]
    [InlineData("100000000000000000000", 18, "100.000000000000000000", "100.00")]
    [InlineData("100000000000000000000001", 19, "10000.0000000000000000001", "10000.0000000000000000001")]
    [InlineData(Nines38, 30, "99999999.999999999999999999999999999999", "99999999.999999999999999999999999999999")]
    [InlineData("1", 30, "0.000000000000000000000000000001", "0.000000000000000000000000000001")]
    [InlineData(Top, 0, Top, Top + ".00")]
    [InlineData(Bottom, 0, Bottom, Bottom + ".00")]
    public void An_amount_has_one_fixed_and_one_short_form(string units, int decimals, string fixedText, string shortText)
    {
        var amount = Int128.Parse(units, CultureInfo.InvariantCulture);
        Assert.Equal(fixedText, Amount.Fixed(amount, decimals));
        Assert.Equal(shortText, Amount.Short(amount, decimals));
    }

    [Fact]
    public void What_is_written_reads_back_as_the_same_amount() => Prop.ForAll(
        Numbers.Amounts,
        Numbers.Decimals,
        (amount, decimals) =>
            Amount.TryParse(Amount.Fixed(amount, decimals), decimals, out var back, out _)
            && back == amount
            && (decimals < 2 || (Amount.TryParse(Amount.Short(amount, decimals), decimals, out back, out _) && back == amount)))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void The_fixed_form_is_the_one_that_slow_and_obvious_arithmetic_gives() => Prop.ForAll(
        Numbers.Signed,
        Numbers.Decimals,
        (amount, decimals) =>
        {
            var (whole, rest) = BigInteger.DivRem(BigInteger.Abs(amount), BigInteger.Pow(10, decimals));
            var fraction = decimals == 0 ? "" : "." + rest.ToString(CultureInfo.InvariantCulture).PadLeft(decimals, '0');
            var sign = amount < 0 ? "-" : "";
            Span<byte> bytes = stackalloc byte[Amount.LengthMax];
            var text = Encoding.ASCII.GetString(bytes[..Amount.WriteFixed(amount, decimals, bytes)]);
            var trimmed = fraction.TrimStart('.').TrimEnd('0').PadRight(2, '0');
            var length = Amount.WriteShort(amount, decimals, bytes);
            return text == $"{sign}{whole}{fraction}" && Encoding.ASCII.GetString(bytes[..length]) == $"{sign}{whole}.{trimmed}";
        })
        .Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void Writing_into_too_small_a_span_throws_instead_of_cutting()
    {
        Assert.ThrowsAny<Exception>(() => Amount.WriteFixed(123456, 2, new byte[6]));
        Assert.Equal(7, Amount.WriteFixed(123456, 2, new byte[7]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Amount.Fixed(1, 31));
        Assert.Throws<ArgumentOutOfRangeException>(() => Amount.TryParse("1", -1, out _, out _));
    }
}
