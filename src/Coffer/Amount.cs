using System.Numerics;
using System.Text;

namespace Coffer;

/// <summary>
/// The text of an amount: an integer of smallest units inside, a decimal string outside (contract 1). Exact both ways; no floating point.
/// </summary>
public static class Amount
{
    /// <summary>Digits of smallest units that an amount may have: the width of <c>numeric(38,0)</c>.</summary>
    public const int DigitsMax = 38;

    /// <summary>The most decimals a currency may keep.</summary>
    public const int DecimalsMax = 30;

    /// <summary>Bytes that any written amount fits in: sign, 39 digits, point, two zeros.</summary>
    public const int LengthMax = 43;

    private const ulong Chunk = 10_000_000_000_000_000_000;
    private const int ChunkDigits = 19;

    private static readonly Int128[] Powers = MakePowers();

    /// <summary>The largest amount, 10^38 - 1 smallest units.</summary>
    public static Int128 Max { get; } = Powers[DigitsMax] - 1;

    /// <summary>One whole unit in smallest units: 10^decimals, for 0 to 38 decimals.</summary>
    public static Int128 One(int decimals) => Powers[decimals];

    /// <summary>
    /// Reads an amount exactly from its text: digits, and a point with digits after it if there is a fraction. A JSON number without sign
    /// and exponent: <c>0.5</c> is one, <c>.5</c>, <c>5.</c>, <c>007</c>, <c>+5</c> and <c>1e3</c> are not. Digits beyond
    /// <paramref name="decimals"/> are refused even if they are zeros: who writes them means another currency.
    /// </summary>
    /// <param name="text">The text as it came; not trimmed.</param>
    /// <param name="decimals">The currency's decimals, 0 to 30.</param>
    /// <param name="amount">Smallest units, 0 to <see cref="Max"/>; 0 when refused.</param>
    /// <param name="fault">Why not; <see cref="AmountFault.None"/> when read.</param>
    public static bool TryParse(ReadOnlySpan<char> text, int decimals, out Int128 amount, out AmountFault fault) =>
        TryParseDigits(text, decimals, out amount, out fault);

    /// <summary>The same for UTF-8, e.g. the raw text of a JSON number.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, int decimals, out Int128 amount, out AmountFault fault) =>
        TryParseDigits(text, decimals, out amount, out fault);

    /// <summary>As <c>TryParse</c>, and refuses zero: for money that shall move.</summary>
    public static bool TryParsePositive(ReadOnlySpan<char> text, int decimals, out Int128 amount, out AmountFault fault) =>
        TryParseDigits(text, decimals, out amount, out fault) && !IsZero(amount, ref fault);

    /// <summary>The same for UTF-8.</summary>
    public static bool TryParsePositive(ReadOnlySpan<byte> text, int decimals, out Int128 amount, out AmountFault fault) =>
        TryParseDigits(text, decimals, out amount, out fault) && !IsZero(amount, ref fault);

    /// <summary>The form of <c>/user/...</c>: exactly the currency's decimals, <c>5000.000000</c>; no point for 0 decimals.</summary>
    public static string Fixed(Int128 amount, int decimals)
    {
        Span<byte> text = stackalloc byte[LengthMax];
        return Encoding.ASCII.GetString(text[..WriteFixed(amount, decimals, text)]);
    }

    /// <summary>The form of <c>/wallets/balances</c>: at least two decimals, no further trailing zeros, <c>1000.50</c>.</summary>
    public static string Short(Int128 amount, int decimals)
    {
        Span<byte> text = stackalloc byte[LengthMax];
        return Encoding.ASCII.GetString(text[..WriteShort(amount, decimals, text)]);
    }

    /// <summary><see cref="Fixed"/> without allocation.</summary>
    /// <param name="amount">Smallest units; any value, negative ones with a minus.</param>
    /// <param name="decimals">0 to 30.</param>
    /// <param name="text">ASCII goes here; <see cref="LengthMax"/> bytes are always enough.</param>
    /// <returns>The bytes written.</returns>
    /// <exception cref="ArgumentException">The span is too small.</exception>
    public static int WriteFixed(Int128 amount, int decimals, Span<byte> text) => Write(amount, decimals, shown: decimals, text);

    /// <summary><see cref="Short"/> without allocation; parameters as in <see cref="WriteFixed"/>.</summary>
    public static int WriteShort(Int128 amount, int decimals, Span<byte> text) =>
        Write(amount, decimals, shown: 2, text);

