using System.Security.Cryptography;
using Coffer.Server.Host;

namespace Coffer.Tests.Http;

public sealed class IdsTests
{
    [Fact]
    public void Ids_of_one_millisecond_sort_as_they_were_made()
    {
        var time = new FakeTime(new(2026, 1, 15, 10, 0, 0, TimeSpan.Zero));
        var ids = new Ids(time, RandomNumberGenerator.Fill);
        var made = Enumerable.Range(0, 5_000).Select(_ => ids.New()).ToList();
        Assert.Equal(made.Take(4_096).Order(), made.Take(4_096));
        Assert.Equal(made.Count, made.Distinct().Count());
        Assert.All(made, id => Assert.Equal(7, id.Version));
        Assert.All(made, id => Assert.InRange(IdTimes.Of(id), time.Now, time.Now.AddMilliseconds(1)));
    }

    [Fact]
    public void An_id_after_the_clock_went_back_has_the_clocks_time()
    {
        var time = new FakeTime(new(2026, 1, 15, 10, 0, 0, TimeSpan.Zero));
        var ids = new Ids(time, RandomNumberGenerator.Fill);
        ids.New();
        time.Now = time.Now.AddHours(-1);
        Assert.Equal(time.Now, IdTimes.Of(ids.New()));
        Assert.Equal(time.Now.AddDays(-3), IdTimes.Of(ids.At(time.Now.AddDays(-3))));
    }
}
