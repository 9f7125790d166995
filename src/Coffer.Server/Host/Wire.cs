using System.Globalization;
using System.Text.Json;

namespace Coffer.Server.Host;

/// <summary>How single values look on the wire.</summary>
internal static class Wire
{
    /// <summary>ISO 8601 in UTC with whole seconds, as in the seeds: <c>2025-01-15T09:30:00Z</c>.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>An amount with exactly the currency's decimals.</summary>
    public static void WriteFixed(this Utf8JsonWriter json, ReadOnlySpan<byte> name, Int128 amount, int decimals)
    {
        Span<byte> text = stackalloc byte[Amount.LengthMax];
        json.WriteString(name, text[..Amount.WriteFixed(amount, decimals, text)]);
    }

    /// <summary>An amount with at least two decimals and no further trailing zeros.</summary>
    public static void WriteShort(this Utf8JsonWriter json, ReadOnlySpan<byte> name, Int128 amount, int decimals)
    {
        Span<byte> text = stackalloc byte[Amount.LengthMax];
        json.WriteString(name, text[..Amount.WriteShort(amount, decimals, text)]);
    }

    /// <summary>US cents as a figure with two decimals; null for unknown.</summary>
    public static void WriteUsd(this Utf8JsonWriter json, ReadOnlySpan<byte> name, Int128? cents)
    {
        if (cents is { } known)
            json.WriteFixed(name, known, Usd.Decimals);
        else
            json.WriteNull(name);
    }

    public static void WriteTime(this Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? time)
    {
        if (time is { } known)
            json.WriteString(name, Time(known));
        else
            json.WriteNull(name);
    }
}
