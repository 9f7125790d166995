using System.Text;
using System.Text.Json;
using Coffer.Server.Host;
using Coffer.Server.Outbound;

namespace Coffer.Server.Webhooks;

/// <summary>What gets slow or dies as one: an endpoint, or one host among an account's callback URLs.</summary>
/// <param name="Endpoint">Whose row signs.</param>
/// <param name="Name">Of a callback URL its host and port; else empty.</param>
internal readonly record struct LaneKey(EndpointKey Endpoint, string Name) : IComparable<LaneKey>
{
    /// <summary>The order in which lanes are locked.</summary>
    public int CompareTo(LaneKey other) =>
        (Endpoint.Shard, Endpoint.Account.Value, Endpoint.Id).CompareTo((other.Endpoint.Shard, other.Endpoint.Account.Value, other.Endpoint.Id))
            is var order and not 0 ? order : string.CompareOrdinal(Name, other.Name);
}

/// <summary>One event for one endpoint, leased to this server.</summary>
/// <param name="Endpoint">The endpoint as it was then.</param>
/// <param name="Lane">Where it belongs.</param>
/// <param name="Number">The event's number in its account.</param>
/// <param name="Attempts">How often it was tried on this run of the schedule.</param>
/// <param name="Tried">How often in all.</param>
/// <param name="Type">The event's type.</param>
/// <param name="At">The event's time.</param>
/// <param name="Data">The event's data, a JSON object.</param>
/// <param name="Url">Where it goes.</param>
/// <param name="Failing">Whether the last attempt on its lane failed.</param>
/// <param name="Mode">The account's: a live one delivers over https only.</param>
/// <param name="LeasedUntil">Nobody else tries it before.</param>
internal sealed record DueDelivery(WebhookEndpoint Endpoint, LaneKey Lane, long Number, int Attempts, int Tried, string Type,
    DateTimeOffset At, string Data, string Url, bool Failing, Mode Mode, DateTimeOffset LeasedUntil)
{
    /// <summary>The id of the message, the same for every endpoint and every attempt.</summary>
    public string EventId => Events.EventId.Of(Endpoint.Key.Account, Number);

    /// <summary>The body: the same bytes for every endpoint and every attempt.</summary>
    public byte[] Body => Encoding.UTF8.GetBytes($$"""{"type":"{{Type}}","timestamp":"{{Wire.Time(At)}}","data":{{Data}}}""");
}

/// <summary>A delivery that was tried.</summary>
/// <param name="Due">Which.</param>
/// <param name="Attempt">What came of it.</param>
/// <param name="At">When it was begun.</param>
/// <param name="State">How it stands now.</param>
/// <param name="NextAt">When it is tried again; null: it is not.</param>
internal sealed record TriedDelivery(DueDelivery Due, Attempt Attempt, DateTimeOffset At, DeliveryState State, DateTimeOffset? NextAt)
{
    /// <summary>Why it failed, in a word; null when it did not.</summary>
    public string? Error => State == DeliveryState.Delivered ? null
        : Attempt.Fault is { } fault ? JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString()) : "status";
}
