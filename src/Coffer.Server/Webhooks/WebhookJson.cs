using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Server.Webhooks;

/// <summary>How endpoints look on the wire.</summary>
internal static class WebhookJson
{
    /// <summary>What callbacks are called where an endpoint's id may stand.</summary>
    public const string Callbacks = "callbacks";

    /// <summary>One endpoint and how it has been doing; the secret only in the answer that made it.</summary>
    public static void Write(this Utf8JsonWriter json, WebhookEndpoint endpoint, EndpointHealth? health, DateTimeOffset now,
        string? secret = null)
    {
        json.WriteStartObject();
        if (endpoint.Kind == EndpointKind.Callbacks)
            json.WriteString("id"u8, Callbacks);
        else
            json.WriteString("id"u8, endpoint.Key.Id);
        json.WriteString("url"u8, endpoint.Url);
        json.WriteString("description"u8, endpoint.Description);
        if (endpoint.Types is { } types)
        {
            json.WriteStartArray("types"u8);
            foreach (var type in types)
                json.WriteStringValue(type);
            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("types"u8);
        }

        json.WriteString("status"u8, Status(endpoint.State));
        json.WriteString("disabled_by"u8, endpoint.State switch
        {
            EndpointState.DisabledByOwner => "owner",
            EndpointState.DisabledByCoffer => "coffer",
            _ => null,
        });
        json.WriteString("reason"u8, endpoint.StateReason);
        if (secret is not null)
            json.WriteString("secret"u8, secret);
        json.WriteTime("previous_secret_until"u8, endpoint.PreviousUntil > now ? endpoint.PreviousUntil : null);
        json.WriteTime("failing_since"u8, health?.FailingSince);
        json.WriteTime("paused_until"u8, health?.PausedUntil > now ? health.PausedUntil : null);
        json.WriteTime("created_at"u8, endpoint.CreatedAt);
        json.WriteTime("updated_at"u8, endpoint.UpdatedAt);
        json.WriteEndObject();
    }

    private static string Status(EndpointState state) => state switch
    {
        EndpointState.Pending => "pending",
        EndpointState.Enabled => "enabled",
        _ => "disabled",
    };
}
