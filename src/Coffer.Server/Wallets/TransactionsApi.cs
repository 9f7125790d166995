using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>Every movement of the account: what a customer reconciles his records with.</summary>
internal static class TransactionsApi
{
    private const int PageDefault = 20;
    private const int PageMax = 100;

    private static readonly Dictionary<string, MovementKind> _types = new()
    {
        ["deposit"] = MovementKind.Deposit,
        ["withdrawal"] = MovementKind.Withdrawal,
        ["transfer"] = MovementKind.Transfer,
        ["correction"] = MovementKind.Correction,
    };

    private static readonly Dictionary<string, IReadOnlyList<short>> _statuses = Enum.GetValues<MovementState>()
        .GroupBy(TransactionJson.Status).ToDictionary(states => states.Key, IReadOnlyList<short> (states) => [.. states.Select(s => (short)s)]);

    public static void MapTransactions(this IEndpointRouteBuilder routes, Db db, Currencies currencies)
    {
        routes.MapGet("/transactions", http => List(http, db, currencies)).RequireRead();
        routes.MapGet("/transactions/{transaction_id}", http => Show(http, db, currencies)).RequireRead();
    }

    private static async Task List(HttpContext http, Db db, Currencies currencies)
    {
        var caller = http.Caller();
        var query = Input.Query(http);
        var limit = query.Number("limit", PageDefault, 1, PageMax);
        var wallet = query.OptionalUuid("wallet_id");
        var (from, before) = query.IdRange();
        var filter = new MovementFilter(before, from, query.OptionalChoice("type", _types, out var kind) ? kind : null,
            query.OptionalChoice("status", _statuses, out var states) ? states : null,
            query.OptionalCurrency("currency", currencies)?.Code, wallet is { } one ? [one] : caller.Wallets);
        query.Check();
        if (wallet is { } id && !(caller.MayUse(new(id)) && await db.FindWallet(caller.Account, caller.Shard, new(id), http.RequestAborted) is not null))
            throw new Refused(Refusal.NotFound("wallet"));
        var (page, next) = await ListMovements.Run(db, caller.Account, caller.Shard, filter, limit, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json => json.WritePage(page, next, currencies));
    }

    private static async Task Show(HttpContext http, Db db, Currencies currencies)
    {
        var caller = http.Caller();
        var id = new MovementId(http.RouteUuid("transaction_id"));
        Input.Query(http).Check();
        var listed = await db.FindMovement(caller.Account, caller.Shard, id, http.RequestAborted);
        var movement = listed?.Movement;
        // Of a transfer between a wallet that the credential may see and one that it may not, it sees its own side.
        WalletId[] wallets = movement is null ? [] : movement.ToWallet is { } to ? [movement.Wallet, to] : [movement.Wallet];
        var own = Array.FindAll(wallets, caller.MayUse);
        if (listed is null || movement is null || own.Length == 0)
            throw new Refused(Refusal.NotFound("transaction"));
        var postings = await FindPostings.Run(db, caller.Shard, movement, own, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json => json.WriteDetail(listed, postings, currencies.Find(movement.Currency)));
    }
}
