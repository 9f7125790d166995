using System.Collections.Concurrent;
using System.Globalization;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Auth;

/// <summary>
/// What this process knows of the credentials in use: how many requests each may still make, and when it was last used.
///
/// Called by <see cref="Authenticate"/> for every request, and once a minute by a worker that writes the last uses down and
/// forgets those that are idle. Only valid credentials get a meter, so strangers cannot fill the memory. Each process counts by
/// itself. If the process dies here, up to a minute of last uses is lost, nothing else.
/// </summary>
internal sealed class CredentialUse(Db db, RequestRate rate)
{
    /// <summary>How often the last uses are written.</summary>
    public static readonly TimeSpan FlushEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, Meter> _meters = new();

    /// <summary>The meter of the credential with this hash, if it has been used lately.</summary>
    public Meter? Find(byte[] hash) => _meters.GetValueOrDefault(Key(hash));

    /// <summary>When this process has seen the credential with this hash used last; null when it has not lately.</summary>
    public DateTimeOffset? LastUse(byte[] hash) =>
        Find(hash) is { } meter && Volatile.Read(ref meter.LastUsed) is var ticks and > 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>The meter of a credential that was found valid.</summary>
    public Meter Of(byte[] hash, Guid credential) => _meters.GetOrAdd(Key(hash), static (_, id) => new Meter(id), credential);

    /// <summary>Counts one request and says on the answer what remains; refuses it with 429 when nothing does.</summary>
    public void Count(HttpContext http, Meter meter)
    {
        var wait = rate.Take(ref meter.Full, out var remaining);
        var headers = http.Response.Headers;
        headers["RateLimit-Policy"] = rate.Policy;
        headers["RateLimit"] = rate.Text(remaining, wait);
        if (wait == 0)
            return;
        headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        throw new Refused(new(RefusalCode.RateLimitExceeded, "This credential makes too many requests; wait as long as Retry-After says.",
            new Dictionary<string, object> { [Problem.Policy] = rate.Name }));
    }

    /// <summary>Writes down the last uses since the last time, and forgets the credentials that are idle.</summary>
    public async Task Flush(CancellationToken ct)
    {
        var used = new List<(Meter Meter, long Ticks)>();
        foreach (var (key, meter) in _meters)
        {
            var ticks = Volatile.Read(ref meter.LastUsed);
            if (ticks != meter.Written)
                used.Add((meter, ticks));
            else if (rate.IsFull(ref meter.Full))
                _meters.TryRemove(key, out _);
        }

        if (used.Count == 0)
            return;
        await db.WriteLastUses([.. used.Select(u => u.Meter.Credential)], [.. used.Select(u => new DateTime(u.Ticks, DateTimeKind.Utc))],
            ct);
        foreach (var (meter, ticks) in used)
            meter.Written = ticks;
    }

    private static Guid Key(byte[] hash) => new(hash.AsSpan(0, 16));

    /// <summary>One credential's numbers; written by many requests at once.</summary>
    internal sealed class Meter(Guid credential)
    {
        public Guid Credential { get; } = credential;

        /// <summary>See <see cref="RequestRate.Take"/>.</summary>
        public long Full;

        /// <summary>UTC ticks; the exact order of two requests at once does not matter.</summary>
        public long LastUsed;

        /// <summary>The last use that is in the database; only the worker reads and writes it.</summary>
        public long Written { get; set; }
    }
}
