using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using WalletReads = Coffer.Server.Sql.ReadLanes<Coffer.Server.Balances.WalletQuestion, Coffer.Server.Balances.WalletView?>;

namespace Coffer.Server.Balances;

/// <summary><c>GET /wallets/balances</c> and <c>GET /user/balances/</c> (contract 2).</summary>
internal static class BalancesApi
{
    public static void MapBalances(
        this IEndpointRouteBuilder routes, Db db, WalletReads reads, Authenticate authenticate, Currencies currencies, TimeProvider time)
    {
        routes.MapGet("/wallets/balances", http => WalletBalances(http, reads, authenticate, currencies))
            .WithMetadata(new Access(Scopes.Read, Deferred: true));
        routes.MapGet("/user/balances", http => AccountBalances(http, db, currencies, time)).RequireToken(Scopes.Read);
    }

    private static async Task WalletBalances(HttpContext http, WalletReads reads, Authenticate authenticate, Currencies currencies)
    {
        var presented = http.Features.Get<PresentedCredential>()!;
        var query = Input.Query(http);
        var id = query.Uuid("wallet_id");
        // A credential is judged before what it asks for, so the statement runs even when the question is wrong.
        var view = await reads.Read(new WalletQuestion(presented.Hash, id));
        var caller = authenticate.Accept(http, view?.Credential);
        query.Check();
        if (view?.Wallet is not { } wallet || !caller.MayUse(new WalletId(wallet)))
            throw new Refused(Refusal.NotFound("wallet"));
        await Answer.Tagged(http, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("result"u8);
            json.WriteString("id"u8, wallet);
            json.WriteString("name"u8, view.Name);
            json.WriteStartArray("balances"u8);
            foreach (var line in view.Lines)
            {
                var currency = currencies.Find(line.Currency);
                var pending = line.Incoming + line.Held;
                json.WriteStartObject();
                json.WriteString("currency"u8, currency.CodeLower);
                json.WriteShort("amount"u8, line.Available + pending, currency.Decimals);
                json.WriteShort("pendingAmount"u8, pending, currency.Decimals);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static async Task AccountBalances(HttpContext http, Db db, Currencies currencies, TimeProvider time)
    {
        var query = Input.Query(http);
        var currency = query.OptionalCurrency("currency", currencies);
        query.Check();
        var view = await db.AccountBalances(http.Caller(), currency?.Code, http.RequestAborted);
        var summary = AccountSummary.Of(view, currencies, time.GetUtcNow());
        await Answer.Tagged(http, summary.Write);
    }
}
