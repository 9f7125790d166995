using System.Numerics;

namespace Coffer.Tests.Rules;

/// <summary>When a balance is low, when it is back, and how long it lasts.</summary>
public sealed class LowBalanceTests
{
    private static readonly DateTimeOffset Noon = new(2025, 1, 15, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(AlertState.Ok, 100, AlertState.Ok)]
    [InlineData(AlertState.Ok, 99, AlertState.Low)]
    [InlineData(AlertState.Low, 100, AlertState.Low)]
    [InlineData(AlertState.Low, 109, AlertState.Low)]
    [InlineData(AlertState.Low, 110, AlertState.Ok)]
    [InlineData(AlertState.Ok, 105, AlertState.Ok)]
    public void Low_is_less_than_the_threshold_and_ok_the_recovery_threshold_or_more(AlertState before, int available, AlertState after) =>
        Assert.Equal(after, LowBalance.Next(before, available, 100, 110));

    [Theory]
    [InlineData("100", "110")]
    [InlineData("1", "2")]
    [InlineData("10", "11")]
    [InlineData("11", "13")]
    [InlineData("90000000000000000000000000000000000000", "99000000000000000000000000000000000000")]
    [InlineData("99999999999999999999999999999999999999", "99999999999999999999999999999999999999")]
    public void The_usual_recovery_threshold_is_110_percent_rounded_up_and_fits(string threshold, string recovery) =>
        Assert.Equal(Int128.Parse(recovery), LowBalance.RecoveryUsual(Int128.Parse(threshold)));

    [Theory]
    [InlineData(50, 100, 100, 100, "2025-01-16T00:00:00")] // half a day's outflow is half a day
    [InlineData(50, 0, 700, 100, "2025-01-16T00:00:00")] // a quiet day after a busy week
    [InlineData(50, 0, 1, 1, "2025-03-06T12:00:00")] // a mean below one unit is one
    [InlineData(0, 100, 100, 100, "2025-01-15T12:00:00")]
    [InlineData(10, 3, 3, 3, "2025-01-18T20:00:00")]
    public void What_is_available_lasts_as_long_as_the_faster_rate_lets_it(int available, int day, int week, int perDay, string empty)
    {
        var forecast = Forecast.Of(available, day, week, Noon)!;
        Assert.Equal(((Int128)perDay, empty), (forecast.OutflowPerDay, forecast.EmptyAt!.Value.ToString("yyyy-MM-dd'T'HH:mm:ss")));
    }

    [Fact]
    public void Where_nothing_leaves_there_is_no_forecast_and_beyond_ten_years_no_time()
    {
        Assert.Null(Forecast.Of(100, 0, 0, Noon));
        Assert.Null(Forecast.Of(100, -5, -5, Noon));
        Assert.Equal(new Forecast(1, Noon.AddDays(3_650)), Forecast.Of(3_650, 1, 1, Noon));
        Assert.Equal(new Forecast(1, null), Forecast.Of(3_651, 1, 1, Noon));
        // More than any amount has digits for.
        Assert.Equal(new Forecast(Amount.Max, Noon.AddDays(2)), Forecast.Of((BigInteger)Amount.Max * 2, (BigInteger)Amount.Max * 5, 0, Noon));
    }

    [Fact]
    public void The_windows_are_hours_and_count_the_running_one()
    {
        var (day, week) = Forecast.Windows(Noon.AddMinutes(59));
        Assert.Equal((Noon.AddHours(-23), Noon.AddHours(-167)), (day, week));
    }
}
