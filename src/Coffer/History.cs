namespace Coffer;

/// <summary>
/// Makes a history out of the total now and the flows per hour, for nothing else is stored: the close of a bucket is the total now less the
/// net of all later buckets. So a late or reversed deposit is one changed hour, and every bucket is right again.
/// </summary>
public static class History
{
    /// <summary>The history of one currency.</summary>
    /// <param name="window">Its buckets.</param>
    /// <param name="currency">
    /// Total now and flows, read in one snapshot. Hours before the window are left out; one after now (a clock that jumped) counts as now,
    /// so that what it moved is not missing from the sums.
    /// </param>
    public static HistoryReport Fold(HistoryWindow window, CurrencyFlows currency) =>
        Report(window, currency.Decimals, Rows(window, currency));

    /// <summary>
    /// The history over all currencies, every amount in US cents. A row's <c>balance</c> is the sum of the currencies' rounded closing
    /// values, <c>deposits</c> and <c>withdrawals</c> the sums of their rounded values, all at the price known when the bucket closed. A
    /// currency without a price then is left out of that bucket's sums; its movements are still counted. <c>usd_value</c> repeats the
    /// balance, and is null when the account held something and nothing of it had a price (the balance is then <c>0.00</c>).
    /// <para>
    /// Prices move between buckets, so two market values never differ by the flows alone. The ending balance is the market value now, and
    /// the starting balance is what the account would have started with had prices not moved: ending balance less net change. This keeps
    /// <c>ending - starting = net_change = deposits - withdrawals</c> true always, as the contract says; after a fall in prices the
    /// starting balance may therefore be below zero.
    /// </para>
    /// </summary>
    /// <param name="window">Its buckets.</param>
    /// <param name="currencies">Every currency of the account, read in one snapshot; none gives rows of zeros.</param>
    public static HistoryReport FoldAll(HistoryWindow window, IReadOnlyList<CurrencyFlows> currencies)
    {
        var sums = new HistoryRow[window.Count];
        var held = new bool[window.Count];
        var valued = new bool[window.Count];
        for (var i = 0; i < sums.Length; i++)
            sums[i] = new HistoryRow(window.Start(i), 0, 0, 0, 0, 0, null);
        foreach (var currency in currencies)
        {
            var rows = Rows(window, currency, out var prices);
            for (var i = 0; i < rows.Length; i++)
            {
                var row = rows[i];
                held[i] |= row.Balance != 0;
                valued[i] |= row.Balance != 0 && row.UsdCents is not null;
                sums[i] = sums[i] with
                {
                    Balance = sums[i].Balance + (row.UsdCents ?? 0),
                    Deposits = sums[i].Deposits + (Usd.Cents(row.Deposits, currency.Decimals, prices[i]) ?? 0),
                    Withdrawals = sums[i].Withdrawals + (Usd.Cents(row.Withdrawals, currency.Decimals, prices[i]) ?? 0),
                    DepositCount = sums[i].DepositCount + row.DepositCount,
                    WithdrawalCount = sums[i].WithdrawalCount + row.WithdrawalCount,
                };
            }
        }
        for (var i = 0; i < sums.Length; i++)
            sums[i] = sums[i] with { UsdCents = held[i] && !valued[i] ? null : sums[i].Balance };
        return Report(window, Usd.Decimals, sums);
    }

    private static HistoryRow[] Rows(HistoryWindow window, CurrencyFlows currency) => Rows(window, currency, out _);

    private static HistoryRow[] Rows(HistoryWindow window, CurrencyFlows currency, out UsdPrice?[] prices)
    {
        var rows = new HistoryRow[window.Count];
        prices = new UsdPrice?[window.Count];
        foreach (var flow in currency.Flows)
        {
            var bucket = window.Bucket(flow.Hour);
            if (bucket < 0)
                continue;
            ref var row = ref rows[bucket];
            row = row with
            {
                Deposits = row.Deposits + flow.Deposits,
                Withdrawals = row.Withdrawals + flow.Withdrawals,
                DepositCount = row.DepositCount + flow.DepositCount,
                WithdrawalCount = row.WithdrawalCount + flow.WithdrawalCount,
            };
        }
        var balance = currency.Total;
        for (var i = rows.Length - 1; i >= 0; i--)
        {
            prices[i] = currency.PriceAt(window.Close(i));
            rows[i] = rows[i] with
            {
                Timestamp = window.Start(i),
                Balance = balance,
                UsdCents = Usd.Cents(balance, currency.Decimals, prices[i]),
            };
            balance -= rows[i].Deposits - rows[i].Withdrawals;
        }
        return rows;
    }

    private static HistoryReport Report(HistoryWindow window, int decimals, HistoryRow[] rows)
    {
        Int128 deposits = 0, withdrawals = 0;
        long depositCount = 0, withdrawalCount = 0;
        foreach (var row in rows)
        {
            deposits += row.Deposits;
            withdrawals += row.Withdrawals;
            depositCount += row.DepositCount;
            withdrawalCount += row.WithdrawalCount;
        }
        var ending = rows[^1].Balance;
        var change = deposits - withdrawals;
        return new HistoryReport(decimals, rows, new HistorySummary
        {
            StartingBalance = ending - change,
            EndingBalance = ending,
            TotalDeposits = deposits,
            TotalWithdrawals = withdrawals,
            NetChange = change,
            TotalDepositCount = depositCount,
            TotalWithdrawalCount = withdrawalCount,
            AverageDailyDeposits = Rounding.HalfUp(deposits, window.Days),
            AverageDailyWithdrawals = Rounding.HalfUp(withdrawals, window.Days),
        });
    }
}
