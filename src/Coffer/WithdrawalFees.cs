using System.Numerics;

namespace Coffer;

/// <summary>What a withdrawal costs whom; all in smallest units of its currency.</summary>
/// <param name="Requested">The amount that was asked for.</param>
/// <param name="Arrives">What the receiver gets, above 0.</param>
/// <param name="NetworkFee">What is charged for the network, at least 0.</param>
/// <param name="TransactionFee">What the platform charges, at least 0.</param>
public sealed record WithdrawalQuote(Int128 Requested, Int128 Arrives, Int128 NetworkFee, Int128 TransactionFee)
{
    /// <summary>Both fees.</summary>
    public Int128 Fee => NetworkFee + TransactionFee;

    /// <summary>What the wallet gives.</summary>
    public Int128 Deducted => Arrives + Fee;
}

/// <summary>The arithmetic of withdrawal fees: exact, on integers; the one rounding is up, in the platform's fee.</summary>
public static class WithdrawalFees
{
    /// <summary>The whole, in thousandths.</summary>
    public const int PerMilleMax = 1_000;

    /// <summary>
    /// The platform's fee on an amount that is asked for: the flat part and the thousandths of the amount, these rounded up. Null beyond
    /// <see cref="Amount.Max"/>.
    /// </summary>
    public static Int128? Platform(Currency currency, Int128 amount)
    {
        var (thousands, rest) = Int128.DivRem(amount, PerMilleMax);
        // Rounded up: the whole thousands give whole units, so only the rest has a fraction. At most the amount itself.
        var part = (thousands * currency.WithdrawalFeePerMille)
            + (((rest * currency.WithdrawalFeePerMille) + PerMilleMax - 1) / PerMilleMax);
        return Sum(part, currency.WithdrawalFee);
    }

    /// <summary>
    /// What a withdrawal of an amount costs. Null when nothing would arrive, or when a sum is beyond <see cref="Amount.Max"/>.
    /// </summary>
    /// <param name="currency">With its fees.</param>
    /// <param name="amount">What is asked for, above 0 and at most <see cref="Amount.Max"/>.</param>
    /// <param name="networkFee">What is charged for the network, 0 to <see cref="Amount.Max"/>.</param>
    /// <param name="feesOnTop">True: the amount arrives and the fees come on top. False: they come out of the amount.</param>
    public static WithdrawalQuote? Quote(Currency currency, Int128 amount, Int128 networkFee, bool feesOnTop)
    {
        if (Platform(currency, amount) is not { } platform || Sum(platform, networkFee) is not { } fee)
            return null;
        var arrives = feesOnTop ? amount : amount - fee;
        return arrives > 0 && Sum(arrives, fee) is not null ? new WithdrawalQuote(amount, arrives, networkFee, platform) : null;
    }

    /// <summary>The most that can be asked for, fees on top, when the wallet has this much; 0 when the fees alone need more.</summary>
    public static Int128 Most(Currency currency, Int128 available, Int128 networkFee)
    {
        if (Sum(currency.WithdrawalFee, networkFee) is not { } flat || flat >= available)
            return 0;
        // Of a + up(a * f / 1000) <= x the largest a is down(1000 * x / (1000 + f)).
        var share = PerMilleMax + currency.WithdrawalFeePerMille;
        var (parts, rest) = Int128.DivRem(available - flat, share);
        return (parts * PerMilleMax) + (rest * PerMilleMax / share);
    }

    /// <summary>The least that can be asked for so that at least this arrives.</summary>
    /// <param name="currency">With its fees.</param>
    /// <param name="arrives">What shall arrive, above 0.</param>
    /// <param name="networkFee">What is charged for the network.</param>
    /// <param name="feesOnTop">As in <see cref="Quote"/>.</param>
    /// <returns>Null when no amount is enough.</returns>
    public static Int128? Least(Currency currency, Int128 arrives, Int128 networkFee, bool feesOnTop)
    {
        if (feesOnTop)
            return arrives;
        // Of a - up(a * f / 1000) >= x the least a is up(1000 * x / (1000 - f)): the left side never falls while a rises.
        var share = PerMilleMax - currency.WithdrawalFeePerMille;
        if (share == 0)
            return null;
        var wanted = (BigInteger)arrives + currency.WithdrawalFee + networkFee;
        var least = ((wanted * PerMilleMax) + share - 1) / share;
        return least <= Amount.Max ? (Int128)least : null;
    }

    /// <summary>
    /// All fees that the customer bears once the network fee is known: what was reserved where the house bears the difference, else the real
    /// one, never more than was reserved.
    /// </summary>
    /// <param name="currency">Says who bears the difference.</param>
    /// <param name="networkFee">What was reserved for the network.</param>
    /// <param name="transactionFee">The platform's fee.</param>
    /// <param name="paid">This withdrawal's share of what the network took, in smallest units of the chain's coin; null when not known.</param>
    public static Int128 AtSettlement(Currency currency, Int128 networkFee, Int128 transactionFee, Int128? paid) =>
        transactionFee + (currency is { NetworkFeeBearer: NetworkFeeBearer.Customer, Contract: null } && paid is { } real
            ? Int128.Min(real, networkFee) : networkFee);

    private static Int128? Sum(Int128 a, Int128 b) => a <= Amount.Max - b ? a + b : null;
}
