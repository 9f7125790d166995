using System.Globalization;
using Coffer.Chains;
using Coffer.Chains.Payouts;

namespace Coffer.Server.Signer;

/// <summary>
/// Decides whether a transaction may be signed, from what its bytes say, what the request claims, what the operator allows and what was
/// signed before. Pure: the same answers for the same things. Null: it may.
/// </summary>
internal static class CheckPayout
{
    /// <summary>How long after its expiration by the signer's clock a transaction of Tron counts as gone: clocks differ, and chains pause.</summary>
    public static readonly TimeSpan ExpiredMargin = TimeSpan.FromMinutes(5);

    public static SigningRefusal? WhyNot(SigningRequest request, SignerChain chain, PayoutReading reading, SignedEntry entry,
        SignerMemory memory, DateTimeOffset now) =>
        OfChain(chain, reading) ?? OfOutputs(request, chain, reading) ?? OfFee(request, chain, entry, memory, now)
        ?? OfCoins(chain, reading, memory) ?? OfWithdrawals(request, chain, entry, memory, now) ?? OfLimits(chain, entry, memory, now);

    private static SigningRefusal? OfChain(SignerChain chain, PayoutReading reading) => reading.ChainId == chain.ChainId ? null
        : No(SigningRefusalCode.UnknownChain, $"The bytes are for the chain {reading.ChainId}, not for {chain.Id}, which is {chain.ChainId}");

    private static SigningRefusal? OfOutputs(SigningRequest request, SignerChain chain, PayoutReading reading)
    {
        if (request.Withdrawals.Count == 0 && reading.Outputs.Count == 0)
            return chain.Kind == ChainKind.Evm ? null : No(SigningRefusalCode.NotAPayment, "The bytes pay nobody");
        if (request.Withdrawals.Select(one => one.Id).Distinct(StringComparer.Ordinal).Count() != request.Withdrawals.Count)
            return No(SigningRefusalCode.NotThisPlan, "A withdrawal is named twice");
        var left = reading.Outputs.ToList();
        foreach (var (id, stated) in request.Withdrawals)
        {
            if (left.Remove(stated))
                continue;
            return left.Any(output => output.Address == stated.Address && output.Asset == stated.Asset)
                ? No(SigningRefusalCode.OtherAmount, $"The bytes pay another amount to {stated.Address} than the withdrawal {id} says")
                : No(SigningRefusalCode.OtherDestination, $"The bytes do not pay {stated.Address}, as the withdrawal {id} says");
        }

        if (left.Count > 0)
            return No(SigningRefusalCode.OtherDestination, $"The bytes also pay {left[0].Address}, which no withdrawal names");
        return chain.Allow is { } allow && reading.Outputs.FirstOrDefault(output => !allow.Contains(output.Address)) is { } stranger
            ? No(SigningRefusalCode.OtherDestination, $"{stranger.Address} is not among the addresses that the signer's file allows") : null;
    }

    private static SigningRefusal? OfFee(
        SigningRequest request, SignerChain chain, SignedEntry entry, SignerMemory memory, DateTimeOffset now)
    {
        var decimals = ChainEntry.DecimalsOf(chain.Kind);
        if (entry.Fee > chain.FeeMax)
            return No(SigningRefusalCode.FeeAboveCap, $"It may cost {Text(entry.Fee, decimals)}, above the signer's fee_max of "
                + $"{Text(chain.FeeMax, decimals)} on {chain.Id}");
        if (entry.Fee > request.FeeMax)
            return No(SigningRefusalCode.FeeAboveCap, $"It may cost {Text(entry.Fee, decimals)}, above the {Text(request.FeeMax, decimals)} "
                + "that the request allows");
        return SignerMemory.Sum(memory.FeesOn(now, chain.Id), memory.FeeMore(entry)) > chain.FeePerDay
            ? No(SigningRefusalCode.OverDayLimit, $"The fees of today would come to more than {Text(chain.FeePerDay, decimals)} on {chain.Id}")
            : null;
    }

