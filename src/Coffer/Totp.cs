using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coffer;

/// <summary>Codes of an authenticator app: RFC 6238 with SHA-1, thirty seconds and six digits, which every app takes.</summary>
public static class Totp
{
    /// <summary>Bytes of a secret: the 160 bits that RFC 4226 recommends.</summary>
    public const int SecretBytes = 20;

    /// <summary>Digits of a code.</summary>
    public const int Digits = 6;

    /// <summary>Seconds that one code stands for.</summary>
    public const int StepSeconds = 30;

    /// <summary>How many steps a clock may be wrong, either way (RFC 6238, 5.2).</summary>
    public const int StepsOff = 1;

    private const int Modulus = 1_000_000;
    private const string Base32Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The step that this moment belongs to.</summary>
    public static long Step(DateTimeOffset at) => at.ToUnixTimeSeconds() / StepSeconds;

    /// <summary>The code of a step.</summary>
    /// <param name="secret">The shared secret.</param>
    /// <param name="step">Which thirty seconds since 1970; not negative.</param>
    public static string Code(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[sizeof(long)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(secret, counter, mac);
        var number = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(mac[(mac[^1] & 0xF)..]) & int.MaxValue;
        return (number % Modulus).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step that the code is right for, or null. A code counts once: of steps up to the last accepted one none is right.</summary>
    /// <param name="secret">The shared secret.</param>
    /// <param name="code">What was typed; spaces in it are ignored.</param>
    /// <param name="at">Now.</param>
    /// <param name="last">The last step that was accepted; 0 for none.</param>
    public static long? Accept(ReadOnlySpan<byte> secret, string code, DateTimeOffset at, long last)
    {
        var typed = Encoding.ASCII.GetBytes(code.Replace(" ", "", StringComparison.Ordinal));
        long? accepted = null;
        // All of them are computed, so that the time tells nothing.
        for (var step = Step(at) - StepsOff; step <= Step(at) + StepsOff; step++)
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Code(secret, step)), typed) && step > last)
                accepted ??= step;
        }

        return accepted;
    }

    /// <summary>The secret as apps take it by hand: base 32 (RFC 4648, 6) without padding.</summary>
    public static string Text(ReadOnlySpan<byte> secret)
    {
        var text = new StringBuilder();
        var (bits, count) = (0, 0);
        foreach (var b in secret)
        {
            (bits, count) = (((bits << 8) | b) & 0xFFFF, count + 8);
            for (; count >= 5; count -= 5)
                text.Append(Base32Digits[(bits >> (count - 5)) & 31]);
        }

        if (count > 0)
            text.Append(Base32Digits[(bits << (5 - count)) & 31]);
        return text.ToString();
    }

    /// <summary>What an app reads as a QR code (the key URI format that all of them take).</summary>
    /// <param name="secret">The shared secret.</param>
    /// <param name="user">Whose.</param>
    /// <param name="issuer">Where.</param>
    public static string Uri(ReadOnlySpan<byte> secret, string user, string issuer) =>
        $"otpauth://totp/{System.Uri.EscapeDataString(issuer)}:{System.Uri.EscapeDataString(user)}"
        + $"?secret={Text(secret)}&issuer={System.Uri.EscapeDataString(issuer)}&digits={Digits}&period={StepSeconds}";
}
