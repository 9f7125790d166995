using System.Text;

namespace Coffer.Tests.Rules;

public sealed class TotpTests
{
    private static readonly byte[] _secret = Encoding.ASCII.GetBytes("12345678901234567890");

    // RFC 6238, appendix B: the last six of the eight digits that stand there for SHA-1.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Codes_are_those_of_the_rfc(long seconds, string code) =>
        Assert.Equal(code, Totp.Code(_secret, Totp.Step(DateTimeOffset.FromUnixTimeSeconds(seconds))));

    [Fact]
    public void A_code_is_right_a_step_early_or_late_and_counts_once()
    {
        var at = DateTimeOffset.FromUnixTimeSeconds(1_234_567_890);
        var step = Totp.Step(at);
        for (var off = -3; off <= 3; off++)
            Assert.Equal(Math.Abs(off) <= 1 ? step + off : null, Totp.Accept(_secret, Totp.Code(_secret, step + off), at, last: 0));
        Assert.Null(Totp.Accept(_secret, Totp.Code(_secret, step), at, last: step));
        Assert.Null(Totp.Accept(_secret, Totp.Code(_secret, step - 1), at, last: step));
        Assert.Equal(step, Totp.Accept(_secret, Totp.Code(_secret, step).Insert(3, " "), at, step - 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("abcdef")]
    [InlineData("00592")]
    [InlineData("0059245")]
    [InlineData("٠٠٥٩٢٤")]
    public void What_is_no_code_is_wrong(string code) =>
        Assert.Null(Totp.Accept(_secret, code, DateTimeOffset.FromUnixTimeSeconds(1_234_567_890), last: 0));

    // RFC 4648, section 10, without the padding.
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void A_secret_is_written_in_base_32(string text, string encoded) => Assert.Equal(encoded, Totp.Text(Encoding.ASCII.GetBytes(text)));
}
