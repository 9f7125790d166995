namespace Coffer.Server.Host;

/// <summary>What the operator may set; validated as a whole at start. Units are in the names.</summary>
internal sealed record Settings
{
    /// <summary>Fewest and most shards of a new database when nothing else is said.</summary>
    public const int ShardsDefaultMin = 2, ShardsDefaultMax = 16;

    /// <summary>
    /// Shards of a new database when nothing else is said: one more than this machine has cores, so that a core has work while a writer waits
    /// for the disk. Still more only make smaller batches.
    /// </summary>
    public static int ShardsDefault => Math.Clamp(Environment.ProcessorCount + 1, ShardsDefaultMin, ShardsDefaultMax);

    /// <summary>Address to listen on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port to listen on; 0 takes a free one.</summary>
    public int Port { get; init; } = 8480;

    /// <summary>The URL that clients use, without a final slash; null: what the server listens on. It is the OAuth issuer.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>Proxies in front of this server: what they say of where a request comes from is believed, and nobody else's word.</summary>
    public IReadOnlyList<System.Net.IPNetwork> Proxies { get; init; } = [];

    /// <summary>Requests a second that one credential may make.</summary>
    public int RequestsPerSecond { get; init; } = 1_000;

    /// <summary>Requests a minute to the token endpoints, per client and address.</summary>
    public int TokenRequestsPerMinute { get; init; } = 30;

    /// <summary>How long an access token lives.</summary>
    public int TokenSeconds { get; init; } = 36_000;

    /// <summary>Networks outside the public internet that webhooks may be delivered to.</summary>
    public IReadOnlyList<System.Net.IPNetwork> WebhookNetworks { get; init; } = [];

    /// <summary>Ports that live accounts may deliver to, beside 443 and 8443.</summary>
    public IReadOnlyList<int> WebhookPorts { get; init; } = [];

    /// <summary>How long a finished Idempotency-Key is remembered. References in the ledger are remembered for ever.</summary>
    public int IdempotencyDays { get; init; } = 7;

    /// <summary>Hours after which the ledger, the chains and the hot wallets are proven again; 0: only when somebody asks.</summary>
    public int ProveHours { get; init; } = 24;

    /// <summary>The prices file; null: prices are set by hand.</summary>
    public string? PricesFile { get; init; }

    /// <summary>The folder of the keys that secrets in the database are encrypted with; null: <c>keys</c> in the data folder.</summary>
    public string? KeysFolder { get; init; }
}
