namespace Coffer.Server.Outbound;

/// <summary>Why an attempt came to nothing, beside an answer that says so.</summary>
internal enum PostFault
{
    /// <summary>The URL is not one that anything is sent to.</summary>
    BadUrl,

    /// <summary>The name means a private address.</summary>
    PrivateAddress,

    /// <summary>The name means nothing.</summary>
    UnknownHost,

    /// <summary>Nobody listens, or the way there is shut.</summary>
    NoConnection,

    /// <summary>No encrypted connection: a certificate that is not valid, say.</summary>
    Tls,

    /// <summary>It took longer than an attempt may.</summary>
    Timeout,

    /// <summary>What came was no HTTP answer.</summary>
    BadAnswer,

    /// <summary>It was sent elsewhere; nobody goes there.</summary>
    Redirect,
}

/// <summary>What came of one attempt.</summary>
/// <param name="Status">Of the answer; null when none came.</param>
/// <param name="Fault">Why it came to nothing; null when an answer's status says all.</param>
/// <param name="Milliseconds">Until the answer's headers, or the fault.</param>
/// <param name="Excerpt">The beginning of what was answered, as text; null for nothing.</param>
/// <param name="RetryAfter">The pause that the receiver asks for; null when it does not.</param>
internal sealed record Attempt(int? Status, PostFault? Fault, int Milliseconds, string? Excerpt, TimeSpan? RetryAfter)
{
    /// <summary>Only 2xx means that it has arrived.</summary>
    public bool Succeeded => Fault is null && Status is >= 200 and < 300;
}

/// <summary>One message to be sent.</summary>
/// <param name="Url">Where to.</param>
/// <param name="Mode">Of the account: a live one's goes over https only.</param>
/// <param name="Id">The same for every attempt.</param>
/// <param name="At">The time of this attempt.</param>
/// <param name="Body">JSON.</param>
/// <param name="Secrets">What signs it.</param>
internal sealed record Post(string Url, Mode Mode, string Id, DateTimeOffset At, ReadOnlyMemory<byte> Body, IReadOnlyList<byte[]> Secrets);
