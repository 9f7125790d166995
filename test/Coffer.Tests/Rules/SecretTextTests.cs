using System.Security.Cryptography;
using System.Text;

namespace Coffer.Tests.Rules;

public class SecretTextTests
{
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static string Make(SecretKind kind, int seed) => SecretText.Make(kind, SHA256.HashData(BitConverter.GetBytes(seed)));

    private static bool Reads(string text)
    {
        var read = SecretText.TryRead(text, out _);
        Assert.Equal(read, SecretText.TryRead(Encoding.UTF8.GetBytes(text), out _));
        return read;
    }

    [Theory]
    [InlineData(SecretKind.ApiKeyLive, "^cfk_live_[0-9A-Za-z]{49}$")]
    [InlineData(SecretKind.ApiKeyTest, "^cfk_test_[0-9A-Za-z]{49}$")]
    [InlineData(SecretKind.AccessToken, "^cfo_[0-9A-Za-z]{49}$")]
    [InlineData(SecretKind.ClientSecret, "^cfs_[0-9A-Za-z]{49}$")]
    public void A_secret_tells_its_kind_and_reads_back_as_it(SecretKind kind, string form)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var text = Make(kind, seed);
            Assert.Matches(form, text);
            Assert.True(text.Length <= SecretText.LengthMax);
            Assert.True(SecretText.TryRead(text, out var read));
            Assert.Equal(kind, read);
            Assert.True(SecretText.TryRead(Encoding.ASCII.GetBytes(text), out read));
            Assert.Equal(kind, read);
        }
    }

    /// <summary>Base 62 and CRC-32C computed here the long way; the CRC's check value for "123456789" is 0xE3069283.</summary>
    [Fact]
    public void The_text_is_the_bytes_to_base_62_and_their_crc_32c()
    {
        Assert.Equal(0xE3069283u, Crc("123456789"));
        Span<byte> ones = stackalloc byte[SecretText.RandomBytes];
        foreach (var (fill, last, body) in new (byte, byte, string)[]
        {
            (0, 0, new string('0', 43)),
            (0, 61, new string('0', 42) + "z"),
            (0, 62, new string('0', 41) + "10"),
        })
        {
            ones.Fill(fill);
            ones[^1] = last;
            var text = SecretText.Make(SecretKind.AccessToken, ones);
            Assert.Equal("cfo_" + body, text[..^6]);
            var tail = text[^6..].Aggregate(0L, (n, c) => n * 62 + Base62.IndexOf(c, StringComparison.Ordinal));
            Assert.Equal(Crc(text[..^6]), tail);
        }
    }

    [Fact]
    public void All_256_bits_are_in_the_text()
    {
        var seen = new HashSet<string>();
        for (var bit = 0; bit < 256; bit++)
        {
            var bytes = new byte[32];
            bytes[bit / 8] = (byte)(1 << (bit % 8));
            Assert.True(seen.Add(SecretText.Make(SecretKind.ApiKeyLive, bytes)[9..52]));
        }
        var full = new byte[32];
        Array.Fill(full, byte.MaxValue);
        Assert.True(Reads(SecretText.Make(SecretKind.ApiKeyLive, full)));
    }

    [Fact]
    public void Every_single_wrong_character_is_noticed()
    {
        var text = Make(SecretKind.ApiKeyLive, 1);
        for (var at = 0; at < text.Length; at++)
        {
            foreach (var other in Base62 + "_-. \0\u0131\u0171")
            {
                if (other != text[at])
                    Assert.False(Reads(text[..at] + other + text[(at + 1)..]), $"{at} {other}");
            }
            // The same low byte: what a checksum over bytes alone would take for the right character.
            Assert.False(Reads(text[..at] + (char)(text[at] + 0x100) + text[(at + 1)..]));
        }
    }

    [Fact]
    public void Two_swapped_a_lost_or_an_added_character_is_noticed()
    {
        var text = Make(SecretKind.AccessToken, 2);
        for (var at = 0; at < text.Length; at++)
        {
            Assert.False(Reads(text.Remove(at, 1)));
            Assert.False(Reads(text.Insert(at, "A")));
            if (at > 0 && text[at] != text[at - 1])
                Assert.False(Reads(text[..(at - 1)] + text[at] + text[at - 1] + text[(at + 1)..]));
        }
    }

    [Fact]
    public void A_prefix_cannot_be_exchanged()
    {
        var test = Make(SecretKind.ApiKeyTest, 3);
        Assert.False(Reads(test.Replace("_test_", "_live_", StringComparison.Ordinal)));
        Assert.False(Reads("cfs_" + Make(SecretKind.AccessToken, 3)[4..]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("cfk_live_")]
    [InlineData("cfo_")]
    [InlineData("Bearer x")]
    public void What_is_no_secret_is_refused(string text)
    {
        Assert.False(Reads(text));
        Assert.False(Reads(text + new string('0', 49)));
        Assert.False(Reads(new string('0', 1_000_000)));
        var secret = Make(SecretKind.ApiKeyLive, 4);
        Assert.False(Reads(" " + secret));
        Assert.False(Reads(secret + "\n"));
        Assert.False(Reads(secret.ToUpperInvariant()));
    }

    [Fact]
    public void The_mode_of_the_account_gives_the_kind_of_key()
    {
        Assert.Equal(SecretKind.ApiKeyLive, SecretText.ApiKey(Mode.Live));
        Assert.Equal(SecretKind.ApiKeyTest, SecretText.ApiKey(Mode.Test));
        Assert.Throws<ArgumentOutOfRangeException>(() => SecretText.Make(SecretKind.ApiKeyLive, new byte[31]));
    }

    private static uint Crc(string text)
    {
        var crc = uint.MaxValue;
        foreach (var c in text)
        {
            crc ^= c;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }
}
