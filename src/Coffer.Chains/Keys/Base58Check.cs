using System.Security.Cryptography;

namespace Coffer.Chains.Keys;

/// <summary>
/// Base58Check, the spelling of Bitcoin's older addresses, of Tron's and of extended keys (BIP32): the bytes and the first four bytes of
/// their double SHA-256, as one number to base 58, a <c>1</c> for each leading zero byte. Every text has at most one reading and back.
/// </summary>
public static class Base58Check
{
    /// <summary>The most bytes that are encoded or decoded; extended keys have 78.</summary>
    public const int BytesMax = 128;

    private const int ChecksumBytes = 4;
    private const string Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    // Log 256 / log 58 = 1.3658, rounded up.
    private const int CharactersMax = (BytesMax + ChecksumBytes) * 138 / 100 + 1;

    private static readonly sbyte[] Values = MakeValues();

    /// <summary>The text of at most <see cref="BytesMax"/> bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, BytesMax);
        Span<byte> all = stackalloc byte[bytes.Length + ChecksumBytes];
        bytes.CopyTo(all);
        WriteChecksum(bytes, all[bytes.Length..]);

        var zeros = all.IndexOfAnyExcept((byte)0);
        if (zeros < 0)
            zeros = all.Length;
        Span<byte> digits = stackalloc byte[CharactersMax];
        var count = 0;
        foreach (var value in all[zeros..])
        {
            // The number so far, lowest digit first, times 256 plus the next byte.
            var carry = (int)value;
            for (var i = 0; i < count; i++, carry /= 58)
            {
                carry += digits[i] << 8;
                digits[i] = (byte)(carry % 58);
            }
            for (; carry > 0; carry /= 58)
                digits[count++] = (byte)(carry % 58);
        }

        Span<char> text = stackalloc char[zeros + count];
        text[..zeros].Fill(Digits[0]);
        for (var i = 0; i < count; i++)
            text[^(i + 1)] = Digits[digits[i]];
        return new string(text);
    }

    /// <summary>The bytes without the checksum; null for a foreign character, a wrong checksum or a wrong length.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        // The work grows with the square of the length: look at the length first.
        if (text.Length > CharactersMax)
            return null;
        var zeros = text.IndexOfAnyExcept(Digits[0]);
        if (zeros < 0)
            zeros = text.Length;
        Span<byte> number = stackalloc byte[CharactersMax];
        var count = 0;
        foreach (var digit in text[zeros..])
        {
            // The number so far, lowest byte first, times 58 plus the next digit.
            var carry = digit < Values.Length ? (int)Values[digit] : -1;
            if (carry < 0)
                return null;
            for (var i = 0; i < count; i++, carry >>= 8)
            {
                carry += number[i] * 58;
                number[i] = (byte)(carry & 0xff);
            }
            for (; carry > 0; carry >>= 8)
                number[count++] = (byte)(carry & 0xff);
        }

        var length = zeros + count - ChecksumBytes;
        if (length is < 0 or > BytesMax)
            return null;
        var all = new byte[zeros + count];
        for (var i = 0; i < count; i++)
            all[^(i + 1)] = number[i];
        Span<byte> checksum = stackalloc byte[ChecksumBytes];
        WriteChecksum(all.AsSpan(0, length), checksum);
        return all.AsSpan(length).SequenceEqual(checksum) ? all[..length] : null;
    }

    private static void WriteChecksum(ReadOnlySpan<byte> bytes, Span<byte> checksum)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        SHA256.HashData(hash, hash);
        hash[..ChecksumBytes].CopyTo(checksum);
    }

    private static sbyte[] MakeValues()
    {
        var values = new sbyte[128];
        Array.Fill(values, (sbyte)-1);
        for (var i = 0; i < Digits.Length; i++)
            values[Digits[i]] = (sbyte)i;
        return values;
    }
}
