using Coffer.Chains;
using Coffer.Server.Auth;
using Coffer.Server.Chain;
using Coffer.Tests.Chains.Evm;
using Coffer.Tests.Http;
using Coffer.Tests.Payouts;

namespace Coffer.Tests.Dashboard;

/// <summary>The switch that stops all withdrawals, and who reaches it; how the server's chains and hot wallets stand.</summary>
public sealed class OperatorPageTests(TestCluster cluster, NodeFolder folder)
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
        foreach (var handler in new[] { "Thaw", "Prove", "Freeze" })
            Assert.Equal((handler, 403), (handler, (await owner.Submit("/", $"{page}?handler={handler}", ("reason", "x"))).Status));
        Assert.Equal(422, (await payer.Withdraw("15")).Status);
        Assert.Equal(302, (await op.Submit(page, page + "?handler=Thaw")).Status);
        Assert.Equal(201, (await payer.Withdraw("15")).Status);
    }

    [Fact]
    public async Task The_operator_sees_which_nodes_answer_what_the_hot_wallet_holds_and_that_both_are_proven()
    {
        await using var chain = await EvmWorld.Start(folder);
        await chain.Node.Pay(TestHotKey.Address, 5 * EvmWorld.Coin);
        await chain.Node.Mine();
        var entry = new ChainEntry
        {
            Id = "anvil",
            Kind = ChainKind.Evm,
            Network = "ETH",
            Nodes = [new Uri("http://127.0.0.1:1"), chain.Node.Url],
            ChainId = EvmWorld.ChainId,
            Start = 0,
            Poll = TimeSpan.FromSeconds(1),
            Hot = new HotEntry { Address = TestHotKey.Address, FeeMax = 1 },
        };
        var ether = World.AllCurrencies.Find("ETH");
        await using var world = await World.StartWith(cluster.NewDatabase(), [entry], ChainFactory.Make, new Currencies([ether]));
        var op = await Browser.SignedIn(await world.Account(), "op", Role.Operator);
        await op.Sees("/dashboard/operator", "<div>127.0.0.1:1 <span class=\"badge bad\">", $"<div>{chain.Node.Url.Authority} <span class=\"badge good\">",
            TestHotKey.Address, "<th scope=\"row\">ETH</th><td class=\"n\">5.00</td>");
        Assert.Equal(302, (await op.Submit("/dashboard/operator", "/dashboard/operator?handler=Prove")).Status);
        await op.Sees("/dashboard/operator", "<th scope=\"row\">Ledger</th><td><span class=\"badge good\">Holds</span>",
            "<th scope=\"row\">Deposits on anvil</th><td><span class=\"badge good\">Holds</span>",
            "<th scope=\"row\">Hot wallet on anvil</th><td><span class=\"badge good\">Holds</span>");
    }
}
