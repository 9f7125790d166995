using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>What a caller wants paid out; <see cref="Wallet"/> null means from the default wallet.</summary>
/// <param name="FeesOnTop">True: the amount arrives and the fees come on top. False: the fees come out of the amount.</param>
internal sealed record WithdrawalRequest(
    Guid? Wallet, Currency Currency, Int128 Amount, string Address, bool FeesOnTop, string? CustomId, string? CallbackUrl)
{
    /// <summary>The digest of what is asked: equal for equal requests of an account, however their JSON is written.</summary>
    public Guid DigestIn(AccountId account)
    {
        var text = new StringBuilder(512);
        // Lengths keep the parts apart.
        foreach (var part in (ReadOnlySpan<string?>)[account.ToString(), Wallet?.ToString(), Currency.Code,
            Amount.ToString(CultureInfo.InvariantCulture), Address, FeesOnTop ? "on top" : "within", CustomId, CallbackUrl])
            text.Append(CultureInfo.InvariantCulture, $"{part?.Length ?? -1}:{part}\n");
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16), bigEndian: true);
    }
}

/// <summary>
/// Reserves amount and fees and so creates a withdrawal. Called by the API, with a wallet of the caller's.
///
/// All of it is one ledger transaction: the posting, the row, the checks of Idempotency-Key and custom_id. If the process dies here,
/// the withdrawal was made or it was not; the same Idempotency-Key finds out which and makes it if need be.
/// </summary>
/// <param name="db">The database.</param>
/// <param name="ledger">The ledger, with <see cref="WithdrawalGuest"/> among its guests.</param>
/// <param name="ids">Names for movements.</param>
/// <param name="hotChains">By network: the chain on which live withdrawals are paid.</param>
internal sealed class CreateWithdrawal(Db db, LedgerWriters ledger, Ids ids, IReadOnlyDictionary<string, string> hotChains)
{
    /// <param name="caller">Whose withdrawal.</param>
    /// <param name="wallet">The wallet to pay from, of the caller's account.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="key">The request's Idempotency-Key: the same again is the same withdrawal; null when none was sent.</param>
    /// <returns>The withdrawal, and whether an earlier request with this key had made it.</returns>
    public async Task<(Withdrawal Withdrawal, bool Replayed)> Run(Caller caller, WalletId wallet, WithdrawalRequest request, string? key)
    {
        var chain = ChainOf(caller, request.Currency);
        if (caller.Mode == Mode.Test && !SimulatedAddress.IsValid(request.Address))
            throw new Refused(new(RefusalCode.InvalidAddress,
                "This is no address of the simulated chain; they begin with sim1. Check every character.",
                new Dictionary<string, object> { ["address"] = new[] { "Not a valid address." } }));
        var currency = request.Currency;
        var fee = currency.NetworkFee + currency.WithdrawalFee;
        var command = new RequestWithdrawal(caller.Account, wallet, currency, Reference.Of($"withdrawal:{ids.New()}"),
            Arrives(request, fee), fee, request.Address)
        {
            Companion = new WithdrawalOrder(chain, currency.NetworkFee, request.FeesOnTop)
            {
                CustomId = request.CustomId,
                CallbackUrl = request.CallbackUrl,
                IdempotencyKey = key,
                Request = request.DigestIn(caller.Account),
                RequestedBy = caller.Name,
            },
        };
        var outcome = await ledger.Write(caller.Shard, command);
        if (outcome.Refusal is { } refusal)
            throw new Refused(refusal);
        // The reply to the COMMIT was lost, and the ledger found its own movement: this is still the first answer.
        var row = (Withdrawal?)outcome.Answer
            ?? await db.FindWithdrawal(caller.Shard, caller.Account, outcome.Movement!.Id.Value, CancellationToken.None);
        return (row!, outcome.Answer is not null && outcome.Replayed);
    }

    private string ChainOf(Caller caller, Currency currency) => caller.Mode == Mode.Test
        ? SimulatedChain.IdOf(caller.Account)
        : hotChains.GetValueOrDefault(currency.Network) ?? throw new Refused(new(RefusalCode.ServiceUnavailable,
            "This server is not connected to a live chain, so it cannot pay out; nothing was reserved. Ask its operator."));

    /// <summary>What the receiver gets, or a refusal that says what would be enough.</summary>
    private static Int128 Arrives(WithdrawalRequest request, Int128 fee)
    {
        var currency = request.Currency;
        var arrives = request.FeesOnTop ? request.Amount : request.Amount - fee;
        if (arrives > 0 && arrives >= currency.WithdrawalMinimum)
            return arrives;
        var least = Int128.Max(currency.WithdrawalMinimum, 1) + (request.FeesOnTop ? 0 : fee);
        var message = $"Send at least {Amount.Short(least, currency.Decimals)} {currency.Code}"
            + (request.FeesOnTop ? "." : ", the fees included.");
        throw new Refused(new(RefusalCode.InvalidAmount, message, new Dictionary<string, object> { ["amount"] = new[] { message } }));
    }
}
