using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>The wallets of an account. A credential that is limited to wallets sees no others, as if they were nobody's.</summary>
internal static class WalletsApi
{
    private const int PageDefault = 10;
    private const int PageMax = 100;

    public static void MapWallets(this IEndpointRouteBuilder routes, Db db, Ids ids, TimeProvider time)
    {
        routes.MapPost("/wallets", http => Create(http, db, ids, time)).RequireWrite();
        routes.MapGet("/wallets", http => List(http, db)).RequireRead();
        routes.MapGet("/wallets/{wallet_id}", http => Show(http, db)).RequireRead();
        routes.MapPatch("/wallets/{wallet_id}", http => Rename(http, db, time)).RequireWrite();
    }

    private static async Task Create(HttpContext http, Db db, Ids ids, TimeProvider time)
    {
        var caller = http.Caller();
        var name = await ReadName(http);
        if (caller.Wallets is not null)
            throw new Refused(new(RefusalCode.Forbidden, "This credential is limited to some wallets and may not make others. Use one without that limit."));
        var wallet = await CreateWallet.Run(db, ids, time, caller.Account, caller.Shard, name, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status201Created, new Envelope<WalletLine>(Line(wallet)));
    }

    private static async Task List(HttpContext http, Db db)
    {
        var caller = http.Caller();
        var query = Input.Query(http);
        var limit = query.Number("limit", PageDefault, 1, PageMax);
        var offset = query.Number("offset", 0, 0, int.MaxValue);
        query.Check();
        var (total, page) = await db.ListWallets(caller.Account, caller.Shard, caller.Wallets, limit, offset, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK,
            new Envelope<WalletPage>(new WalletPage([.. page.Select(Line)], total, limit, offset)));
    }

    private static async Task Show(HttpContext http, Db db)
    {
        var caller = http.Caller();
        var id = new WalletId(http.RouteUuid("wallet_id"));
        Input.Query(http).Check();
        var wallet = caller.MayUse(id) ? await db.FindWallet(caller.Account, caller.Shard, id, http.RequestAborted) : null;
        await Answer.Json(http, StatusCodes.Status200OK, new Envelope<WalletDetail>(Detail(wallet)));
    }

    private static async Task Rename(HttpContext http, Db db, TimeProvider time)
    {
        var caller = http.Caller();
        var id = new WalletId(http.RouteUuid("wallet_id"));
        var name = await ReadName(http);
        var wallet = caller.MayUse(id)
            ? await db.Transaction((tx, ct) => tx.RenameWallet(caller.Account, caller.Shard, id, name, time.GetUtcNow(), ct),
                http.RequestAborted, repeatable: true)
            : null;
        await Answer.Json(http, StatusCodes.Status200OK, new Envelope<WalletDetail>(Detail(wallet)));
    }

    private static async Task<string> ReadName(HttpContext http)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var name = body.Text("name", Wallet.NameMax);
        if (name.Length > 0 && string.IsNullOrWhiteSpace(name))
            body.Fault("name", "Send a name that can be seen.");
        body.Check();
        return name;
    }

    private static WalletLine Line(Wallet wallet) => new(wallet.Id.Value, wallet.Name, Wire.Time(wallet.CreatedAt));

    private static WalletDetail Detail(Wallet? wallet) => wallet is null
        ? throw new Refused(Refusal.NotFound("wallet"))
        : new(wallet.Id.Value, wallet.Name, Wire.Time(wallet.CreatedAt), Wire.Time(wallet.UpdatedAt));

    private sealed record Envelope<T>(T Result);

    private sealed record WalletLine(Guid Id, string Name, string CreatedAt);

    private sealed record WalletDetail(Guid Id, string Name, string CreatedAt, string UpdatedAt);

    private sealed record WalletPage(IReadOnlyList<WalletLine> Wallets, long Total, int Limit, int Offset);
}
