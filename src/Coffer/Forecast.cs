using System.Numerics;

namespace Coffer;

/// <summary>How long what is available lasts if as much goes on leaving as does now.</summary>
/// <param name="OutflowPerDay">Smallest units a day, above 0, at most <see cref="Amount.Max"/>.</param>
/// <param name="EmptyAt">When nothing is left; null when that is further away than <see cref="Horizon"/>.</param>
public sealed record Forecast(Int128 OutflowPerDay, DateTimeOffset? EmptyAt)
{
    /// <summary>Hours of the shorter of the two windows, the running hour included.</summary>
    public const int DayHours = 24;

    /// <summary>Hours of the longer one.</summary>
    public const int WeekHours = 7 * DayHours;

    /// <summary>What is further away than this is nobody's forecast.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromDays(3_650);

    /// <summary>
    /// The faster of two rates counts, that of the last day and the daily mean of the last week: who is warned a little early has lost
    /// nothing, and a quiet day after a busy week should not look like safety. Null when nothing leaves.
    /// </summary>
    /// <param name="available">Smallest units, at least 0.</param>
    /// <param name="day">What left in the last <see cref="DayHours"/>, or is on its way.</param>
    /// <param name="week">What left in the last <see cref="WeekHours"/>, or is on its way.</param>
    /// <param name="now">From when on.</param>
    public static Forecast? Of(BigInteger available, BigInteger day, BigInteger week, DateTimeOffset now)
    {
        // The mean is rounded up, the time that is left down: both towards the warning.
        var mean = (week + (WeekHours / DayHours) - 1) / (WeekHours / DayHours);
        var perDay = BigInteger.Min(BigInteger.Max(day, mean), Amount.Max);
        if (perDay <= 0)
            return null;
        var seconds = BigInteger.Max(available, 0) * (long)TimeSpan.FromDays(1).TotalSeconds / perDay;
        DateTimeOffset? empty = seconds <= (long)Horizon.TotalSeconds ? now + TimeSpan.FromSeconds((long)seconds) : null;
        return new Forecast((Int128)perDay, empty);
    }

    /// <summary>From where on the windows of <see cref="Of"/> count: UTC hours, the running one included.</summary>
    /// <param name="now">The end of both.</param>
    public static (DateTimeOffset Day, DateTimeOffset Week) Windows(DateTimeOffset now)
    {
        var hour = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        return (hour.AddHours(1 - DayHours), hour.AddHours(1 - WeekHours));
    }
}
