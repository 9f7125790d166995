using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>What a caller wants moved; <see cref="To"/> null means to the default wallet.</summary>
internal sealed record TransferRequest(WalletId From, WalletId? To, Currency Currency, Int128 Amount, string? Description);

/// <summary>A transfer that happened, its wallets, and what they hold after it.</summary>
internal sealed record TransferResult(Movement Movement, Wallet From, Wallet To, Balance FromBalance, Balance ToBalance, bool Replayed);

/// <summary>
/// Moves money between two wallets of the caller's account, at once. Called by the API. The reference makes it happen once for ever,
/// whatever crashes: asked again with the same reference, it answers what the first one did.
/// </summary>
internal static class TransferFunds
{
    public static async Task<TransferResult> Run(Db db, LedgerWriters ledger, Caller caller, TransferRequest request, Reference reference,
        CancellationToken ct)
    {
        var (from, to) = await FindWallets(db, caller, request, ct);
        var outcome = await ledger.Write(caller.Shard, new Transfer(caller.Account, from.Id, request.Currency, reference,
            to.Id, request.Amount, request.Description));
        var movement = outcome.Accepted();
        return new TransferResult(movement, from, to, outcome.Own!, outcome.Other!, outcome.Replayed);
    }

    private static async Task<(Wallet From, Wallet To)> FindWallets(Db db, Caller caller, TransferRequest request, CancellationToken ct)
    {
        var found = await db.FindTransferWallets(caller.Account, caller.Shard, request.From, request.To, ct);
        var from = found.Find(wallet => wallet.Id == request.From && caller.MayUse(wallet.Id))
            ?? throw new Refused(Refusal.NotFound("wallet"));
        var to = found.Find(wallet => (request.To is { } id ? wallet.Id == id : wallet.IsDefault) && caller.MayUse(wallet.Id));
        if (to is null && request.To is null)
            throw new Refused(Refusal.Parameter("to_wallet_id", "Name the receiving wallet; this credential may not use the default wallet."));
        return (from, to ?? throw new Refused(Refusal.NotFound("wallet")));
    }
}