    private static bool TryParseDigits<T>(ReadOnlySpan<T> text, int decimals, out Int128 amount, out AmountFault fault)
        where T : unmanaged, IBinaryInteger<T>
    {
        CheckDecimals(decimals);
        amount = 0;
        fault = Scan(text, out var whole, out var fraction);
        if (fault != AmountFault.None)
            return false;
        if (fraction > decimals)
            return Refuse(AmountFault.TooManyDecimals, out fault);
        // The whole part has no leading zeros, so this count is exact; a lone 0 counts too much, but always fits beside 30 decimals.
        if (whole + decimals > DigitsMax)
            return Refuse(AmountFault.TooLarge, out fault);
        // Two machine words instead of 38 wide multiplications: the first 19 digits, then the rest.
        var point = T.CreateTruncating('.');
        ulong high = 0, low = 0;
        var read = 0;
        foreach (var c in text)
        {
            if (c == point)
                continue;
            var digit = ulong.CreateTruncating(c) - '0';
            if (read++ < ChunkDigits)
                high = high * 10 + digit;
            else
                low = low * 10 + digit;
        }
        amount = read <= ChunkDigits ? high : high * Powers[read - ChunkDigits] + low;
        amount *= Powers[decimals - fraction];
        return true;
    }

    /// <summary>The grammar alone: <c>(0|[1-9][0-9]*)(\.[0-9]+)?</c>.</summary>
    private static AmountFault Scan<T>(ReadOnlySpan<T> text, out int whole, out int fraction)
        where T : unmanaged, IBinaryInteger<T>
    {
        whole = fraction = 0;
        if (text.IsEmpty)
            return AmountFault.Empty;
        if (text[0] == T.CreateTruncating('-'))
            return AmountFault.Negative;
        var zero = T.CreateTruncating('0');
        var nine = T.CreateTruncating('9');
        var point = text.IndexOf(T.CreateTruncating('.'));
        whole = point < 0 ? text.Length : point;
        if (whole == 0 || (whole > 1 && text[0] == zero) || text[..whole].ContainsAnyExceptInRange(zero, nine))
            return AmountFault.NotPlain;
        if (point < 0)
            return AmountFault.None;
        fraction = text.Length - point - 1;
        return fraction == 0 || text[(point + 1)..].ContainsAnyExceptInRange(zero, nine) ? AmountFault.NotPlain : AmountFault.None;
    }

    private static int Write(Int128 amount, int decimals, int shown, Span<byte> text)
    {
        CheckDecimals(decimals);
        Span<byte> digits = stackalloc byte[2 * ChunkDigits + 1];
        digits = digits[..WriteDigits(Rounding.Magnitude(amount), digits)];
        var at = 0;
        if (amount < 0)
            text[at++] = (byte)'-';
        var whole = Math.Max(digits.Length - decimals, 0);
        if (whole == 0)
            text[at++] = (byte)'0';
        digits[..whole].CopyTo(text[at..]);
        at += whole;
        if (decimals == 0 && shown == 0)
            return at;
        text[at++] = (byte)'.';
        // The fraction is written in full; then zeros are cut, or added, until it has what this form shows at least.
        var start = at;
        var lead = decimals - (digits.Length - whole);
        text.Slice(at, lead).Fill((byte)'0');
        digits[whole..].CopyTo(text[(at + lead)..]);
        at += decimals;
        while (at - start > shown && text[at - 1] == '0')
            at--;
        while (at - start < shown)
            text[at++] = (byte)'0';
        return at;
    }

    /// <summary>128-bit division is slow, 64-bit formatting is not: at most one wide division per amount, none below 2^64.</summary>
    private static int WriteDigits(UInt128 value, Span<byte> digits)
    {
        int length;
        if (value <= ulong.MaxValue)
        {
            ((ulong)value).TryFormat(digits, out length);
            return length;
        }
        var high = (ulong)(value / Chunk);
        var low = (ulong)(value - (UInt128)high * Chunk);
        high.TryFormat(digits, out length);
        low.TryFormat(digits[length..], out var rest, "D19");
        return length + rest;
    }

    private static bool IsZero(Int128 amount, ref AmountFault fault)
    {
        if (amount != 0)
            return false;
        fault = AmountFault.Zero;
        return true;
    }

    private static bool Refuse(AmountFault why, out AmountFault fault)
    {
        fault = why;
        return false;
    }

    private static void CheckDecimals(int decimals)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(decimals);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(decimals, DecimalsMax);
    }

    private static Int128[] MakePowers()
    {
        var powers = new Int128[DigitsMax + 1];
        powers[0] = 1;
        for (var i = 1; i < powers.Length; i++)
            powers[i] = powers[i - 1] * 10;
        return powers;
    }
}
