using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Outbound;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>Paying out: create, list, show and cancel withdrawals (contract 5).</summary>
internal sealed class WithdrawalsApi(Db db, ReadLanes<PayerQuestion, Payer?> payers, Authenticate authenticate, CreateWithdrawal create,
    FinishWithdrawal finish, PayoutPlaces places, Currencies currencies)
{
    private const int AddressMax = 255;
    private const int CustomIdMax = 64;
    private const int PageDefault = 20;
    private const int PageMax = 100;

    private static readonly Dictionary<string, WithdrawalState> _states =
        Enum.GetValues<WithdrawalState>().ToDictionary(WithdrawalStates.Word);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/withdrawal", Create).WithMetadata(new Access(Scopes.Write, Deferred: true));
        routes.MapGet("/withdrawal", List).RequireRead();
        routes.MapGet("/withdrawal/{id}", Show).RequireRead();
        routes.MapPost("/withdrawal/{id}/cancel", Cancel).RequireWrite();
    }

    /// <summary>
    /// One read finds out who is calling and whose the wallet is; everything else is one transaction of the ledger. What is wrong with
    /// the request is said only to somebody who may make it.
    /// </summary>
    private async Task Create(HttpContext http)
    {
        var (request, key, fault) = await TryRead(http);
        var payer = await payers.Read(Question(http.Features.Get<PresentedCredential>()!.Hash, request));
        var caller = authenticate.Accept(http, payer?.Credential);
        if (request is null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault!);
            return;
        }

        if (payer!.Wallet is not { } wallet || !caller.MayUse(new WalletId(wallet)))
            throw new Refused(Refusal.NotFound("wallet"));
        var (withdrawal, replayed) = await create.Run(caller, new WalletId(wallet), request, key, payer.OwnAddress);
        if (replayed)
            IdempotencyKeys.Replayed(http);
        await Answer.Json(http, StatusCodes.Status201Created, json => json.Write(withdrawal.AtFirst(), currencies.Find(withdrawal.Currency), confirmations: 0));
    }

    /// <summary>Whose mode it is nobody knows yet, so the address is asked about as either reads it.</summary>
    private PayerQuestion Question(byte[] hash, WithdrawalRequest? request)
    {
        if (request is null)
            return new PayerQuestion(hash, null, "", "", "");
        var place = places.Find(request.Currency.Network);
        return new PayerQuestion(hash, request.Wallet, request.Address, place?.Family ?? "",
            place is null ? "" : places.Read(Mode.Live, request.Currency.Network, request.Address).Canonical ?? "");
    }

    private async Task<(WithdrawalRequest? Request, string? Key, Exception? Fault)> TryRead(HttpContext http)
    {
        try
        {
            var key = IdempotencyKeys.Of(http);
            return (await Read(http), key, null);
        }
        catch (Exception fault) when (fault is Refused or BadHttpRequestException)
        {
            return (null, null, fault);
        }
    }

    private async Task<WithdrawalRequest> Read(HttpContext http)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var currency = body.WithdrawalCurrency(currencies);
        var amount = body.Amount("amount", currency);
        var address = body.Text("address", AddressMax);
        var wallet = body.OptionalUuid("account_id");
        var customId = body.OptionalText("custom_id", CustomIdMax);
        var callback = body.OptionalText("callback_url", TargetUrl.LengthMax);
        var onTop = body.Flag("final_amount", missing: true);
        body.Check();
        return new WithdrawalRequest(wallet, currency, amount, address, onTop, customId, callback);
    }

    private async Task List(HttpContext http)
    {
        var caller = http.Caller();
        var query = Input.Query(http);
        var limit = query.Number("limit", PageDefault, 1, PageMax);
        var offset = query.Number("offset", 0, 0, int.MaxValue);
        var after = query.OptionalUuid("starting_after");
        var newestFirst = Sort(query);
        var (from, before) = query.TimeRange("start_date", "end_date");
        var filter = new WithdrawalFilter(query.OptionalChoice("status", _states, out var state) ? state : null,
            query.OptionalCurrency("currency", currencies)?.Code,
            Currencies(query.OptionalText("blockchain"), query.OptionalText("token")), query.OptionalText("custom_id", CustomIdMax),
            caller.Wallets, from, before);
        query.Check();
        var page = await ListWithdrawals.Run(db, caller.Shard, caller.Account, filter, newestFirst, after, limit, offset, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json => json.WritePage(page, limit, offset, currencies));
    }

    private async Task Show(HttpContext http)
    {
        Input.Query(http).Check();
        await Tell(http, await Find(http));
    }

    private async Task Cancel(HttpContext http)
    {
        Input.Query(http).Check();
        (await Input.Body(http)).Check();
        await Tell(http, await finish.Cancel(await Find(http)));
    }

    private async Task Tell(HttpContext http, Withdrawal withdrawal)
    {
        var height = withdrawal.BlockHeight is null ? null : await db.HeightOf(withdrawal.Chain, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK,
            json => json.Write(withdrawal, currencies.Find(withdrawal.Currency), WithdrawalJson.Confirmations(withdrawal, height)));
    }

    private async Task<Withdrawal> Find(HttpContext http)
    {
        var caller = http.Caller();
        return Guid.TryParseExact((string?)http.Request.RouteValues["id"], "D", out var id)
            && await db.FindWithdrawal(caller.Shard, caller.Account, id, http.RequestAborted) is { } withdrawal
            && caller.MayUse(withdrawal.Wallet) ? withdrawal : throw new Refused(Refusal.NotFound("withdrawal"));
    }

    private static bool Sort(Input query)
    {
        var sort = query.OptionalText("sort");
        if (sort is not (null or "created_desc" or "created_asc"))
            query.Fault("sort", "Send created_desc or created_asc.");
        return sort != "created_asc";
    }

    /// <summary>The currencies on that network, of that token; null when neither is named.</summary>
    private List<string>? Currencies(string? network, string? token) => network is null && token is null ? null
        : [.. currencies.All.Where(currency => Is(network, currency.Network) && Is(token, currency.Token)).Select(currency => currency.Code)];

    private static bool Is(string? wanted, string actual) => wanted is null || wanted.Equals(actual, StringComparison.OrdinalIgnoreCase);
}
