namespace Coffer;

/// <summary>How far back a history goes (contract 2): <c>period</c>.</summary>
public enum Period
{
    /// <summary><c>24h</c>: 24 hours or 1 day.</summary>
    Day = 1,

    /// <summary><c>7d</c>: 168 hours or 7 days.</summary>
    Week = 7,

    /// <summary><c>30d</c>: 720 hours or 30 days.</summary>
    Month = 30,
}

/// <summary>How wide one bucket of a history is: <c>interval</c>.</summary>
public enum Interval
{
    /// <summary><c>hourly</c>: UTC hours.</summary>
    Hourly,

    /// <summary><c>daily</c>: UTC days.</summary>
    Daily,
}

/// <summary>
/// The buckets of a history: whole UTC hours or days, oldest first, none missing, the last one the current, partial one. A day is a
/// calendar day, so <c>7d</c> by days starts at midnight six days ago and covers less than 7 x 24 hours.
/// </summary>
public sealed class HistoryWindow
{
    /// <summary>The window that ends now.</summary>
    /// <param name="now">Any offset; UTC is what counts.</param>
    /// <param name="period">How far back.</param>
    /// <param name="interval">How wide a bucket is.</param>
    public HistoryWindow(DateTimeOffset now, Period period, Interval interval)
    {
        (Now, Period, Interval) = (now.ToUniversalTime(), period, interval);
        Width = interval == Interval.Daily ? TimeSpan.FromDays(1) : TimeSpan.FromHours(1);
        Count = interval == Interval.Daily ? Days : Days * 24;
        // Ticks count from a midnight and UTC knows no leap seconds here, so hours and days are multiples of their width.
        var current = new DateTimeOffset(Now.Ticks - Now.Ticks % Width.Ticks, TimeSpan.Zero);
        From = current - Width * (Count - 1);
    }

    /// <summary>The instant at which the last bucket is cut off; UTC.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>How far back it goes.</summary>
    public Period Period { get; }

    /// <summary>How wide a bucket is, by name.</summary>
    public Interval Interval { get; }

    /// <summary>How wide a bucket is.</summary>
    public TimeSpan Width { get; }

    /// <summary>Days that averages divide by: 1, 7 or 30.</summary>
    public int Days => (int)Period;

    /// <summary>The number of buckets.</summary>
    public int Count { get; }

    /// <summary>The start of the first bucket, UTC: flows of hours before it are not needed.</summary>
    public DateTimeOffset From { get; }

    /// <summary>The start of a bucket, 0 the oldest.</summary>
    public DateTimeOffset Start(int bucket) => From + Width * bucket;

    /// <summary>The end of a bucket, exclusive; now for the last one. Its price is the last one known at this instant.</summary>
    public DateTimeOffset Close(int bucket) => bucket == Count - 1 ? Now : Start(bucket + 1);

    /// <summary>The bucket that an instant belongs to; -1 before the first, and the last one for anything later than now.</summary>
    public int Bucket(DateTimeOffset at) => at < From ? -1 : (int)Math.Min((at - From).Ticks / Width.Ticks, Count - 1);

    /// <summary>Every start, oldest first: the <c>timestamp</c>s of the answer.</summary>
    public IReadOnlyList<DateTimeOffset> Buckets() => [.. Enumerable.Range(0, Count).Select(Start)];

    /// <summary>Reads <c>24h</c>, <c>7d</c> or <c>30d</c>, exactly so.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Period period)
    {
        period = text switch { "24h" => Period.Day, "7d" => Period.Week, "30d" => Period.Month, _ => default };
        return period != default;
    }

    /// <summary>Reads <c>hourly</c> or <c>daily</c>, exactly so.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Interval interval)
    {
        interval = text is "daily" ? Interval.Daily : Interval.Hourly;
        return text is "hourly" or "daily";
    }

    /// <summary>The period as the wire writes it.</summary>
    public static string Text(Period period) => period switch { Period.Day => "24h", Period.Week => "7d", _ => "30d" };

    /// <summary>The interval as the wire writes it.</summary>
    public static string Text(Interval interval) => interval == Interval.Daily ? "daily" : "hourly";
}
