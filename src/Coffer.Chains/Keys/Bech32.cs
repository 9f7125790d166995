namespace Coffer.Chains.Keys;

/// <summary>Which checksum a Bech32 text carries.</summary>
public enum Bech32Kind
{
    /// <summary>BIP173: witness version 0.</summary>
    Bech32,

    /// <summary>BIP350: witness versions from 1 on.</summary>
    Bech32m,
}

/// <summary>What a Bech32 text says.</summary>
/// <param name="Prefix">The part before the last <c>1</c>, lower case.</param>
/// <param name="Values">The part after it without the checksum, one number from 0 to 31 for each character.</param>
/// <param name="Kind">The checksum that it carries.</param>
public sealed record Bech32Text(string Prefix, byte[] Values, Bech32Kind Kind);

/// <summary>Bech32 and Bech32m (BIP173, BIP350): text with a checksum that finds any four wrong characters.</summary>
public static class Bech32
{
    /// <summary>The longest text, in characters.</summary>
    public const int LengthMax = 90;

    private const int ChecksumCharacters = 6;
    private const uint Bech32mConstant = 0x2bc830a3;
    private const string Digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private static readonly uint[] Generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

    /// <summary>The lower-case text of numbers from 0 to 31. Throws when it would be longer than <see cref="LengthMax"/>.</summary>
    /// <param name="prefix">Lower-case printable ASCII, at least one character.</param>
    /// <param name="values">Each from 0 to 31.</param>
    /// <param name="kind">The checksum to write.</param>
    public static string Encode(string prefix, ReadOnlySpan<byte> values, Bech32Kind kind)
    {
        var length = prefix.Length + 1 + values.Length + ChecksumCharacters;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LengthMax);
        ArgumentOutOfRangeException.ThrowIfZero(prefix.Length);
        var sum = SumOfPrefix(prefix);
        foreach (var value in values)
            sum = Step(sum, value);
        for (var i = 0; i < ChecksumCharacters; i++)
            sum = Step(sum, 0);
        sum ^= Constant(kind);

        Span<char> text = stackalloc char[length];
        prefix.CopyTo(text);
        text[prefix.Length] = '1';
        var at = prefix.Length + 1;
        foreach (var value in values)
            text[at++] = Digits[value];
        for (var i = ChecksumCharacters - 1; i >= 0; i--)
            text[at++] = Digits[(int)((sum >> (5 * i)) & 31)];
        return new string(text);
    }

    /// <summary>What the text says; null for foreign characters, both cases, a wrong length or a wrong checksum.</summary>
    public static Bech32Text? Decode(string text)
    {
        if (text.Length > LengthMax || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return null;
        if (text.AsSpan().ContainsAnyInRange('a', 'z') && text.AsSpan().ContainsAnyInRange('A', 'Z'))
            return null;
        text = text.ToLowerInvariant();
        var prefixLength = text.LastIndexOf('1');
        if (prefixLength < 1 || text.Length - prefixLength - 1 < ChecksumCharacters)
            return null;

        var prefix = text[..prefixLength];
        var values = new byte[text.Length - prefixLength - 1];
        var sum = SumOfPrefix(prefix);
        for (var i = 0; i < values.Length; i++)
        {
            var value = Digits.IndexOf(text[prefixLength + 1 + i]);
            if (value < 0)
                return null;
            values[i] = (byte)value;
            sum = Step(sum, values[i]);
        }

        return sum switch
        {
            1 => new Bech32Text(prefix, values[..^ChecksumCharacters], Bech32Kind.Bech32),
            Bech32mConstant => new Bech32Text(prefix, values[..^ChecksumCharacters], Bech32Kind.Bech32m),
            _ => null,
        };
    }

    private static uint Constant(Bech32Kind kind) => kind == Bech32Kind.Bech32 ? 1 : Bech32mConstant;

    private static uint SumOfPrefix(string prefix)
    {
        var sum = 1u;
        foreach (var c in prefix)
            sum = Step(sum, (byte)(c >> 5));
        sum = Step(sum, 0);
        foreach (var c in prefix)
            sum = Step(sum, (byte)(c & 31));
        return sum;
    }

    // The remainder of the text, read as a polynomial over GF(32), after one more character.
    private static uint Step(uint sum, byte value)
    {
        var top = sum >> 25;
        sum = ((sum & 0x1ffffff) << 5) ^ value;
        for (var i = 0; i < Generators.Length; i++)
        {
            if (((top >> i) & 1) != 0)
                sum ^= Generators[i];
        }
        return sum;
    }
}
