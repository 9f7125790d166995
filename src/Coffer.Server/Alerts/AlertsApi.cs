using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Alerts;

/// <summary><c>/user/alerts/</c>: low-balance alerts of the account (contract 6), with access tokens.</summary>
internal sealed class AlertsApi(Db db, ChangeAlerts alerts, Currencies currencies, TimeProvider time)
{
    private const int PageDefault = 20;
    private const int PageMax = 100;

    /// <summary>Alerts that an account may make in a minute: while one is made, the ledger's lane of its shard waits.</summary>
    private const int MadePerMinute = 120;

    /// <summary>Accounts whose rate is remembered; those who have made none for a while are forgotten first.</summary>
    private const int AccountsMax = 10_000;

    private readonly RequestRate _rate = new("alerts", MadePerMinute, TimeSpan.FromMinutes(1), time);
    private readonly ConcurrentDictionary<AccountId, StrongBox<long>> _made = new();

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/user/alerts", List).RequireToken(Scopes.Read);
        routes.MapPost("/user/alerts", Create).RequireToken(Scopes.Write);
        routes.MapGet("/user/alerts/{alert_id}", Show).RequireToken(Scopes.Read);
        routes.MapPatch("/user/alerts/{alert_id}", Change).RequireToken(Scopes.Write);
        routes.MapDelete("/user/alerts/{alert_id}", Delete).RequireToken(Scopes.Write);
    }

    private async Task List(HttpContext http)
    {
        var caller = http.Caller();
        var query = Input.Query(http);
        var filter = new AlertFilter(null, query.OptionalCurrency("currency", currencies)?.Code, query.OptionalUuid("wallet_id"),
            query.Number("limit", PageDefault, 1, PageMax), query.Number("offset", 0, 0, Alert.CountMax));
        query.Check();
        var now = time.GetUtcNow();
        var total = await db.CountAlerts(caller.Shard, caller.Account, filter, http.RequestAborted);
        var page = await db.AlertViews(caller.Shard, caller.Account, filter, now, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("alerts"u8);
            foreach (var view in page)
                json.Write(view, currencies.Find(view.Alert.Currency), now);
            json.WriteEndArray();
            json.WriteNumber("total"u8, total);
            json.WriteNumber("limit"u8, filter.Limit);
            json.WriteNumber("offset"u8, filter.Offset);
            json.WriteEndObject();
        });
    }

    private async Task Create(HttpContext http)
    {
        Input.Query(http).Check();
        var caller = http.Caller();
        var body = await Input.Body(http);
        var currency = body.Currency("currency", currencies);
        WalletId? wallet = body.OptionalUuid("wallet_id") is { } id ? new WalletId(id) : null;
        var threshold = body.Amount("threshold", currency);
        var recovery = body.OptionalAmount("recovery_threshold", currency);
        body.Check();
        ChangeAlerts.CheckRecovery(threshold, recovery);
        if (wallet is { } one && await db.WalletsNotOf(caller.Account, caller.Shard, [one.Value], http.RequestAborted) is not [])
            throw new Refused(Refusal.NotFound("wallet"));
        CountMade(http, caller.Account);
        var made = await alerts.Create(caller.Shard, new AlertKey(caller.Account, currency.Code), wallet, threshold, recovery, http.RequestAborted);
        await Tell(http, made, StatusCodes.Status201Created);
    }

    private void CountMade(HttpContext http, AccountId account)
    {
        if (_made.Count > AccountsMax)
        {
            foreach (var (who, full) in _made)
            {
                if (_rate.IsFull(ref full.Value))
                    _made.TryRemove(who, out _);
            }
        }

        if (_rate.Take(ref _made.GetOrAdd(account, static _ => new StrongBox<long>()).Value, out _) is not (> 0 and var wait))
            return;
        http.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        throw new Refused(new(RefusalCode.RateLimitExceeded, "This account makes too many alerts; wait as long as Retry-After says, or change one."));
    }

    private Task Show(HttpContext http)
    {
        var id = http.RouteUuid("alert_id");
        Input.Query(http).Check();
        return Tell(http, id, StatusCodes.Status200OK);
    }

    private async Task Change(HttpContext http)
    {
        var caller = http.Caller();
        var id = http.RouteUuid("alert_id");
        Input.Query(http).Check();
        var body = await Input.Body(http);
        // How many decimals its amounts may have, only the alert knows.
        var currency = currencies.Find((await Find(http, id)).Alert.Currency);
        var threshold = body.OptionalAmount("threshold", currency);
        var recovery = body.OptionalAmount("recovery_threshold", currency);
        body.Check();
        await alerts.Change(caller.Shard, caller.Account, id, threshold, recovery, http.RequestAborted);
        await Tell(http, id, StatusCodes.Status200OK);
    }

    private async Task Delete(HttpContext http)
    {
        var caller = http.Caller();
        var id = http.RouteUuid("alert_id");
        Input.Query(http).Check();
        await alerts.Delete(caller.Shard, caller.Account, id, http.RequestAborted);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task Tell(HttpContext http, Guid id, int status)
    {
        var view = await Find(http, id);
        await Answer.Json(http, status, json => json.Write(view, currencies.Find(view.Alert.Currency), time.GetUtcNow()));
    }

    private async Task<AlertView> Find(HttpContext http, Guid id)
    {
        var caller = http.Caller();
        var found = await db.AlertViews(caller.Shard, caller.Account, new AlertFilter(id, null, null, 1, 0), time.GetUtcNow(), http.RequestAborted);
        return found is [var view] ? view : throw new Refused(Refusal.NotFound("alert"));
    }
}
