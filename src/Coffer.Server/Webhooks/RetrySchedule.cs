namespace Coffer.Server.Webhooks;

/// <summary>When a delivery is tried: the schedule of Standard Webhooks 1.0.0, with jitter.</summary>
internal static class RetrySchedule
{
    /// <summary>What an attempt may differ from its time, as a share of the pause: receivers that come back are not met by everybody at once.</summary>
    public const double Jitter = 0.1;

    /// <summary>The pause before each attempt, counted from the one before it. After the last one the delivery is given up.</summary>
    public static readonly IReadOnlyList<TimeSpan> Pauses =
    [
        TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>Longest pause that a receiver can ask for.</summary>
    public static readonly TimeSpan RetryAfterMax = TimeSpan.FromHours(1);

    /// <summary>The pause for a receiver that says it is overloaded and not for how long.</summary>
    public static readonly TimeSpan SlowPause = TimeSpan.FromMinutes(1);

    /// <summary>When to try again after so many failed attempts; null: not any more.</summary>
    /// <param name="attempts">At least 1.</param>
    /// <param name="now">When the last one failed.</param>
    /// <param name="chance">At least 0 and less than 1.</param>
    public static DateTimeOffset? Next(int attempts, DateTimeOffset now, double chance) => attempts >= Pauses.Count
        ? null
        : now + (Pauses[attempts] * (1 + (Jitter * ((2 * chance) - 1))));
}
