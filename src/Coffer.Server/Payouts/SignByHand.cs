using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Payouts;

/// <summary>A transaction that waits for its signature.</summary>
/// <param name="Payout">Whose it is.</param>
/// <param name="Attempt">Which of its transactions.</param>
/// <param name="Reading">What its bytes do.</param>
/// <param name="Text">Its bytes as wallets read them.</param>
internal sealed record ToSign(Payout Payout, Attempt Attempt, PayoutReading Reading, string Text);

/// <summary>
/// Carries transactions to a key that no machine here has, and back. Called by the command line, beside the worker
/// <see cref="PayWithdrawals"/>, which plans them, waits for this, and sends them.
///
/// Guarantees: what comes back is stored only when it is the planned transaction, signed by the hot wallet, and only once; all
/// transactions of a payout share one claim, so at most one of them is ever mined however many are carried.
/// If the process dies here: the signed bytes are stored with their id in one transaction, or not at all; the same file may be given again.
/// </summary>
internal sealed class SignByHand(Db db, IReadOnlyList<ChainEntry> chains, Currencies currencies, TimeProvider time)
{
    /// <summary>The transaction of a withdrawal's payout that waits to be signed.</summary>
    /// <exception cref="SetupFailure">There is none; the sentence says why.</exception>
    public async Task<ToSign> Export(Guid withdrawal, CancellationToken ct)
    {
        var (payout, wallet) = await Find(withdrawal, ct);
        if (payout.Last.TxId is { } txId)
            throw new SetupFailure($"Nothing of withdrawal {withdrawal} waits for a signature: {txId} is signed and stored.");
        try
        {
            return new ToSign(payout, payout.Last, wallet.Read(payout.Last.Unsigned), wallet.Text(payout.Last.Unsigned));
        }
        catch (KeyFault fault)
        {
            throw new SetupFailure($"The hot wallet of {payout.Chain} in the chains file is not the one that was planned with: {fault.Message}");
        }
    }

    /// <summary>Stores a signed transaction for the worker to send. Answers its id, and false when it was stored before.</summary>
    /// <exception cref="SetupFailure">It is not one of those that were planned, or may not be signed any more.</exception>
    public async Task<(Payout Payout, Attempt Attempt, SignedPayout Signed, bool IsNew)> Import(Guid withdrawal, byte[] file, CancellationToken ct)
    {
        var (payout, wallet) = await Find(withdrawal, ct);
        var (attempt, signed) = Match(payout, wallet, file);
        if (attempt.TxId == signed.TxId)
            return (payout, attempt, signed, false);
        var now = time.GetUtcNow();
        if (payout.ExpiresAt <= now)
            throw new SetupFailure("The transaction has expired, no block takes it any more: export the withdrawal anew in a while.");
        await db.Transaction((tx, token) => tx.KeepSigned(payout, attempt, signed, currencies, now, token), ct, repeatable: true);

        // Meanwhile it may have been signed by somebody else, or undone.
        var after = await db.PayoutOf(withdrawal, ct);
        return after?.Attempts.Any(one => one.TxId == signed.TxId) is true ? (payout, attempt, signed, true)
            : throw new SetupFailure($"The transaction was taken back or signed otherwise meanwhile: look at withdrawal {withdrawal} again.");
    }

    private static (Attempt, SignedPayout) Match(Payout payout, ColdWallet wallet, byte[] file)
    {
        KeyFault? why = null;
        try
        {
            var bytes = ColdWallet.Bytes(file);
            foreach (var attempt in payout.Attempts.Reverse())
            {
                try
                {
                    return (attempt, wallet.Accept(attempt.Unsigned, bytes));
                }
                catch (KeyFault fault)
                {
                    why ??= fault;
                }
            }
        }
        catch (KeyFault fault)
        {
            why = fault;
        }

        throw new SetupFailure($"Nothing was stored. {why!.Message}");
    }

    private async Task<(Payout Payout, ColdWallet Wallet)> Find(Guid withdrawal, CancellationToken ct)
    {
        if (await db.PayoutOf(withdrawal, ct) is not { } payout || payout.Attempts.Count == 0)
            throw new SetupFailure($"No transaction is planned for withdrawal {withdrawal}: check the id, and what `coffer withdrawal show` says "
                + "that it waits for.");
        if (chains.FirstOrDefault(chain => chain.Id == payout.Chain) is not { Hot: { } hot } entry)
            throw new SetupFailure($"Withdrawal {withdrawal} is paid on {payout.Chain}, for which the chains file names no hot wallet: give it with --chains.");
        if (hot.Signer is not null)
            throw new SetupFailure($"The hot wallet of {payout.Chain} has a signer: nothing of it is signed by hand.");
        return payout.State == PayoutState.Open ? (payout, ColdWallet.Of(entry))
            : throw new SetupFailure($"Withdrawal {withdrawal} needs no signature any more: its transaction {payout.TxId} was mined.");
    }
}
