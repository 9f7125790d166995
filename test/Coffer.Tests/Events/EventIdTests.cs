using Coffer.Server.Events;

namespace Coffer.Tests.Events;

public sealed class EventIdTests
{
    [Fact]
    public void An_event_is_named_by_its_account_and_number_and_nobody_elses_name_is_read()
    {
        var (mine, other) = (new AccountId(new Guid("01946921-2e07-7000-8799-aaa0c9d163ca")), new AccountId(new Guid(1, 2, 3, new byte[8])));
        Assert.Equal("evt_019469212e0770008799aaa0c9d163ca_17", EventId.Of(mine, 17));
        Assert.Equal(17, EventId.Read(EventId.Of(mine, 17), mine));
        Assert.All(new[] { EventId.Of(other, 17), "evt_019469212e0770008799aaa0c9d163ca_017", "evt_019469212e0770008799aaa0c9d163ca_", "17", "" },
            text => Assert.Null(EventId.Read(text, mine)));
    }
}
