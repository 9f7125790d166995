using Coffer.Ledger;
using Coffer.Server.Ledger;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// The steps of a withdrawal that move money: its end, and the return from it. Called by the API (cancel), by the operator's command (reject)
/// and by the workers that pay. Each is one ledger transaction in which the row changes too, on condition of the state that it is in by
/// then; so of two who want different things one is refused, and a step that was done already changes nothing.
///
/// If the process dies here: the step has happened or it has not; whoever asked asks again.
/// </summary>
internal sealed class FinishWithdrawal(LedgerWriters ledger, Currencies currencies)
{
    /// <summary>The currencies that this server keeps.</summary>
    public Currencies Currencies => currencies;

    private static readonly WithdrawalState[] _notBegun = [WithdrawalState.Pending, WithdrawalState.Approved];

    private static readonly WithdrawalState[] _begun =
        [WithdrawalState.Processing, WithdrawalState.Submitted, WithdrawalState.Confirmed, WithdrawalState.Unknown];

    /// <summary>The caller takes it back; refused with a conflict once somebody has begun to pay it.</summary>
    public Task<Withdrawal> Cancel(Withdrawal withdrawal) =>
        Run(GiveBack(withdrawal), withdrawal, new WithdrawalStep(withdrawal.Id, _notBegun, WithdrawalState.Cancelled));

    /// <summary>The operator refuses it; not once somebody has begun to pay it.</summary>
    public Task<Withdrawal> Reject(Withdrawal withdrawal, string by, string reason) => Run(GiveBack(withdrawal), withdrawal,
        new WithdrawalStep(withdrawal.Id, _notBegun, WithdrawalState.Rejected) { DecidedBy = by, Reason = reason });

    /// <summary>It is proven that it will not be paid.</summary>
    public Task<Withdrawal> Fail(Withdrawal withdrawal, string reason) => Run(GiveBack(withdrawal), withdrawal,
        new WithdrawalStep(withdrawal.Id, [.. _notBegun, .. _begun], WithdrawalState.Failed) { Reason = reason });

    /// <summary>It has its confirmations.</summary>
    /// <param name="withdrawal">Which.</param>
    /// <param name="fee">All fees that the customer bears, at most what was reserved is taken; null for what was reserved.</param>
    /// <param name="networkFeePaid">What the network took, in smallest units of the chain's coin; null when not known.</param>
    /// <param name="blockHeight">Of the block that holds it.</param>
    public Task<Withdrawal> Settle(Withdrawal withdrawal, Int128? fee = null, Int128? networkFeePaid = null, long? blockHeight = null) => Run(
        new SettleWithdrawal(withdrawal.Account, withdrawal.Wallet, CurrencyOf(withdrawal), withdrawal.Reference, fee), withdrawal,
        new WithdrawalStep(withdrawal.Id, _begun, WithdrawalState.Completed) { NetworkFeePaid = networkFeePaid, BlockHeight = blockHeight });

    /// <summary>The chain has taken it back after it was settled: it waits for a block again. Of the settlement that was read, no other.</summary>
    public Task<Withdrawal> Unsettle(Withdrawal withdrawal) => Run(new UnsettleWithdrawal(withdrawal.Account, withdrawal.Wallet,
            CurrencyOf(withdrawal), withdrawal.Reference, withdrawal.CompletedAt ?? throw new InvalidOperationException("It is not settled.")),
        withdrawal, new WithdrawalStep(withdrawal.Id, [WithdrawalState.Completed], WithdrawalState.Submitted));

    private FailWithdrawal GiveBack(Withdrawal withdrawal) =>
        new(withdrawal.Account, withdrawal.Wallet, CurrencyOf(withdrawal), withdrawal.Reference);

    private async Task<Withdrawal> Run(Command command, Withdrawal withdrawal, WithdrawalStep step)
    {
        var outcome = await ledger.Write(withdrawal.Shard, command with { Companion = step });
        if (outcome.Refusal is { } refusal)
            throw new Refused(refusal);
        return (Withdrawal?)outcome.Answer ?? withdrawal;
    }

    private Currency CurrencyOf(Withdrawal withdrawal) => currencies.TryFind(withdrawal.Currency, out var currency)
        ? currency
        : throw new InvalidOperationException(
            $"{withdrawal.Currency} has withdrawals that are not finished; put it back into the currency file.");
}
