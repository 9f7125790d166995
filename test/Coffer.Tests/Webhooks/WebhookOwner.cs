using Coffer.Server.Events;
using Coffer.Server.Webhooks;
using Npgsql;

namespace Coffer.Tests.Webhooks;

/// <summary>An account with a token, and what its endpoints go through.</summary>
internal sealed record WebhookOwner(World World, TestAccount Account, string Token)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<WebhookOwner> Of(World world, Mode mode = Mode.Test)
    {
        var account = await world.Account(mode);
        return new WebhookOwner(world, account, await account.Token());
    }

    public Task<Got> Send(HttpMethod method, string path, string? body = null) =>
        World.Send(method, path, body, ("Authorization", $"Bearer {Token}"));

    /// <summary>Makes an endpoint; answers its id.</summary>
    public async Task<Guid> Make(string body = """{"url":"https://example.com/hooks"}""")
    {
        var made = await Send(HttpMethod.Post, "/user/webhooks/", body);
        Assert.True(made.Status == 201, made.Text);
        return made.Json.GetProperty("id").GetGuid();
    }

    public async Task<string?> Status(Guid id) => (await Send(HttpMethod.Get, $"/user/webhooks/{id}/")).Text("status");

    public EndpointKey Key(Guid id) => new(Account.Account.Shard, Account.Id, id);

    /// <summary>As if a ping to this URL had been answered with 2xx.</summary>
    public Task Answered(Guid id, string url) =>
        World.App.Db.Transaction((tx, ct) => tx.EnableEndpoints([(Key(id), url)], World.Time.GetUtcNow(), ct), Ct);

    public Task<WebhookEndpoint?> DisabledByCoffer(Guid id, string url, string reason) =>
        World.App.Db.Transaction((tx, ct) => tx.DisableEndpoint(Key(id), url, reason, World.Time.GetUtcNow(), ct), Ct);

    /// <summary>Something of which all of the account's endpoints are told.</summary>
    public Task SomethingHappens(string type = EventType.BalanceLow, string? callbackUrl = null) => World.App.Db.Transaction((tx, ct) => tx.Write(
        Account.Account.Shard, new NewEvent(Account.Id, World.Time.GetUtcNow(), type, "{}") { CallbackUrl = callbackUrl }, ct), Ct);

    /// <summary>The events that are for one endpoint alone, in order.</summary>
    public async Task<List<(string Type, Guid Endpoint, string Data)>> Pings()
    {
        await using var connection = new NpgsqlConnection(World.Database);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(
            "SELECT type, only_endpoint, data FROM event WHERE account_id = $1 AND only_endpoint IS NOT NULL ORDER BY number", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = Account.Id.Value });
        await using var row = await command.ExecuteReaderAsync(Ct);
        var pings = new List<(string, Guid, string)>();
        while (await row.ReadAsync(Ct))
            pings.Add((row.GetString(0), row.GetGuid(1), row.GetString(2)));
        return pings;
    }
}

internal static class GotTexts
{
    /// <summary>A member of the answer that is a text or null.</summary>
    public static string? Text(this Got got, string name) => got.Json.GetProperty(name).GetString();
}
