using System.Globalization;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Auth;

/// <summary>The account's API keys over HTTP; with access tokens only, so that a leaked key cannot make others.</summary>
internal sealed class ApiKeysApi(Db db, IssueCredential issue, TimeProvider time)
{
    private const int LimitDefault = 20;
    private const int LimitMax = 100;
    private const int OffsetMax = 1_000_000;
    private const int NameMax = 100;
    private const int ListMax = 100;

    public void Map(IEndpointRouteBuilder web)
    {
        web.MapGet("/api-keys", List).RequireToken(Scopes.Read);
        web.MapPost("/api-keys", Make).RequireToken(Scopes.Write);
        web.MapDelete("/api-keys/{id}", Revoke).RequireToken(Scopes.Write);
    }

    private async Task List(HttpContext http)
    {
        var input = Input.Query(http);
        var limit = input.Number("limit", LimitDefault, 1, LimitMax);
        var offset = input.Number("offset", 0, 0, OffsetMax);
        input.Check();
        var (keys, total) = await db.ApiKeys(http.Caller().Account, limit, offset, http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        await Answer.Json(http, StatusCodes.Status200OK,
            new { Keys = keys.Select(key => KeyAnswer.Of(key)), Total = total, Limit = limit, Offset = offset });
    }

    private async Task Make(HttpContext http)
    {
        var caller = http.Caller();
        Input.Query(http).Check();
        var input = await Input.Body(http);
        var name = input.Text("name", NameMax);
        var scopes = ReadScopes(input, caller.Scopes);
        var wallets = ReadWallets(input);
        var addresses = ReadAddresses(input);
        var expiresAt = ReadTime(input);
        input.Check();
        if ((scopes & ~caller.Scopes) != 0)
            throw MayNotGive(scopes & ~caller.Scopes);
        if (wallets is not null && await db.WalletsNotOf(caller.Account, caller.Shard, wallets, http.RequestAborted) is [var foreign, ..])
            throw new Refused(Refusal.Parameter("wallets", $"There is no wallet {foreign} in this account."));
        var account = await db.AccountById(caller.Account, http.RequestAborted) ?? throw new Refused(Refusal.NotFound("account"));
        var (secret, key) = await issue.ApiKey(account, name, scopes, wallets, addresses, expiresAt, http.RequestAborted,
            caller.Credential);
        http.Response.Headers.CacheControl = "no-store";
        await Answer.Json(http, StatusCodes.Status201Created, KeyAnswer.Of(key, secret));
    }

    private async Task Revoke(HttpContext http)
    {
        Input.Query(http).Check();
        if (!Guid.TryParseExact(http.GetRouteValue("id") as string, "D", out var id)
            || !await issue.RevokeApiKey(http.Caller().Account, id, http.RequestAborted))
            throw new Refused(Refusal.NotFound("API key"));
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Under either of its two names; without any, what reads.</summary>
    private static Scopes ReadScopes(Input input, Scopes callers)
    {
        var named = input.OptionalTexts("scopes", ListMax);
        var permissions = input.OptionalTexts("permissions", ListMax);
        if (named is not null && permissions is not null)
            input.Fault("permissions", "This is another name for scopes; send one of them.");
        if ((named ?? permissions) is not { } names)
            return callers & Scopes.Read;
        var scopes = Scopes.None;
        foreach (var name in names)
            scopes |= Credentials.Scope(name) ?? Scopes.None;
        if (names.Count == 0 || names.Any(name => Credentials.Scope(name) is null))
            input.Fault(named is null ? "permissions" : "scopes", "Send a list of read, write or both.");
        return scopes;
    }

    private static List<Guid>? ReadWallets(Input input)
    {
        if (input.OptionalTexts("wallets", ListMax) is not { } texts)
            return null;
        var wallets = new List<Guid>();
        foreach (var text in texts)
        {
            if (Guid.TryParseExact(text, "D", out var wallet))
                wallets.Add(wallet);
        }

        if (wallets.Count != texts.Count || wallets.Count == 0)
            input.Fault("wallets", "Send a list of wallet ids, or leave it out for all wallets.");
        return [.. wallets.Distinct()];
    }

    private static List<string>? ReadAddresses(Input input)
    {
        if (input.OptionalTexts("addresses", ListMax) is not { } texts)
            return null;
        var addresses = texts.Select(ClientAddress.Normal).OfType<string>().Distinct().ToList();
        if (texts.Count == 0 || texts.Any(text => ClientAddress.Normal(text) is null))
            input.Fault("addresses", "Send a list of IP addresses or CIDR blocks such as 203.0.113.7 or 2001:db8::/32, or leave it out.");
        return addresses;
    }

    private DateTimeOffset? ReadTime(Input input)
    {
        if (input.OptionalText("expires_at") is not { } text)
            return null;
        string[] forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];
        // With a zone: a time without one is anybody's guess.
        if ((text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T'))
            && DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var moment)
            && moment > time.GetUtcNow())
            return moment;
        input.Fault("expires_at", "Send a time in the future such as 2030-01-31T00:00:00Z, or leave it out.");
        return null;
    }

    private static Refused MayNotGive(Scopes missing) => new(new(RefusalCode.Forbidden,
        $"An API key may only hold scopes that its maker holds; this access token does not hold {Credentials.Text(missing)}.",
        new Dictionary<string, object> { ["required_scope"] = Credentials.Text(missing) }));

    /// <summary>A key as the wire shows it; the secret only in the answer that made it.</summary>
    private sealed record KeyAnswer(Guid Id, string Name, string Hint, string[] Scopes, IReadOnlyList<Guid>? Wallets,
        IReadOnlyList<string>? Addresses, string CreatedAt, string? ExpiresAt, string? LastUsedAt)
    {
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public string? Key { get; init; }

        public static KeyAnswer Of(ApiKey key, string? secret = null) => new(key.Id, key.Name, key.Hint,
            Credentials.Text(key.Scopes).Split(' '), key.Wallets, key.Addresses, Wire.Time(key.CreatedAt),
            key.ExpiresAt is { } end ? Wire.Time(end) : null, key.LastUsedAt is { } last ? Wire.Time(last) : null)
        {
            Key = secret,
        };
    }
}
