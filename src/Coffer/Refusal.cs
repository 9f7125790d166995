namespace Coffer;

/// <summary>Every expected "no", in the words of contract 3. Adding one fails the build until it has a status.</summary>
public enum RefusalCode
{
    /// <summary>400: a parameter is missing, repeated, malformed or unknown.</summary>
    InvalidRequest,

    /// <summary>400: the currency code is not one that this server keeps.</summary>
    InvalidCurrency,

    /// <summary>400: not a positive amount that fits the currency's decimals and 38 digits.</summary>
    InvalidAmount,

    /// <summary>400: the address does not belong to the currency's network.</summary>
    InvalidAddress,

    /// <summary>401: no credential, or one that is not valid now.</summary>
    Unauthorized,

    /// <summary>403: valid credential, missing scope.</summary>
    Forbidden,

    /// <summary>404: nobody's, or somebody else's.</summary>
    NotFound,

    /// <summary>409: a duplicate name that must be unique, or a state that does not allow this.</summary>
    Conflict,

    /// <summary>409: the first request with this key is still running.</summary>
    IdempotencyInFlight,

    /// <summary>422: available does not cover what is required.</summary>
    InsufficientBalance,

    /// <summary>422: above a configured limit, or beyond 38 digits.</summary>
    LimitExceeded,

    /// <summary>422: the operator has stopped withdrawals, of this account or of all.</summary>
    AccountFrozen,

    /// <summary>422: the account pays only addresses of its list, and this one is not on it, or not yet payable.</summary>
    AddressNotAllowed,

    /// <summary>422: the same key came with another request.</summary>
    IdempotencyKeyReused,

    /// <summary>429: too many requests.</summary>
    RateLimitExceeded,

    /// <summary>503: a dependency is away or a queue is full; nothing was changed.</summary>
    ServiceUnavailable,
}

/// <summary>An expected "no": the closed code, a message that tells the caller what to do next, and the details of contract 3.</summary>
/// <param name="Code">What kind of no.</param>
/// <param name="Message">One sentence for the caller; never a type name, SQL or a stack.</param>
/// <param name="Details">Member name to string or list of strings, written as is; null for none.</param>
public sealed record Refusal(RefusalCode Code, string Message, IReadOnlyDictionary<string, object>? Details = null)
{
    /// <summary>A 400 that names one parameter and says what is wrong with it.</summary>
    public static Refusal Parameter(string name, string message) =>
        new(RefusalCode.InvalidRequest, $"{name}: {message}", new Dictionary<string, object> { [name] = new[] { message } });

    /// <summary>The 404 that does not tell nobody's from somebody else's.</summary>
    public static Refusal NotFound(string noun) => new(RefusalCode.NotFound, $"There is no such {noun} in this account.");
}

/// <summary>Carries a <see cref="Refusal"/> to the one place that turns it into an answer.</summary>
public sealed class Refused(Refusal refusal) : Exception(refusal.Message)
{
    /// <summary>The refusal to answer with.</summary>
    public Refusal Refusal { get; } = refusal;
}
