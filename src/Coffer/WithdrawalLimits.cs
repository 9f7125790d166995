using System.Globalization;

namespace Coffer;

/// <summary>How much an account may withdraw of a currency. Amounts are what arrives, in smallest units.</summary>
/// <param name="Maximum">At most this in one withdrawal; null for no limit.</param>
/// <param name="DayMaximum">At most this in one UTC day; null for no limit.</param>
/// <param name="ApprovalAbove">More than this waits for an approval; null: nothing does.</param>
public sealed record WithdrawalLimits(Int128? Maximum, Int128? DayMaximum, Int128? ApprovalAbove)
{
    /// <summary>Stands for no limit where a limit must be given: no amount is above it.</summary>
    public static Int128 None => Amount.Max;

    /// <summary>The limits of a currency, each replaced by the account's own where it has one.</summary>
    public static WithdrawalLimits Of(Currency currency, WithdrawalLimits? own) => new(
        Effective(own?.Maximum ?? currency.WithdrawalMaximum), Effective(own?.DayMaximum ?? currency.WithdrawalDayMaximum),
        Effective(own?.ApprovalAbove ?? currency.ApprovalAbove));

    /// <summary>Whether somebody has to approve a withdrawal of this amount.</summary>
    public bool NeedsApproval(Int128 amount) => amount > ApprovalAbove;

    /// <summary>The most that one withdrawal may be when the day has seen this much; null for no limit.</summary>
    public Int128? Left(Int128 used)
    {
        var day = DayMaximum is { } all ? Int128.Max(all - used, 0) : (Int128?)null;
        return Maximum is { } one && day is { } rest ? Int128.Min(one, rest) : Maximum ?? day;
    }

    /// <summary>Why a withdrawal may not be made; null when it may.</summary>
    /// <param name="currency">Its currency.</param>
    /// <param name="amount">What would arrive.</param>
    /// <param name="used">What the day's withdrawals come to without it.</param>
    /// <param name="day">The day, UTC.</param>
    public Refusal? Refuse(Currency currency, Int128 amount, Int128 used, DateOnly day)
    {
        if (amount > Maximum)
            return new(RefusalCode.LimitExceeded, $"One withdrawal of this account pays at most {Text(Maximum.Value)}; send a smaller amount.",
                Details(Maximum.Value, 0, "withdrawal"));
        if (DayMaximum is not { } all || (used <= all && amount <= all - used))
            return null;
        var until = day.AddDays(1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + "T00:00:00Z";
        var details = Details(all, used, "day");
        details["resets_at"] = until;
        return new(RefusalCode.LimitExceeded, $"This account withdraws at most {Text(all)} a day, of which {Text(Int128.Max(all - used, 0))} "
            + $"remain until {until}; send a smaller amount, or wait.", details);

        string Text(Int128 units) => $"{Amount.Short(units, currency.Decimals)} {currency.Code}";

        Dictionary<string, object> Details(Int128 limit, Int128 before, string period) => new()
        {
            ["limit"] = Amount.Short(limit, currency.Decimals),
            ["used"] = Amount.Short(before, currency.Decimals),
            ["remaining"] = Amount.Short(Int128.Max(limit - before, 0), currency.Decimals),
            ["required"] = Amount.Short(amount, currency.Decimals),
            ["currency"] = currency.Code,
            ["period"] = period,
        };
    }

    private static Int128? Effective(Int128? limit) => limit >= None ? null : limit;
}
