using Coffer.Chains.Payouts;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// What a replacement costs (BIP125): the same inputs and payments, more fee out of the change. It must pay more than what it replaces by
/// at least the relay fee for its own size (rule 4), else nodes keep the old one. No input is added: all attempts share one claim, and
/// an input that an earlier attempt does not have would not bind it.
/// </summary>
internal static class BumpFee
{
    /// <summary>What nodes ask for passing on a replacement, in satoshi for 1,000 virtual bytes (Core's incremental relay fee).</summary>
    public const long RelayRate = 1_000;

    /// <summary>The new fee and change, or why there is none.</summary>
    /// <param name="inputs">What the inputs are worth, in satoshi.</param>
    /// <param name="paid">The sum of the payments.</param>
    /// <param name="oldFee">What the replaced transaction costs.</param>
    /// <param name="size">The transaction with its inputs and without change, in virtual bytes.</param>
    /// <param name="rate">The rate that is wanted now, in satoshi for 1,000 virtual bytes.</param>
    /// <param name="feeMax">The most that it may cost.</param>
    public static (long Fee, long Change, NoPlan? WhyNot) For(long inputs, long paid, long oldFee, int size, long rate, long feeMax)
    {
        var left = inputs - paid;
        var fee = Least(size + BitcoinSize.Change);
        var change = left - fee;
        if (change < BitcoinLimits.DustOfChange)
        {
            // The change is used up: what is left of it goes to the miner.
            if (left < Least(size))
                return (0, 0, NoPlan.TooLittleForFee);
            (fee, change) = (left, 0);
        }

        return ChooseCoins.MayCost(fee, paid, feeMax) ? (fee, change, null) : (0, 0, NoPlan.FeeAboveMax);

        long Least(int bytes) => Math.Max(BitcoinSize.Fee(bytes, rate), oldFee + BitcoinSize.Fee(bytes, RelayRate));
    }
}
