namespace Coffer.Server.Host;

/// <summary>Ids in the path of a request.</summary>
internal static class RouteIds
{
    /// <summary>The UUID at this place of the path; anything else is refused as a parameter of that name.</summary>
    public static Guid RouteUuid(this HttpContext http, string name) =>
        Guid.TryParseExact((string?)http.Request.RouteValues[name], "D", out var id)
            ? id
            : throw new Refused(Refusal.Parameter(name, "Send a UUID such as 550e8400-e29b-41d4-a716-446655440000."));
}
