using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>What a caller wants paid out; <see cref="Wallet"/> null means from the default wallet.</summary>
/// <param name="FeeOnTop">True: the amount arrives and the fees come on top. False: the fees come out of the amount.</param>
internal sealed record WithdrawalRequest(
    WalletId? Wallet, Currency Currency, Int128 Amount, string Address, bool FeeOnTop, string? CustomId, string? CallbackUrl);

/// <summary>
/// Reserves amount and fees and so creates a withdrawal. Called by the API.
///
/// The row with what the ledger does not keep is written first, then the ledger is asked; it accepts each reference once. If the
/// process dies here: without a movement the row means nothing and is cleared away; with one the withdrawal exists and is sent by the worker.
/// </summary>
internal sealed class CreateWithdrawal(Db db, LedgerWriters ledger, Ids ids, TimeProvider time)
{
    /// <param name="caller">Whose withdrawal.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="key">The request's Idempotency-Key: the same again is the same withdrawal; null when none was sent.</param>
    /// <param name="ct">Stops what has not reached the ledger.</param>
    public async Task<Withdrawal> Run(Caller caller, WithdrawalRequest request, string? key, CancellationToken ct)
    {
        if (caller.Mode != Mode.Test)
            throw new Refused(new(RefusalCode.ServiceUnavailable,
                "This server is not connected to a live chain, so it cannot pay out; nothing was reserved. Ask its operator."));
        if (!SimulatedAddress.IsValid(request.Address))
            throw new Refused(new(RefusalCode.InvalidAddress,
                "This is no address of the simulated chain; they begin with sim1. Check every character.",
                new Dictionary<string, object> { ["address"] = new[] { "Not a valid address." } }));
        var wallet = await db.WithdrawalWallet(caller.Shard, caller.Account, request.Wallet, ct);
        if (wallet is not { } from || !caller.MayUse(from))
            throw new Refused(Refusal.NotFound("wallet"));

        var currency = request.Currency;
        var facts = new WithdrawalFacts(
            time.GetUtcNow(), currency.NetworkFee, currency.WithdrawalFee, request.CustomId, request.CallbackUrl, key);
        var fee = facts.NetworkFee + facts.TransactionFee;
        var arrives = Arrives(request, fee);
        var name = request.CustomId is { } customId ? $"custom:{customId}" : key ?? ids.New().ToString();
        var reference = Reference.Of($"withdrawal:{name}");
        var command = new RequestWithdrawal(caller.Account, from, currency, reference, arrives, fee, request.Address);
        await db.Transaction((tx, token) => tx.Keep(caller.Shard, command, facts, token), ct, repeatable: true);
        var outcome = await ledger.Write(caller.Shard, command);
        if (outcome.Refusal is { } refusal)
        {
            await db.Transaction((tx, token) => tx.Forget(caller.Shard, command, facts, token), CancellationToken.None, repeatable: true);
            throw new Refused(refusal.Code == RefusalCode.IdempotencyKeyReused && request.CustomId is not null ? Taken() : refusal);
        }

        var withdrawal = await Created(caller, command, facts, outcome.Movement!);
        return outcome.Replayed && (key is null || withdrawal.IdempotencyKey != key) ? throw new Refused(Taken()) : withdrawal;
    }

    /// <summary>What the receiver gets, or a refusal that says what would be enough.</summary>
    private static Int128 Arrives(WithdrawalRequest request, Int128 fee)
    {
        var currency = request.Currency;
        var arrives = request.FeeOnTop ? request.Amount : request.Amount - fee;
        if (arrives > 0 && arrives >= currency.WithdrawalMinimum)
            return arrives;
        var least = Int128.Max(currency.WithdrawalMinimum, 1) + (request.FeeOnTop ? 0 : fee);
        var message = $"Send at least {Amount.Short(least, currency.Decimals)} {currency.Code}"
            + (request.FeeOnTop ? "." : ", the fees included.");
        throw new Refused(new(RefusalCode.InvalidAmount, message, new Dictionary<string, object> { ["amount"] = new[] { message } }));
    }

    private async Task<Withdrawal> Created(Caller caller, RequestWithdrawal command, WithdrawalFacts facts, Movement movement)
    {
        if (await db.FindWithdrawal(caller.Shard, caller.Account, movement.Id.Value, CancellationToken.None) is { } found)
            return found;
        // An equal request at the same time was refused and has taken the row with it.
        await db.Transaction((tx, token) => tx.Keep(caller.Shard, command, facts, token), CancellationToken.None, repeatable: true);
        return await db.FindWithdrawal(caller.Shard, caller.Account, movement.Id.Value, CancellationToken.None)
            ?? throw new InvalidOperationException($"The movement {movement.Id} has no withdrawal.");
    }

    private static Refusal Taken() => new(RefusalCode.Conflict,
        "This custom_id belongs to an earlier withdrawal of this account. Find it with GET /withdrawal/?custom_id=, or take a new one.");
}
