namespace Coffer.Server.Webhooks;

/// <summary>
/// How a receiver has been doing. Five days of nothing but failures are the end of it; the clock starts when a third attempt in a row has
/// failed, so that one event that a receiver cannot digest at the end of a quiet week does not count from its first failure.
/// </summary>
/// <param name="Failures">In a row.</param>
/// <param name="FirstFailure">The first of them.</param>
/// <param name="FailingSince">When they became too many to be chance.</param>
/// <param name="SlowUntil">The pause that the receiver asked for; null for none.</param>
internal sealed record LaneHealth(int Failures, DateTimeOffset? FirstFailure, DateTimeOffset? FailingSince, DateTimeOffset? SlowUntil)
{
    /// <summary>Failures in a row, within <see cref="CloseTogether"/>, that start the clock.</summary>
    public const int FailuresToCount = 3;

    public static readonly TimeSpan CloseTogether = TimeSpan.FromHours(24), PatienceMax = TimeSpan.FromDays(5);

    public static readonly LaneHealth Good = new(0, null, null, null);

    /// <summary>Whether it has failed for so long that nothing is sent there any more.</summary>
    public bool IsDead(DateTimeOffset now) => FailingSince is { } since && now - since >= PatienceMax;

    /// <summary>After an attempt that succeeded. A pause that was asked for by another, under way beside it, still holds.</summary>
    public LaneHealth Succeeded(DateTimeOffset now) => SlowUntil > now ? Good with { SlowUntil = SlowUntil } : Good;

    /// <summary>After an attempt that failed.</summary>
    /// <param name="now">When.</param>
    /// <param name="pause">What the receiver asked for; null for nothing.</param>
    public LaneHealth Failed(DateTimeOffset now, TimeSpan? pause)
    {
        var slow = pause is { } wanted && !(SlowUntil >= now + wanted) ? now + wanted : SlowUntil;
        if (FailingSince is not null)
            return this with { Failures = Failures + 1, SlowUntil = slow };
        var first = FirstFailure is { } earlier && now - earlier <= CloseTogether ? earlier : now;
        var failures = first == now ? 1 : Failures + 1;
        return new LaneHealth(failures, first, failures >= FailuresToCount ? first : null, slow);
    }
}
