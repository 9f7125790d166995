namespace Coffer.Server.Auth;

/// <summary>
/// Who may call a route (contract 4). Every route carries exactly one; the server refuses to start with a route that does not.
/// </summary>
/// <param name="Scope">What the credential must hold; none means that the route is public.</param>
/// <param name="ApiKeys">Whether API keys are taken besides access tokens.</param>
/// <param name="Deferred">The route's own statement reads the credential together with what it answers (one round trip).</param>
internal sealed record Access(Scopes Scope, bool ApiKeys = true, bool Deferred = false);

internal static class AccessRoutes
{
    public static T RequireRead<T>(this T route)
        where T : IEndpointConventionBuilder => route.WithMetadata(new Access(Scopes.Read));

    public static T RequireWrite<T>(this T route)
        where T : IEndpointConventionBuilder => route.WithMetadata(new Access(Scopes.Write));

    /// <summary>Credentials that the operator has made for deciding about withdrawals.</summary>
    public static T RequireApprove<T>(this T route)
        where T : IEndpointConventionBuilder => route.WithMetadata(new Access(Scopes.Approve));

    /// <summary>Access tokens with this scope only; an API key is answered 401.</summary>
    public static T RequireToken<T>(this T route, Scopes scope)
        where T : IEndpointConventionBuilder => route.WithMetadata(new Access(scope, ApiKeys: false));

    /// <summary>Anybody may call.</summary>
    public static T Public<T>(this T route)
        where T : IEndpointConventionBuilder => route.WithMetadata(new Access(Scopes.None));
}
