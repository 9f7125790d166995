using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Outbound;
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
/// <param name="places">Where withdrawals are paid.</param>
/// <param name="fees">What is charged for the network.</param>
/// <param name="callbacks">Called before a withdrawal with a callback_url is made.</param>
/// <param name="targets">Where a callback_url may lead.</param>
internal sealed class CreateWithdrawal(Db db, LedgerWriters ledger, Ids ids, PayoutPlaces places, NetworkFees fees,
    ReadyCallbacks callbacks, NetworkRules targets)
{
    /// <summary>What is said of an address that this server has given out for deposits.</summary>
    public const string OwnAddress = "This is a deposit address of this server. Move money between wallets with POST /wallets/transfer.";

    /// <param name="caller">Whose withdrawal.</param>
    /// <param name="wallet">The wallet to pay from, of the caller's account.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="key">The request's Idempotency-Key: the same again is the same withdrawal; null when none was sent.</param>
    /// <param name="ownAddress">Whether the receiver is a deposit address of this server.</param>
    /// <returns>The withdrawal, and whether an earlier request with this key had made it.</returns>
    public async Task<(Withdrawal Withdrawal, bool Replayed)> Run(
        Caller caller, WalletId wallet, WithdrawalRequest request, string? key, bool ownAddress)
    {
        RequestWithdrawal command;
        try
        {
            command = Command(caller, wallet, request, key, ownAddress);
        }
        catch (Refused) when (key is not null)
        {
            // What is refused today may have been made yesterday, and then its answer is still the same.
            if (await db.FindWithdrawal(caller.Shard, caller.Account, key) is { } earlier && earlier.Request == request.DigestIn(caller.Account))
                return (earlier, true);
            throw;
        }

        if (request.CallbackUrl is not null)
            await callbacks(caller.Shard, caller.Account, CancellationToken.None);
        var outcome = await ledger.Write(caller.Shard, command);
        if (outcome.Refusal is { } refusal)
            throw new Refused(refusal);
        // The reply to the COMMIT was lost, and the ledger found its own movement: this is still the first answer.
        var row = (Withdrawal?)outcome.Answer
            ?? await db.FindWithdrawal(caller.Shard, caller.Account, outcome.Movement!.Id.Value, CancellationToken.None);
        return (row!, outcome.Answer is not null && outcome.Replayed);
    }

    private RequestWithdrawal Command(Caller caller, WalletId wallet, WithdrawalRequest request, string? key, bool ownAddress)
    {
        if (request.CallbackUrl is { } url && !TargetUrl.TryParse(url, caller.Mode, targets, out _, out var fault))
            throw new Refused(new(RefusalCode.InvalidRequest, $"callback_url: {fault}",
                new Dictionary<string, object> { ["callback_url"] = new[] { fault } }));
        var currency = request.Currency;
        var chain = places.ChainOf(caller.Account, caller.Mode, currency);
        var address = places.Read(caller.Mode, currency.Network, request.Address);
        if (address.Canonical is not { } payee)
            throw PayoutPlaces.No(address.Fault!);
        if (ownAddress)
            throw PayoutPlaces.No(OwnAddress);
        var quote = QuoteWithdrawal.Run(currency, request.Amount, fees.Charged(currency, caller.Mode), request.FeesOnTop);
        return new RequestWithdrawal(caller.Account, wallet, currency, Reference.Of($"withdrawal:{ids.New()}"), quote.Arrives, quote.Fee, payee)
        {
            Companion = new WithdrawalOrder(chain, quote.NetworkFee, request.FeesOnTop)
            {
                CustomId = request.CustomId,
                CallbackUrl = request.CallbackUrl,
                IdempotencyKey = key,
                Request = request.DigestIn(caller.Account),
                RequestedBy = caller.Name,
            },
        };
    }
}
