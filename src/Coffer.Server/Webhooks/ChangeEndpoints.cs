using Coffer.Server.Auth;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>What a caller wants an endpoint to be.</summary>
internal sealed record EndpointWish(string Url, string? Description, IReadOnlyList<string>? Types);

/// <summary>
/// What an owner does with his endpoints. Called by the API. Each is one transaction, which may be done again: when the reply to a commit is
/// lost nothing is changed twice, at most a ping goes out twice. If the process dies here, all of it was done or nothing.
///
/// An endpoint is told of nothing but pings before it has answered one with 2xx, for its URL may be anybody's. So the ping is written in the
/// transaction that makes it, names another URL, or enables it.
/// </summary>
internal sealed class ChangeEndpoints(Db db, EndpointSecrets secrets, MakeCallbacks makeCallbacks, Ids ids, TimeProvider time)
{
    /// <summary>Makes an endpoint; its secret is told here and never again.</summary>
    /// <exception cref="Refused">The account has as many as it may have.</exception>
    public async Task<(WebhookEndpoint Endpoint, string Secret)> Create(Caller caller, EndpointWish wish, CancellationToken ct)
    {
        var key = new EndpointKey(caller.Shard, caller.Account, ids.New());
        var (text, encrypted) = secrets.New(key.Id);
        var now = time.GetUtcNow();
        var endpoint = new WebhookEndpoint(key, EndpointKind.Endpoint, wish.Url, wish.Description, wish.Types, EndpointState.Pending, null,
            encrypted, null, null, 0, now, now);
        await db.Transaction(async (tx, token) =>
        {
            await tx.LockAccount(caller.Account, token);
            if (await tx.LockEndpoint(key, token) is not null)
                return;
            if (await tx.CountEndpoints(caller.Shard, caller.Account, token) >= WebhookEndpoint.CountMax)
                throw new Refused(new(RefusalCode.LimitExceeded,
                    $"An account has at most {WebhookEndpoint.CountMax} endpoints. Delete one that is not needed."));
            await tx.Write(caller.Shard, Ping(key, now), token);
            await tx.InsertEndpoint(endpoint, token);
        }, ct, repeatable: true);
        return (endpoint, text);
    }

    /// <summary>Changes an endpoint; another URL has to answer a ping first.</summary>
    public Task<WebhookEndpoint?> Change(EndpointKey key, Func<EndpointWish, EndpointWish> change, CancellationToken ct) =>
        Write(key, (endpoint, now) =>
        {
            Endpoints(endpoint, "Callbacks have no url, description or types");
            var wish = change(new EndpointWish(endpoint.Url!, endpoint.Description, endpoint.Types));
            var moved = wish.Url != endpoint.Url && endpoint.IsOn;
            return (endpoint with
            {
                Url = wish.Url,
                Description = wish.Description,
                Types = wish.Types,
                State = moved ? EndpointState.Pending : endpoint.State,
                UpdatedAt = now,
            }, moved);
        }, ct);

    /// <summary>
    /// Enables an endpoint that is disabled, once it has answered a ping; nothing changes for one that is not. What it failed is forgiven,
    /// and it is told of what happened meanwhile.
    /// </summary>
    public Task<WebhookEndpoint?> Enable(EndpointKey key, CancellationToken ct) => Write(key, (endpoint, now) => endpoint.IsOn
        ? (endpoint, false)
        : (endpoint with
        {
            State = endpoint.Kind == EndpointKind.Callbacks ? EndpointState.Enabled : EndpointState.Pending,
            StateReason = null,
            UpdatedAt = now,
        }, endpoint.Kind == EndpointKind.Endpoint), ct);

    /// <summary>Disables an endpoint: nothing is sent until it is enabled.</summary>
    public Task<WebhookEndpoint?> Disable(EndpointKey key, CancellationToken ct) => Write(key, (endpoint, now) =>
        (endpoint.State == EndpointState.DisabledByOwner ? endpoint
            : endpoint with { State = EndpointState.DisabledByOwner, StateReason = null, UpdatedAt = now }, false), ct);

