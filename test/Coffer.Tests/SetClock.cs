namespace Coffer.Tests;

/// <summary>A clock that stands still until a test moves it; timers run in real time.</summary>
internal sealed class SetClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
