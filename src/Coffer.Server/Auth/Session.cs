namespace Coffer.Server.Auth;

/// <summary>A session of the dashboard that was found valid for this request: whose it is and how he wants his pages.</summary>
/// <param name="Hash">SHA-256 of the cookie: the key of the table <c>credential</c>.</param>
/// <param name="HasTotp">Whether he signs in with an authenticator app.</param>
/// <param name="LastEvent">The number of the account's last event when this was read, before anything that is shown; 0 before the first.</param>
internal sealed record Session(byte[] Hash, Guid Credential, Guid User, string UserName, Role Role, AccountId Account, short Shard, Mode Mode,
    Theme Theme, bool HidesAmounts, bool HasTotp, string AccountName, long LastEvent)
{
    /// <summary>Whether he has lately shown that it is himself who sits there; what cannot be undone asks for that.</summary>
    public bool IsProved { get; init; }
}

/// <summary>What the database says of a session.</summary>
/// <param name="ProvedAt">When its user has last typed his password, and his code if he has an authenticator.</param>
internal sealed record SessionRow(Session Session, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, bool Ended, DateTimeOffset? LastUsedAt,
    DateTimeOffset ProvedAt)
{
    /// <summary>So long it counts that somebody has shown who he is (SE-09).</summary>
    public static readonly TimeSpan ProofMax = TimeSpan.FromMinutes(5);

    /// <summary>A session ends this long after it began.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromHours(12);

    /// <summary>A session that was not used for this long has ended.</summary>
    public static readonly TimeSpan IdleMax = TimeSpan.FromHours(1);

    /// <summary>Whether it is valid now. The last use is written down once a minute, so that long it may seem idle too early by.</summary>
    public bool IsValid(DateTimeOffset now, DateTimeOffset? seen)
    {
        var last = new[] { CreatedAt, LastUsedAt ?? CreatedAt, seen ?? CreatedAt }.Max();
        return !Ended && now < ExpiresAt && now - last < IdleMax;
    }
}

/// <summary>A session as its user sees it among his others.</summary>
/// <param name="LastUsedAt">Up to a minute late.</param>
/// <param name="Address">Where it was begun (<see cref="ClientAddress.Group"/>).</param>
internal sealed record OpenSession(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, string Address);

/// <summary>A route that is a page of the dashboard, and the least role that may see it; null: whoever comes.</summary>
internal sealed record PageAccess(Role? Least);

/// <summary>One request for a page: who asks, and what the page needs to know of it.</summary>
internal sealed class Visit
{
    private HttpContext? _http;

    /// <summary>The request itself.</summary>
    public HttpContext Http
    {
        get => _http ?? throw new InvalidOperationException("This is no request for a page.");
        set => _http = value;
    }

    /// <summary>Who is counted as one caller.</summary>
    public string Address => ClientAddress.Group(Http.Connection.RemoteIpAddress);

    /// <summary>Null on the pages that need none, before signing in.</summary>
    public Session? Session { get; set; }

    /// <summary>What the Content-Security-Policy lets run in this one answer.</summary>
    public string Nonce { get; set; } = "";

    /// <summary>Why the page that was asked for is not shown; null while it is.</summary>
    public PageFault? Fault { get; set; }

    /// <summary>The session of a page that needs one.</summary>
    public Session Own => Session ?? throw new InvalidOperationException("The page is shown to anybody and has no session.");
}

/// <summary>Why a page is not shown.</summary>
internal sealed record PageFault(int Status, string Message, string RequestId);
