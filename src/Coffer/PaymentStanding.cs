namespace Coffer;

/// <summary>How far a payment is (contract 5).</summary>
public enum PaymentStatus
{
    /// <summary>Nothing has come, and there is time.</summary>
    Waiting,

    /// <summary>Enough has come in time; some of it still waits for its confirmations.</summary>
    Confirming,

    /// <summary>Less than expected has come, and there is time.</summary>
    PartiallyPaid,

    /// <summary>Enough has come in time and is confirmed.</summary>
    Completed,

    /// <summary>The time is over and less than expected had come. What came, or comes later, is in the wallet all the same.</summary>
    Expired,

    /// <summary>Enough had come in time, the chain took some of it back for good, and the time is over.</summary>
    Failed,
}

/// <summary>How far one deposit to a payment's address is.</summary>
public enum PaymentDepositState
{
    /// <summary>Waits for a block.</summary>
    Mempool,

    /// <summary>In a block, not confirmed yet.</summary>
    Confirming,

    /// <summary>Confirmed, and available in the wallet.</summary>
    Credited,

    /// <summary>Its block counts no more.</summary>
    Orphaned,

    /// <summary>Kept for a human: it is not what the wallet can be credited with.</summary>
    NotCredited,
}

/// <summary>One deposit of the payment's currency to its address.</summary>
/// <param name="Amount">Smallest units.</param>
/// <param name="State">How far it is.</param>
/// <param name="ArrivedAt">When it was first seen, else the time of its block.</param>
public readonly record struct PaymentDeposit(Int128 Amount, PaymentDepositState State, DateTimeOffset ArrivedAt);

/// <summary>
/// Where a payment stands, as a function of what was expected, what came, and the time: nothing else decides. So a reorganisation takes it
/// back to where it was, and no state can disagree with the deposits.
/// </summary>
/// <param name="Status">The one word.</param>
/// <param name="Confirmed">What came in time and is confirmed; smallest units, as all of these.</param>
/// <param name="Pending">What came in time and is not confirmed yet, payments that wait for a block included.</param>
/// <param name="Late">What arrived after the payment had expired. It is in the wallet, or will be, and completes nothing.</param>
/// <param name="Missing">What is expected still; 0 when enough has come.</param>
/// <param name="Over">What came in time beyond what was expected.</param>
public sealed record PaymentStanding(PaymentStatus Status, Int128 Confirmed, Int128 Pending, Int128 Late, Int128 Missing, Int128 Over)
{
    /// <summary>Decides.</summary>
    /// <param name="expected">More than 0.</param>
    /// <param name="expiresAt">What arrives at this moment is in time; what arrives after it is late.</param>
    /// <param name="deposits">All deposits of the payment's currency to its address, in any order.</param>
    /// <param name="now">The present.</param>
    public static PaymentStanding Of(Int128 expected, DateTimeOffset expiresAt, IEnumerable<PaymentDeposit> deposits, DateTimeOffset now)
    {
        Int128 confirmed = 0, pending = 0, late = 0, gone = 0;
        foreach (var deposit in deposits)
        {
            switch (deposit.State)
            {
                case PaymentDepositState.NotCredited:
                    break;
                case PaymentDepositState.Orphaned:
                    gone = Plus(gone, deposit.ArrivedAt <= expiresAt ? deposit.Amount : 0);
                    break;
                case var _ when deposit.ArrivedAt > expiresAt:
                    late = Plus(late, deposit.Amount);
                    break;
                case PaymentDepositState.Credited:
                    confirmed = Plus(confirmed, deposit.Amount);
                    break;
                default:
                    pending = Plus(pending, deposit.Amount);
                    break;
            }
        }

        var came = Plus(confirmed, pending);
        var status = confirmed >= expected ? PaymentStatus.Completed
            : came >= expected ? PaymentStatus.Confirming
            : now > expiresAt ? (gone > 0 && Plus(came, gone) >= expected ? PaymentStatus.Failed : PaymentStatus.Expired)
            : came > 0 ? PaymentStatus.PartiallyPaid : PaymentStatus.Waiting;
        return new PaymentStanding(status, confirmed, pending, late, Int128.Max(0, expected - came), Int128.Max(0, came - expected));
    }

    // What waits for a block, or was taken back, the ledger has not bounded: beyond its digits a sum stays at the largest figure there is.
    private static Int128 Plus(Int128 a, Int128 b) => a > Amount.Max - b ? Amount.Max : a + b;

    /// <summary>The amount that is worth so many US cents at a price, rounded up to the currency's smallest unit.</summary>
    /// <param name="cents">More than 0.</param>
    /// <param name="decimals">The currency's, 0 to 30.</param>
    /// <param name="price">Of one whole unit.</param>
    /// <returns>Null when the price is zero, or the amount has more than the ledger's 38 digits.</returns>
    public static Int128? AmountFor(Int128 cents, int decimals, UsdPrice price)
    {
        if (price.Scaled <= 0)
            return null;
        // cents / 100 dollars / (scaled / 10^18) * 10^decimals
        var numerator = cents * System.Numerics.BigInteger.Pow(10, UsdPrice.Decimals - Usd.Decimals + decimals);
        var amount = (numerator + price.Scaled - 1) / price.Scaled;
        return amount <= (System.Numerics.BigInteger)Amount.Max ? (Int128)amount : null;
    }
}
