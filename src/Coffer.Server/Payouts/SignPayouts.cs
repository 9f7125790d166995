using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>
/// Has the stored plans signed, in the order of their claims, and stores the signed bytes with their id. Called by
/// <see cref="PayWithdrawals"/>.
///
/// Guarantees: what is stored was held against its plan and carries the hot wallet's own signature; nothing is sent from here. Silence of
/// the signer leaves the plan as it is, for the bytes may be signed; only its own word that it refused undoes a plan.
/// If the process dies here: the same plan is shown to the signer again, which answers with the same bytes.
/// </summary>
internal sealed partial class SignPayouts(Db db, Currencies currencies, TimeProvider time, ILogger log, Func<string, Task> reach)
{
    private static readonly Dictionary<SigningRefusalCode, string> _waits =
        new() { [SigningRefusalCode.OverDayLimit] = WaitingFor.Limit, [SigningRefusalCode.FeeAboveCap] = WaitingFor.Fee };

    /// <summary>Signs what waits for it; false when it had to stop before the end.</summary>
    public async Task<bool> Run(PayingChain chain, CancellationToken ct)
    {
        foreach (var payout in await db.UnsignedPayouts(chain.Id, ct))
        {
            if (chain.Signer is null)
                await db.Transaction((tx, token) => tx.Wait(payout.Withdrawals, WaitingFor.Signature, time.GetUtcNow(), token), ct, repeatable: true);
            else if (!await Sign(chain, chain.Signer, payout, ct))
                return false;
        }

        return true;
    }

    private async Task<bool> Sign(PayingChain chain, AskSigner signer, Payout payout, CancellationToken ct)
    {
        var attempt = payout.Last;
        var pays = payout.Withdrawals.Select(withdrawal => new SigningPayment(withdrawal.Id.ToString(), chain.OutputOf(withdrawal)));
        var answer = await signer(new SigningRequest(payout.Id.ToString(), chain.Id, [.. pays], attempt.FeeMax, attempt.Unsigned), ct);
        await reach("signer answered");
        if (answer.Refusal is { } refusal)
        {
            await Refused(chain, payout, attempt, refusal, ct);
            return true;
        }

        SignedPayout signed;
        try
        {
            signed = chain.Payouts.Accept(attempt.Unsigned, answer.Signed!.Bytes);
        }
        catch (KeyFault fault)
        {
            // Whoever answers so must not be trusted with anything more now; the plan stays, nothing is sent.
            NotThePlan(log, chain.Id, payout.Id, fault.Message);
            return false;
        }

        await db.Transaction((tx, token) => tx.KeepSigned(payout, attempt, signed, currencies, time.GetUtcNow(), token), ct, repeatable: true);
        await reach("signed");
        return true;
    }

    private async Task Refused(PayingChain chain, Payout payout, Attempt attempt, SigningRefusal refusal, CancellationToken ct)
    {
        SignerRefused(log, chain.Id, payout.Id, refusal.Word, refusal.Message);
        var now = time.GetUtcNow();
        await db.Transaction(async (tx, token) =>
        {
            if (refusal.Code == SigningRefusalCode.AlreadyPaid)
            {
                // Some other bytes for this withdrawal exist. They are not ours to guess about, so a human has to look.
                await tx.Doubt(payout, "The signer has signed another transaction for this withdrawal.", currencies, now, token);
                return;
            }

            if (!await tx.ForgetUnsigned(payout, attempt, token))
                return;
            var waits = payout.Withdrawals.Count > 1 ? WaitingFor.Signer : _waits.GetValueOrDefault(refusal.Code, WaitingFor.Signer);
            if (attempt.Number == 1)
                await tx.Drop(payout, waits, currencies, now, token);
            else
                await tx.Wait(payout.Withdrawals, WaitingFor.Fee, now, token);
        }, ct, repeatable: true);
    }

    [LoggerMessage(51, LogLevel.Critical, "The signer's answer for payout {Payout} on {Chain} is not what was planned: {Why}")]
    private static partial void NotThePlan(ILogger log, string chain, Guid payout, string why);

    [LoggerMessage(52, LogLevel.Warning, "The signer refused payout {Payout} on {Chain}: {Code}: {Why}")]
    private static partial void SignerRefused(ILogger log, string chain, Guid payout, string code, string why);
}
