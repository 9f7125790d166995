namespace Coffer.Server.Auth;

/// <summary>
/// How many requests a window takes: a token bucket kept as one number per caller, the time at which his bucket would be full
/// again (the generic cell rate algorithm). A full bucket and no bucket are the same, so an idle one may be forgotten at any time.
/// </summary>
internal sealed class RequestRate
{
    /// <summary>Above this many, what remains is written for each answer instead of kept as text.</summary>
    private const int TextsMax = 4_096;

    private readonly TimeProvider _time;
    private readonly string _name;
    private readonly long _window;
    private readonly long _each;
    private readonly string?[] _texts;

    public RequestRate(string name, int requests, TimeSpan window, TimeProvider time)
    {
        (_name, _time) = (name, time);
        _window = (long)(window.TotalSeconds * time.TimestampFrequency);
        _each = Math.Max(1, _window / requests);
        _texts = new string?[Math.Min(requests, TextsMax) + 1];
        Policy = $"\"{name}\";q={requests};w={(int)window.TotalSeconds}";
    }

    /// <summary>What it is called there.</summary>
    public string Name => _name;

    /// <summary>The value of <c>RateLimit-Policy</c> (draft-ietf-httpapi-ratelimit-headers).</summary>
    public string Policy { get; }

    /// <summary>Takes one request from the bucket, if it holds one.</summary>
    /// <param name="full">When the bucket is full again; 0 for a new one. Shared by all requests of the caller.</param>
    /// <param name="remaining">How many more the bucket holds now.</param>
    /// <returns>Seconds until there is one again, 0 when it was taken.</returns>
    public int Take(ref long full, out int remaining)
    {
        var now = _time.GetTimestamp();
        while (true)
        {
            var seen = Volatile.Read(ref full);
            var next = Math.Max(seen, now) + _each;
            if (next - now > _window)
            {
                remaining = 0;
                return Seconds(next - now - _window);
            }

            if (Interlocked.CompareExchange(ref full, next, seen) == seen)
            {
                remaining = (int)((_window - (next - now)) / _each);
                return 0;
            }
        }
    }

    /// <summary>Whether the bucket is full, so that nothing is lost by forgetting it.</summary>
    public bool IsFull(ref long full) => Volatile.Read(ref full) <= _time.GetTimestamp();

    /// <summary>The value of <c>RateLimit</c>: what remains, and in how many seconds there is more.</summary>
    public string Text(int remaining, int seconds)
    {
        if (seconds != 0 || remaining >= _texts.Length)
            return Write(remaining, Math.Max(1, seconds));
        return _texts[remaining] ??= Write(remaining, Math.Max(1, Seconds(_window - (remaining * _each))));
    }

    private string Write(int remaining, int seconds) => $"\"{_name}\";r={remaining};t={seconds}";

    private int Seconds(long ticks) => (int)((ticks + _time.TimestampFrequency - 1) / _time.TimestampFrequency);
}
