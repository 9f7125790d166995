using System.Text.Json;
using Coffer.Server.Host;
using EventId = Coffer.Server.Events.EventId;

namespace Coffer.Server.Webhooks;

/// <summary>How deliveries look on the wire.</summary>
internal static class DeliveryJson
{
    /// <summary>The words for where a delivery stands.</summary>
    public static readonly IReadOnlyDictionary<string, DeliveryState> Statuses = new Dictionary<string, DeliveryState>
    {
        ["waiting"] = DeliveryState.Waiting,
        ["delivered"] = DeliveryState.Delivered,
        ["failed"] = DeliveryState.GivenUp,
    };

    private static readonly Dictionary<DeliveryState, string> _words = Statuses.ToDictionary(word => word.Value, word => word.Key);

    /// <summary>A delivery and its attempts.</summary>
    public static void Write(this Utf8JsonWriter json, ListedDelivery delivery, WebhookEndpoint endpoint)
    {
        json.WriteStartObject();
        json.WriteString("event_id"u8, EventId.Of(endpoint.Key.Account, delivery.Number));
        json.WriteNumber("sequence"u8, delivery.Number);
        json.WriteString("type"u8, delivery.Type);
        json.WriteTime("timestamp"u8, delivery.At);
        json.WriteString("url"u8, endpoint.Url ?? delivery.CallbackUrl);
        json.WriteString("status"u8, _words[delivery.State]);
        json.WriteNumber("attempt_count"u8, delivery.Tried);
        json.WriteTime("next_attempt_at"u8, delivery.State == DeliveryState.Waiting && endpoint.IsOn ? delivery.DueAt : null);
        json.WriteTime("finished_at"u8, delivery.FinishedAt);
        json.WriteStartArray("attempts"u8);
        foreach (var attempt in delivery.Attempts)
            json.Write(attempt);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(this Utf8JsonWriter json, ListedAttempt attempt)
    {
        json.WriteStartObject();
        json.WriteNumber("number"u8, attempt.Number);
        json.WriteTime("at"u8, attempt.At);
        json.WriteNumber("milliseconds"u8, attempt.Milliseconds);
        if (attempt.Status is { } status)
            json.WriteNumber("status"u8, status);
        else
            json.WriteNull("status"u8);
        json.WriteString("error"u8, attempt.Error);
        json.WriteString("response"u8, attempt.Excerpt);
        json.WriteTime("next_attempt_at"u8, attempt.NextAt);
        json.WriteEndObject();
    }
}
