namespace Coffer;

/// <summary>What went in and out in one UTC hour; amounts in smallest units, withdrawals with their fees, both at least 0.</summary>
public readonly record struct HourFlow(
    DateTimeOffset Hour, Int128 Deposits, Int128 Withdrawals, long DepositCount, long WithdrawalCount);

/// <summary>One currency of an account, as the history over all currencies needs it.</summary>
/// <param name="Decimals">The currency's decimals.</param>
/// <param name="Total">The total now, smallest units.</param>
/// <param name="Flows">At least every hour since <see cref="HistoryWindow.From"/>; any order, hours may repeat.</param>
/// <param name="PriceAt">The last price known at an instant; null when none is, or when it is too old.</param>
public sealed record CurrencyFlows(int Decimals, Int128 Total, IReadOnlyList<HourFlow> Flows, Func<DateTimeOffset, UsdPrice?> PriceAt);

/// <summary>One bucket of a history.</summary>
/// <param name="Timestamp">Its start, UTC.</param>
/// <param name="Balance">The total at its close; for the current bucket, now.</param>
/// <param name="Deposits">What came in.</param>
/// <param name="Withdrawals">What went out, fees included.</param>
/// <param name="DepositCount">How many deposits.</param>
/// <param name="WithdrawalCount">How many withdrawals.</param>
/// <param name="UsdCents">The balance in US cents; null when its worth is not known.</param>
public readonly record struct HistoryRow(
    DateTimeOffset Timestamp,
    Int128 Balance,
    Int128 Deposits,
    Int128 Withdrawals,
    long DepositCount,
    long WithdrawalCount,
    Int128? UsdCents);

/// <summary>
/// The summary of a history. Always <c>EndingBalance - StartingBalance = NetChange = TotalDeposits - TotalWithdrawals</c>, and the totals
/// are the sums of the rows. Averages are per day of the period, rounded half up to a smallest unit.
/// </summary>
public sealed record HistorySummary
{
    /// <summary>Just before the first bucket.</summary>
    public required Int128 StartingBalance { get; init; }

    /// <summary>The balance of the last row.</summary>
    public required Int128 EndingBalance { get; init; }

    /// <summary>Sum over the rows.</summary>
    public required Int128 TotalDeposits { get; init; }

    /// <summary>Sum over the rows.</summary>
    public required Int128 TotalWithdrawals { get; init; }

    /// <summary>Deposits less withdrawals; may be negative.</summary>
    public required Int128 NetChange { get; init; }

    /// <summary>Sum over the rows.</summary>
    public required long TotalDepositCount { get; init; }

    /// <summary>Sum over the rows.</summary>
    public required long TotalWithdrawalCount { get; init; }

    /// <summary>Total deposits / 1, 7 or 30.</summary>
    public required Int128 AverageDailyDeposits { get; init; }

    /// <summary>Total withdrawals / 1, 7 or 30.</summary>
    public required Int128 AverageDailyWithdrawals { get; init; }
}

/// <summary>A history as <see cref="History"/> folds it.</summary>
/// <param name="Decimals">Of every amount in rows and summary: the currency's, or 2 for all currencies in US cents.</param>
/// <param name="Rows">Oldest first, one per bucket.</param>
/// <param name="Summary">Over all rows.</param>
public sealed record HistoryReport(int Decimals, IReadOnlyList<HistoryRow> Rows, HistorySummary Summary);