    /// <summary>Sends an endpoint a ping.</summary>
    public Task<WebhookEndpoint?> SendPing(EndpointKey key, CancellationToken ct) => Write(key, (endpoint, _) =>
    {
        Endpoints(endpoint, "Callbacks have no url that could be pinged");
        return endpoint.IsOn ? (endpoint, true)
            : throw Conflict("The endpoint is disabled; POST .../enable/ sends it a ping and enables it once that is answered with 2xx.");
    }, ct);

    /// <summary>
    /// Gives an endpoint a new secret, told here and never again. The old one signs too while they overlap; without an overlap it ends now,
    /// and so does one that an earlier rotation left.
    /// </summary>
    /// <exception cref="Refused">An earlier rotation still overlaps: a third secret would end one that receivers may rely on.</exception>
    public async Task<(WebhookEndpoint Endpoint, string Secret)?> RotateSecret(EndpointKey key, TimeSpan overlap, CancellationToken ct)
    {
        var (text, encrypted) = secrets.New(key.Id);
        var endpoint = await Write(key, (endpoint, now) =>
        {
            if (endpoint.Secret.AsSpan().SequenceEqual(encrypted))
                return (endpoint, false);
            if (overlap > TimeSpan.Zero && endpoint.PreviousUntil > now)
                throw Conflict($"The secret was changed and the one before it still signs until {Wire.Time(endpoint.PreviousUntil.Value)}; "
                    + "wait until then, or send overlap_hours 0 to end every secret but the new one at once.");
            return (endpoint with
            {
                Secret = encrypted,
                PreviousSecret = overlap > TimeSpan.Zero ? endpoint.Secret : null,
                PreviousUntil = overlap > TimeSpan.Zero ? now + overlap : null,
                UpdatedAt = now,
            }, false);
        }, ct);
        return endpoint is null ? null : (endpoint, text);
    }

    /// <summary>Deletes an endpoint and what was to be sent to it; false when the account has none of this id.</summary>
    public Task<bool> Delete(EndpointKey key, CancellationToken ct) => db.Transaction(async (tx, token) =>
    {
        if (!await tx.DeleteEndpoint(key, token))
            return false;
        await tx.DropDeliveries(key, token);
        return true;
    }, ct);

    /// <summary>The account's callbacks, made if nothing has needed them yet.</summary>
    public async Task<WebhookEndpoint> Callbacks(Caller caller, CancellationToken ct)
    {
        await makeCallbacks.Run(caller.Shard, caller.Account, ct);
        return await db.FindCallbacks(caller.Shard, caller.Account, ct) ?? throw new Refused(Refusal.NotFound("webhook"));
    }

    private async Task<WebhookEndpoint?> Write(EndpointKey key, Func<WebhookEndpoint, DateTimeOffset, (WebhookEndpoint, bool)> change,
        CancellationToken ct) => await db.Transaction(async (tx, token) =>
    {
        if (await tx.LockEndpoint(key, token) is not { } before)
            return null;
        var now = time.GetUtcNow();
        var (after, ping) = change(before, now);
        if (after != before)
            await tx.UpdateEndpoint(after, token);
        // Another URL, or a new beginning: what was failed before says nothing about it.
        if (after.IsOn && (after.State != before.State || after.Url != before.Url))
            await tx.ClearFailures(key, token);
        if (ping)
            await tx.Write(key.Shard, Ping(key, now), token);
        return after;
    }, ct, repeatable: true);

    private static NewEvent Ping(EndpointKey key, DateTimeOffset now) =>
        NewEvent.Of(key.Account, now, EventType.EndpointPing, json =>
        {
            json.WriteStartObject();
            json.WriteString("endpoint_id"u8, key.Id);
            json.WriteEndObject();
        }) with
        { OnlyEndpoint = key.Id };

    private static void Endpoints(WebhookEndpoint endpoint, string otherwise)
    {
        if (endpoint.Kind == EndpointKind.Callbacks)
            throw Conflict($"{otherwise}; they sign what is sent to the callback_url of single payments and withdrawals.");
    }

    private static Refused Conflict(string message) => new(new(RefusalCode.Conflict, message));
}
