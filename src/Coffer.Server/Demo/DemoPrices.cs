namespace Coffer.Server.Demo;

/// <summary>A price for every hour of the thirty days, as a walk that ends exactly in the figures of the seed.</summary>
internal static class DemoPrices
{
    /// <summary>US dollars at the end, and how far an hour may go, in parts per million.</summary>
    private static readonly (string Currency, string Usd, int Step)[] _last =
    [
        ("USDTERC20", "0.9999", 20), ("USDCERC20", "1.0001", 15), ("ETH", "2345.258", 4_000), ("BTC", "64250.00", 3_000),
        ("USDTTRC20", "0.9999", 20),
    ];

    /// <summary>Each currency with its prices, oldest first; the last is of <paramref name="end"/> itself.</summary>
    public static IEnumerable<(string Currency, List<(DateTimeOffset At, UsdPrice Price)> Hours)> Of(DateTimeOffset end)
    {
        foreach (var (currency, usd, step) in _last)
        {
            UsdPrice.TryParse(usd, out var price);
            var (at, dice) = (end, (uint)currency.Length * 977);
            var hours = new List<(DateTimeOffset, UsdPrice)>();
            // Backwards from the figure that must come out, drawn back to it so that it does not stray for ever.
            for (var scaled = price.Scaled; at >= DemoTimeline.Start(end); at = Before(at))
            {
                hours.Add((at, new UsdPrice(scaled)));
                dice = unchecked((dice * 1_664_525) + 1_013_904_223);
                var change = (int)((dice >> 8) % (uint)((2 * step) + 1)) - step;
                scaled += (scaled / 1_000_000 * change) + ((price.Scaled - scaled) / 100);
                scaled -= scaled % 1_000_000_000_000;
            }

            hours.Reverse();
            yield return (currency, hours);
        }
    }

    /// <summary>The last second of the hour before.</summary>
    private static DateTimeOffset Before(DateTimeOffset at) =>
        new DateTimeOffset(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero).AddSeconds(-1);
}
