using System.Globalization;

namespace Coffer.Server.Host;

/// <summary>
/// The parameters <c>starting_after</c>, <c>date_from</c> and <c>date_to</c> of lists that are newest first. A range of time is a range of
/// ids, so a list needs no index by time.
/// </summary>
internal static class IdRanges
{
    private const string Date = "yyyy-MM-dd";

    private static readonly string[] _times = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"];

    /// <summary>The ids wanted: from the first one, up to the one that is no longer wanted. Times are of creation, both ends included.</summary>
    public static (Guid From, Guid Before) IdRange(this Input query)
    {
        var after = query.OptionalUuid("starting_after") ?? Guid.AllBitsSet;
        var (from, before) = query.TimeRange("date_from", "date_to");
        return (from, after.CompareTo(before) < 0 ? after : before);
    }

    /// <summary>The ids that were made from one time to another; both may be missing, both ends are included.</summary>
    public static (Guid From, Guid Before) TimeRange(this Input query, string fromName, string toName)
    {
        var from = Time(query, fromName, out _);
        var to = Time(query, toName, out var wholeDay);
        var before = Guid.AllBitsSet;
        if (to is { } last && last < DateTimeOffset.MaxValue.AddDays(-1))
            before = IdTimes.First(wholeDay ? last.AddDays(1) : last.AddMilliseconds(1));
        return (from is { } first ? IdTimes.First(first) : Guid.Empty, before);
    }

    private static DateTimeOffset? Time(Input query, string name, out bool wholeDay)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        var text = query.OptionalText(name);
        wholeDay = DateTimeOffset.TryParseExact(text, Date, CultureInfo.InvariantCulture, utc, out var time);
        if (text is null)
            return null;
        if (!wholeDay && !DateTimeOffset.TryParseExact(text, _times, CultureInfo.InvariantCulture, utc, out time))
            query.Fault(name, "Send a day such as 2025-01-15 or a time such as 2025-01-15T09:30:00Z, in UTC.");
        return time;
    }
}
