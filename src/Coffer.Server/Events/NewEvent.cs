using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Server.Events;

/// <summary>Something that an account is told, about to be written; its number it gets when it is.</summary>
/// <param name="At">When it happened: the time of the transaction that causes it.</param>
/// <param name="Type">A word of <see cref="EventType"/>.</param>
/// <param name="Data">A JSON object.</param>
internal sealed record NewEvent(AccountId Account, DateTimeOffset At, string Type, string Data)
{
    /// <summary>Where it is told too, beside the account's endpoints; null for nowhere.</summary>
    public string? CallbackUrl { get; init; }

    /// <summary>The one endpoint that is told; null for all that want the type.</summary>
    public Guid? OnlyEndpoint { get; init; }

    /// <summary>An event whose data <paramref name="write"/> puts into the writer: one object.</summary>
    public static NewEvent Of(AccountId account, DateTimeOffset at, string type, Action<Utf8JsonWriter> write) =>
        new(account, at, type, Answer.Text(write));
}
