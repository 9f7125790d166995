using Coffer.Server.Auth;
using Coffer.Tests.Http;

namespace Coffer.Tests.Dashboard;

/// <summary>The switch that stops all withdrawals, and who reaches it.</summary>
public sealed class OperatorPageTests(TestCluster cluster)
{
    [Fact]
    public async Task The_operator_stops_all_withdrawals_and_lets_them_go_on_and_nobody_else_does()
    {
        await using var world = await World.Start(cluster);
        var payer = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var (owner, op) = (await Browser.SignedIn(payer.Account), await Browser.SignedIn(await world.Account(), "op", Role.Operator));
        const string page = "/dashboard/operator";
        Task<Got> Freeze(Browser browser, string from) => browser.Submit(from, page + "?handler=Freeze", ("reason", "keys may be stolen"));
        Assert.Equal(403, (await Freeze(owner, "/")).Status);
        Assert.Equal(201, (await payer.Withdraw("15")).Status);
        Assert.Equal(422, (await op.Submit(page, page + "?handler=Freeze", ("reason", " "))).Status);
        Assert.Equal(302, (await Freeze(op, page)).Status);
        Assert.Equal((422, "account_frozen"), ((await payer.Withdraw("15")).Status, (await payer.Withdraw("15")).ErrorCode));
        Assert.Contains("by user:op: keys may be stolen", (await op.Get(page)).Text);
        foreach (var handler in new[] { "Thaw", "Verify", "Freeze" })
            Assert.Equal((handler, 403), (handler, (await owner.Submit("/", $"{page}?handler={handler}", ("reason", "x"))).Status));
        Assert.Equal(422, (await payer.Withdraw("15")).Status);
        Assert.Equal(302, (await op.Submit(page, page + "?handler=Thaw")).Status);
        Assert.Equal(201, (await payer.Withdraw("15")).Status);
    }
}
