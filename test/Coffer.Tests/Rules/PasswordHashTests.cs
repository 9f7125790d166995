using System.Security.Cryptography;
using System.Text;
using Coffer.Server.Auth;

namespace Coffer.Tests.Rules;

public sealed class PasswordHashTests
{
    [Theory]
    [InlineData("short horse")]
    [InlineData("password1234")]
    [InlineData("Password!Password!")]
    [InlineData("123456789012")]
    [InlineData("abcdefghijkl")]
    [InlineData("aaaaaaaaaaaaaaaa")]
    [InlineData("alice2026!!!")]
    [InlineData("qwerty123456")]
    public void What_anybody_would_try_first_is_no_password(string password) => Assert.NotNull(PasswordHash.Fault(password, "alice"));

    [Fact]
    public void Long_ones_with_spaces_and_any_letters_are_and_too_long_ones_are_not()
    {
        Assert.Null(PasswordHash.Fault("correct horse battery", "alice"));
        Assert.Null(PasswordHash.Fault("纸船漂过七座桥后停在灯下看雨", "alice"));
        Assert.Null(PasswordHash.Fault(Some(PasswordHash.LengthMax), "alice"));
        Assert.NotNull(PasswordHash.Fault(Some(PasswordHash.LengthMax + 1), "alice"));
        Assert.Null(PasswordHash.Fault(PasswordHash.New(RandomNumberGenerator.Fill), "alice"));
    }

    [Fact]
    public void The_hash_is_pbkdf2_with_sha256_and_at_least_600_000_rounds_and_a_salt_of_its_own()
    {
        var (one, two) = (PasswordHash.Of("correct horse battery", RandomNumberGenerator.Fill), PasswordHash.Of("correct horse battery", RandomNumberGenerator.Fill));
        Assert.True(one.Rounds >= 600_000);
        Assert.NotEqual(one.Salt, two.Salt);
        Assert.Equal(Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes("correct horse battery"), one.Salt, one.Rounds, HashAlgorithmName.SHA256, 32), one.Hash);
    }

    private static string Some(int length) => string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + (i * i % 23))));
}
