using System.Numerics;

namespace Coffer;

/// <summary>What a secret is for; told by its prefix, so that a leaked one is recognised and a misplaced one refused.</summary>
public enum SecretKind
{
    /// <summary>An API key of a live account, <c>cfk_live_</c>.</summary>
    ApiKeyLive,

    /// <summary>An API key of a test account, <c>cfk_test_</c>.</summary>
    ApiKeyTest,

    /// <summary>An OAuth bearer token, <c>cfo_</c>.</summary>
    AccessToken,

    /// <summary>The secret of an OAuth client, <c>cfs_</c>.</summary>
    ClientSecret,

    /// <summary>A session of the dashboard, <c>cfd_</c>; it travels in a cookie and is no credential of the API.</summary>
    Session,
}

/// <summary>
/// The text of a secret: prefix, 43 characters of body, 6 of checksum (contract 4). Letters, digits and underscores only, so it stands
/// unescaped in a header, a form, a bearer token and a shell. The checksum is no secret and proves nothing; it tells a mistyped or cut key
/// from a real one without a look into the database.
/// </summary>
public static class SecretText
{
    /// <summary>The random bytes that one secret is made from; all of their 256 bits are in it.</summary>
    public const int RandomBytes = 32;

    /// <summary>The longest secret.</summary>
    public const int LengthMax = 9 + BodyLength + TailLength;

    private const int BodyLength = 43;
    private const int TailLength = 6;
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly string[] Prefixes = ["cfk_live_", "cfk_test_", "cfo_", "cfs_", "cfd_"];

    /// <summary>The kind of API key that an account of this mode has.</summary>
    public static SecretKind ApiKey(Mode mode) => mode == Mode.Live ? SecretKind.ApiKeyLive : SecretKind.ApiKeyTest;

    /// <summary>Makes a secret: the bytes are one number, written to base 62. Other bytes, other secret; no bit is biased away.</summary>
    /// <param name="kind">Gives the prefix.</param>
    /// <param name="random">Exactly <see cref="RandomBytes"/> bytes from a cryptographic source.</param>
    public static string Make(SecretKind kind, ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(random.Length, RandomBytes);
        var prefix = Prefixes[(int)kind];
        Span<char> text = stackalloc char[prefix.Length + BodyLength + TailLength];
        prefix.CopyTo(text);
        WriteNumber(new BigInteger(random, isUnsigned: true, isBigEndian: true), text.Slice(prefix.Length, BodyLength));
        WriteNumber(Checksum<char>(text[..^TailLength]), text[^TailLength..]);
        return new string(text);
    }

    /// <summary>Whether this has the form of a secret, checksum included, and which kind; not whether it is valid. No allocation.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out SecretKind kind) => TryReadText(text, out kind);

    /// <summary>The same for UTF-8.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out SecretKind kind) => TryReadText(text, out kind);

    private static bool TryReadText<T>(ReadOnlySpan<T> text, out SecretKind kind)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (var i = 0; i < Prefixes.Length; i++)
        {
            kind = (SecretKind)i;
            if (text.Length == Prefixes[i].Length + BodyLength + TailLength && StartsWith(text, Prefixes[i]))
                return IsBase62(text[Prefixes[i].Length..]) && EndsWithChecksum(text);
        }
        kind = default;
        return false;
    }

    private static bool StartsWith<T>(ReadOnlySpan<T> text, string prefix)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (var i = 0; i < prefix.Length; i++)
        {
            if (text[i] != T.CreateTruncating(prefix[i]))
                return false;
        }
        return true;
    }

    private static bool IsBase62<T>(ReadOnlySpan<T> text)
        where T : unmanaged, IBinaryInteger<T>
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)uint.CreateTruncating(c)))
                return false;
        }
        return true;
    }

    private static bool EndsWithChecksum<T>(ReadOnlySpan<T> text)
        where T : unmanaged, IBinaryInteger<T>
    {
        var rest = Checksum(text[..^TailLength]);
        for (var i = 1; i <= TailLength; i++, rest /= 62)
        {
            if (text[^i] != T.CreateTruncating(Digits[(int)(rest % 62)]))
                return false;
        }
        return true;
    }

    /// <summary>CRC-32C over everything before the tail, the prefix too: a test key with its prefix changed is not a live key.</summary>
    private static uint Checksum<T>(ReadOnlySpan<T> text)
        where T : unmanaged, IBinaryInteger<T>
    {
        var crc = uint.MaxValue;
        foreach (var c in text)
            crc = BitOperations.Crc32C(crc, byte.CreateTruncating(c));
        return ~crc;
    }

    private static void WriteNumber(BigInteger number, Span<char> text)
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            number = BigInteger.DivRem(number, 62, out var digit);
            text[i] = Digits[(int)digit];
        }
    }
}
