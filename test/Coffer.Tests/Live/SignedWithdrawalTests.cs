using System.Text.Json;
using Coffer.Server.Sql;
using Coffer.Tests.Chains.Evm;
using Coffer.Tests.Signer;

namespace Coffer.Tests.Live;

/// <summary>Withdrawals through both real processes, the server and its signer, on a real node.</summary>
public sealed class SignedWithdrawalTests(NodeFolder node)
{
    // m/44'/60'/1' of the test phrase "test test ... junk".
    private const string EvmKey =
        "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76";

    private const string Payee = "0x3535353535353535353535353535353535353535";

    [Fact]
    public async Task What_the_signer_allows_is_paid_once_and_what_it_does_not_stays_where_it_is()
    {
        await using var chain = await EvmWorld.Start(node);
        using var world = new SignerWorld();
        var hot = world.Key("anvil").Address;
        world.Stop();
        using var coffer = await LiveServer.Start(
            new object[]
            {
                new
                {
                    id = "anvil", kind = "evm", network = "ETH", nodes = new[] { chain.Node.Url }, chain_id = SignerWorld.ChainId, xpub = EvmKey, start = 0,
                    poll_seconds = 1,
                    hot = new { address = hot, fee_max = "0.01", signer = $"unix:{world.In("signer.sock")}", secret_file = world.In("secret") },
                },
            },
            [new { code = "ETH", name = "Ether", network = "ETH", token = "ETH", decimals = 18, confirmations = 2 }]);
        await chain.Node.Pay(hot, 5 * EvmWorld.Coin);
        await node.Run("pay.mjs", ("NODE_URL", chain.Node.Url.ToString()), ("TO", await coffer.Address("ETH")), ("VALUE", "4000000000000000000"), ("TOKEN", ""));
        await chain.Node.Mine(3);
        await coffer.Await("eth", "4.00", "0.00");

        // Nobody signs yet: it waits, and goes on by itself.
        var first = await Withdraw(coffer, "0.75");
        await Becomes(coffer, first, "processing");
        using var signer = await SignerProcess.Start(world);
        await Becomes(coffer, first, "submitted");
        await chain.Node.Mine(2);
        await Becomes(coffer, first, "completed");
        Assert.Equal("0xa688906bd8b0000", (await chain.Node.Call("eth_getBalance", Payee, "latest")).GetString());

        // More than the signer lets out in one transaction: refused there, whatever the server thinks of it.
        var large = await Withdraw(coffer, "1.25");
        await LiveServer.Until(() => Task.FromResult(world.Log().Any(line =>
            line.GetProperty("event").GetString() == "refused" && line.GetProperty("code").GetString() == "over_transaction_limit")));
        var second = await Withdraw(coffer, "0.25");
        await Becomes(coffer, second, "submitted");
        await coffer.Kill();
        await signer.Binary.Signal(Postmaster.Kill);
        using var again = await SignerProcess.Start(world);
        await coffer.Up();
        await chain.Node.Mine(2);
        await Becomes(coffer, second, "completed");
        Assert.Contains(await State(coffer, large), (string[])["pending", "processing"]);
        Assert.Equal("0xde0b6b3a7640000", (await chain.Node.Call("eth_getBalance", Payee, "latest")).GetString());
        Assert.Equal(0, (await coffer.Run("verify")).Status);
    }

    private static async Task<string> Withdraw(LiveServer coffer, string amount) => Text(await coffer.Send(
        HttpMethod.Post, "/withdrawal/", new { account_id = coffer.Wallet, address = Payee, amount, currency = "ETH" }), "id");

    private static async Task<string> State(LiveServer coffer, string id) => Text(await coffer.Get($"/withdrawal/{id}/"), "status");

    private static async Task Becomes(LiveServer coffer, string id, string state)
    {
        var seen = "";
        await LiveServer.Until(async () => (seen = await State(coffer, id)) == state, () => $"{id} is {seen}, not {state}");
    }

    private static string Text(JsonElement element, string member) => element.GetProperty(member).GetString()!;
}