    // A signature on Bitcoin covers what its own input is worth, not what the others are: who is asked twice with different amounts could
    // be made to give away the difference as a fee.
    private static SigningRefusal? OfCoins(SignerChain chain, PayoutReading reading, SignerMemory memory) =>
        reading.Claim.Coins.FirstOrDefault(coin => memory.Coin(chain.Id, coin) is { } known && known != coin.Amount) is { } other
            ? No(SigningRefusalCode.NotThisPlan, $"The input {other.TxId}:{other.Ordinal} was worth another amount when it was first signed")
            : null;

    private static SigningRefusal? OfWithdrawals(
        SigningRequest request, SignerChain chain, SignedEntry entry, SignerMemory memory, DateTimeOffset now)
    {
        foreach (var (id, output) in request.Withdrawals)
        {
            if (memory.Withdrawal(id) is not { } paid)
                continue;
            if (paid.Chain != chain.Id)
                return No(SigningRefusalCode.AlreadyPaid, $"The withdrawal {id} was signed on {paid.Chain}");
            if (paid.Output != output)
                return No(SigningRefusalCode.NotThisPlan, $"The withdrawal {id} was {paid.Output.Amount} to {paid.Output.Address} when it was first signed");
            if (paid.Claims.FirstOrDefault(claim => MayBoth(claim, entry, now)) is { } other)
            {
                var why = $"The withdrawal {id} was signed in {other.TxId}, which may be mined beside this one";
                return other.ExpiresAt is { } end && other.From == entry.From
                    ? No(SigningRefusalCode.NotYet, $"{why} until {end + ExpiredMargin:u}") : No(SigningRefusalCode.AlreadyPaid, why);
            }
        }

        return null;
    }

    // Whether both could be mined. Each earlier one is asked: to share an input with one of them does not exclude the others.
    private static bool MayBoth(SignedEntry earlier, SignedEntry next, DateTimeOffset now) =>
        earlier.From != next.From
        || (earlier.Plan != next.Plan
            && (earlier.Nonce is null || earlier.Nonce != next.Nonce)
            && !earlier.Coins.Any(coin => next.Coins.Any(other => (other.TxId, other.Ordinal) == (coin.TxId, coin.Ordinal)))
            && (earlier.ExpiresAt is not { } end || end + ExpiredMargin >= now));

    private static SigningRefusal? OfLimits(SignerChain chain, SignedEntry entry, SignerMemory memory, DateTimeOffset now)
    {
        foreach (var group in entry.Withdrawals.GroupBy(one => one.Output.Asset ?? SignerChain.Coin))
        {
            if (!chain.Assets.TryGetValue(group.Key, out var limit))
                return No(SigningRefusalCode.OverTransactionLimit, $"The signer's file sets no limit for {group.Key} on {chain.Id}, so none of it may leave");
            var total = group.Aggregate(Int128.Zero, (sum, one) => SignerMemory.Sum(sum, one.Output.Amount));
            if (total > limit.PerTransaction)
                return No(SigningRefusalCode.OverTransactionLimit, $"{Text(total, limit.Decimals)} of {group.Key} are more than the "
                    + $"{Text(limit.PerTransaction, limit.Decimals)} that one transaction may pay on {chain.Id}");
        }

        foreach (var group in memory.New(entry).GroupBy(one => one.Output.Asset ?? SignerChain.Coin))
        {
            var limit = chain.Assets[group.Key];
            var total = group.Aggregate(memory.SpentOn(now, chain.Id, group.Key), (sum, one) => SignerMemory.Sum(sum, one.Output.Amount));
            if (total > limit.PerDay)
                return No(SigningRefusalCode.OverDayLimit, $"{Text(total, limit.Decimals)} of {group.Key} would have left today, more than the "
                    + $"{Text(limit.PerDay, limit.Decimals)} that one day may pay on {chain.Id}");
        }

        return null;
    }

    private static string Text(Int128 amount, int decimals) => Amount.Short(amount, decimals);

    private static SigningRefusal No(SigningRefusalCode code, FormattableString why) => new(code, $"{why.ToString(CultureInfo.InvariantCulture)}.");

    private static SigningRefusal No(SigningRefusalCode code, string why) => new(code, $"{why}.");
}
