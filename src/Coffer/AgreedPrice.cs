using System.Numerics;

namespace Coffer;

/// <summary>What one source says that a whole unit of a currency costs.</summary>
/// <param name="Source">Its name.</param>
/// <param name="Price">US dollars.</param>
/// <param name="At">When that was so.</param>
public sealed record PriceQuote(string Source, UsdPrice Price, DateTimeOffset At);

/// <summary>The price that several sources agree about.</summary>
/// <param name="Price">The median of those that agree.</param>
/// <param name="Spread">How far the highest of them is above the lowest.</param>
/// <param name="At">The time of the newest of them.</param>
/// <param name="Quotes">Those that agree, ordered by source.</param>
public sealed record AgreedPrice(UsdPrice Price, UsdPrice Spread, DateTimeOffset At, IReadOnlyList<PriceQuote> Quotes)
{
    private const int PerMille = 1_000;

    /// <summary>
    /// The median of the quotes, without those that are too far from it; null when too few are left, or not more than half of them. So one
    /// source that says a thousand times too much changes nothing, two that contradict each other give no price, and a price of zero,
    /// which no market has, counts as none.
    /// </summary>
    /// <param name="quotes">One per source, in any order.</param>
    /// <param name="sourcesMin">How many must agree; at least 1.</param>
    /// <param name="deviationPerMille">How far from the median a quote may be, in thousandths of the median.</param>
    public static AgreedPrice? Of(IEnumerable<PriceQuote> quotes, int sourcesMin, int deviationPerMille)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sourcesMin, 1);
        var all = quotes.Where(quote => quote.Price.Scaled > 0).OrderBy(quote => quote.Price.Scaled).ToList();
        if (all.Count == 0)
            return null;
        BigInteger middle = Median(all);
        var near = all.FindAll(quote => BigInteger.Abs(quote.Price.Scaled - middle) * PerMille <= middle * deviationPerMille);
        if (near.Count < sourcesMin || near.Count * 2 <= all.Count)
            return null;
        return new AgreedPrice(new UsdPrice(Median(near)), new UsdPrice(near[^1].Price.Scaled - near[0].Price.Scaled),
            near.Max(quote => quote.At), [.. near.OrderBy(quote => quote.Source, StringComparer.Ordinal)]);
    }

    /// <summary>Of an even number the mean of the two in the middle, rounded half up; without an overflow.</summary>
    private static Int128 Median(List<PriceQuote> ordered)
    {
        var (low, high) = (ordered[(ordered.Count - 1) / 2].Price.Scaled, ordered[ordered.Count / 2].Price.Scaled);
        return low + Rounding.HalfUp(high - low, 2);
    }
}
