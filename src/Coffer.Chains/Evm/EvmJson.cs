using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>
/// Reads what EVM nodes write: quantities and bytes as hex text. What is missing or malformed is the node's fault (<see cref="RpcFault"/>),
/// never a zero. Leading zeros and a bare <c>0x</c> are read as java-tron means them.
/// </summary>
internal static class EvmJson
{
    public const int HashLength = 66;
    public const int AddressLength = 42;
    public const int WordLength = 66;
    private const int QuantityDigitsMax = 64;
    private const long TimeMax = 100_000_000_000;

    /// <summary>The member; null when it is absent or JSON null.</summary>
    public static JsonElement? Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null
            ? member : null;

    /// <summary>The text of a value; null when it is none.</summary>
    public static string? Text(this JsonElement json)
    {
        try
        {
            return json.ValueKind == JsonValueKind.String ? json.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped: valid JSON that is no text.
            return null;
        }
    }

    /// <summary>The text of a member; a fault when it has none.</summary>
    public static string Text(this JsonElement json, string name) => json.Member(name)?.Text() ?? throw Missing(name);

    /// <summary>The items of an array.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.Array } member ? member.EnumerateArray() : throw Missing(name);

    public static BigInteger Quantity(this JsonElement json, string name) => Quantity(json.Text(name)) ?? throw Missing(name);

    public static BigInteger Quantity(this JsonElement text) => (text.Text() is { } hex ? Quantity(hex) : null) ?? throw Missing("result");

    /// <summary>A time in seconds since 1970.</summary>
    public static DateTimeOffset Time(this JsonElement json, string name) => json.Number(name) is var seconds && seconds <= TimeMax
        ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw Missing(name);

    /// <summary>A quantity that has to fit a height, a time or a count.</summary>
    public static long Number(this JsonElement json, string name) => Number(json.Quantity(name));

    /// <summary>A quantity that has to fit a height, a time or a count.</summary>
    public static long Number(this JsonElement text) => Number(text.Quantity());

    /// <summary>A 32-byte hash, <c>0x</c> and lower-case digits.</summary>
    public static string Hash(this JsonElement json, string name) =>
        json.Text(name) is var text && IsHex(text, HashLength) ? text.ToLowerInvariant() : throw Missing(name);

    /// <summary>A 20-byte address, <c>0x</c> and lower-case digits; null when the member is null.</summary>
    public static string? Address(this JsonElement json, string name)
    {
        if (json.Member(name) is not { } member)
            return null;
        return member.Text() is { } text && IsHex(text, AddressLength)
            ? text.ToLowerInvariant() : throw Missing(name);
    }

    public static bool IsHex(string text, int length)
    {
        if (text.Length != length || !text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return false;
        foreach (var digit in text.AsSpan(2))
            if (!char.IsAsciiHexDigit(digit))
                return false;
        return true;
    }

    /// <summary>A height as a node wants to be asked for it.</summary>
    public static string Hex(long number) => "0x" + number.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>The bytes of hex text with <c>0x</c>.</summary>
    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.AsSpan(2));

    /// <summary>An unsigned number from hex text with <c>0x</c>; null for other text.</summary>
    public static BigInteger? Quantity(string text)
    {
        if (!text.StartsWith("0x", StringComparison.Ordinal))
            return null;
        var digits = text.AsSpan(2).TrimStart('0');
        if (digits.Length <= 16)
            return digits.IsEmpty ? BigInteger.Zero
                : ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var small) ? small : null;

        // The zero keeps the parser from reading the first digit as a sign.
        return digits.Length <= QuantityDigitsMax
            && BigInteger.TryParse("0" + digits.ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
                ? number : null;
    }

    private static long Number(BigInteger quantity) => quantity <= long.MaxValue ? (long)quantity : throw Missing("number");

    private static RpcFault Missing(string name) => new($"An answer has no valid {name}.");
}
