namespace Coffer.Server.Host;

/// <summary>An expected "no" of the paths under <c>/o/</c>, which answer the error form of RFC 6749, 5.2.</summary>
/// <param name="error">One of the codes of the RFC.</param>
/// <param name="description">One sentence for the developer of the client.</param>
internal sealed class OAuthRefused(string error, string description) : Exception(description)
{
    public const string InvalidClient = "invalid_client";
    public const string InvalidRequest = "invalid_request";
    public const string InvalidScope = "invalid_scope";
    public const string InvalidGrant = "invalid_grant";
    public const string UnsupportedGrantType = "unsupported_grant_type";

    /// <summary>The RFC's own words for "overloaded" are the nearest to 429 that it has.</summary>
    public const string TooMany = "temporarily_unavailable";

    public string Error { get; } = error;
}
