namespace Coffer.Server.Webhooks;

/// <summary>What a row of webhook_endpoint is; the numbers are those of the table.</summary>
internal enum EndpointKind : short
{
    /// <summary>Has a URL and is told of every event of its types.</summary>
    Endpoint = 1,

    /// <summary>Signs what is sent to the callback_url of the account's payments and withdrawals; one per account.</summary>
    Callbacks = 2,
}

/// <summary>Whether an endpoint is told of events; the numbers are those of the table.</summary>
internal enum EndpointState : short
{
    /// <summary>No signed ping to its URL has been answered with 2xx yet: only pings are sent, all else waits.</summary>
    Pending = 1,

    /// <summary>It is told.</summary>
    Enabled = 2,

    /// <summary>Its owner wants to be told nothing.</summary>
    DisabledByOwner = 3,

    /// <summary>It answered 410, or failed for too long.</summary>
    DisabledByCoffer = 4,
}

/// <summary>Which endpoint: the key of its row.</summary>
internal readonly record struct EndpointKey(short Shard, AccountId Account, Guid Id);

/// <summary>Where an account is told of its events, as the table <c>webhook_endpoint</c> has it.</summary>
/// <param name="Key">Whose it is, and its id.</param>
/// <param name="Kind">An endpoint, or the account's callbacks.</param>
/// <param name="Url">Where it is; null for callbacks.</param>
/// <param name="Description">Its owner's words, or null.</param>
/// <param name="Types">The types of events that it is told of; null for all.</param>
/// <param name="State">Whether it is told.</param>
/// <param name="StateReason">Why Coffer disabled it; else null.</param>
/// <param name="Secret">What it is signed with, encrypted: <see cref="EndpointSecrets"/>.</param>
/// <param name="PreviousSecret">What it is signed with too until <paramref name="PreviousUntil"/>, encrypted; null for nothing.</param>
/// <param name="PreviousUntil">When the previous secret ends.</param>
/// <param name="FirstNumber">The account's events with numbers above this one are told.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When anything of it was changed last.</param>
internal sealed record WebhookEndpoint(EndpointKey Key, EndpointKind Kind, string? Url, string? Description, IReadOnlyList<string>? Types,
    EndpointState State, string? StateReason, byte[] Secret, byte[]? PreviousSecret, DateTimeOffset? PreviousUntil, long FirstNumber,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>Endpoints that an account may have, its callbacks not counted.</summary>
    public const int CountMax = 20;

    /// <summary>Characters of a description.</summary>
    public const int DescriptionMax = 255;

    /// <summary>How long the previous secret signs too after a rotation, in hours, when nothing else is said.</summary>
    public const int OverlapHoursDefault = 24;

    /// <summary>The longest that it may, in hours: a week.</summary>
    public const int OverlapHoursMax = 7 * 24;

    /// <summary>Whether it is told of anything, or may be once it has answered a ping.</summary>
    public bool IsOn => State is EndpointState.Pending or EndpointState.Enabled;
}
