using System.Text.Json;
using Coffer.Tests.Chains.Bitcoin;
using Coffer.Tests.Chains.Evm;

namespace Coffer.Tests.Live;

/// <summary>
/// Live mode from end to end: real nodes, the real program, addresses as a customer gets them, payments as strangers make them, figures as
/// customers see them.
/// </summary>
public sealed class LiveChainTests(NodeFolder node)
{
    // m/44'/60'/1' and, on regtest, m/84'/1'/0' of the test phrase "test test ... junk", as ethers and bcoin print them.
    private const string EvmKey =
        "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76";

    private const string BitcoinKey =
        "tpubDCTawRj1voCsGHoKQopGdxi1UXEfy8eeogsbA7SxDL1j7tvTfwdF6jQNSneAQw5a2x29XY6PWbnKMx68oM7BYoew8eRySvVaLZxkrBzWr4A";

    private static readonly object Ether = new { code = "ETH", name = "Ether", network = "ETH", token = "ETH", decimals = 18, confirmations = 3 };

    [Fact]
    public async Task Ether_and_a_token_go_from_incoming_to_available_through_kills_and_a_reorg_takes_them_away()
    {
        await using var chain = await EvmWorld.Start(node);
        using var coffer = await LiveServer.Start(new[] { Evm(chain.Node.Url) },
        [
            Ether,
            new { code = "USDTERC20", name = "Tether", network = "ETH", token = "USDT", decimals = 6, confirmations = 3, contract = chain.Tether },
        ]);
        var (ether, token) = (await coffer.Address("ETH"), await coffer.Address("USDTERC20"));
        Assert.NotEqual(ether, token);
        var hash = await Pay(chain, ether, "1500000000000000000");
        await chain.Node.Mine();
        await Pay(chain, token, "2500000", chain.Tether);
        await chain.Node.Mine();
        await coffer.Await("eth", "1.50", "1.50");
        await coffer.Await("usdterc20", "2.50", "2.50");
        var line = (await coffer.Get($"/deposits/{hash}")).GetProperty("deposits")[0];
        Assert.Equal((2, 3), (line.GetProperty("confirmations").GetInt32(), line.GetProperty("required_confirmations").GetInt32()));

        await coffer.Kill();
        await chain.Node.Mine();
        await coffer.Up();
        await coffer.Await("eth", "1.50", "0.00");
        await coffer.Await("usdterc20", "2.50", "2.50");
        await chain.Node.Mine();
        await coffer.Await("usdterc20", "2.50", "0.00");
        Assert.Equal(("2.500000", "0.000000"), await Totals(coffer, "USDTERC20"));
        Assert.Equal("2.500000", await DepositedToday(coffer, "USDTERC20"));
        Assert.Equal(0, (await coffer.Run("reconcile")).Status);

        await chain.Node.Reorg(4);
        await chain.Node.Mine();
        await coffer.Await("eth", "0.00", "0.00");
        await coffer.Await("usdterc20", "0.00", "0.00");
        Assert.Equal("0.000000", await DepositedToday(coffer, "USDTERC20"));
        Assert.Equal(0, (await coffer.Run("verify")).Status);
        Assert.Equal(0, (await coffer.Run("reconcile")).Status);
    }

    [Fact]
    public async Task Bitcoin_is_seen_counts_from_its_block_on_and_goes_with_a_reorg()
    {
        await using var bitcoin = await Bcoin.Start(node);
        using var coffer = await LiveServer.Start(
            new object[]
            {
                new { id = "bitcoin", kind = "bitcoin", network = "BTC", bitcoin_network = "regtest", nodes = new[] { bitcoin.Url }, xpub = BitcoinKey, poll_seconds = 1 },
            },
            [new { code = "BTC", name = "Bitcoin", network = "BTC", token = "BTC", decimals = 8, confirmations = 2 }]);
        var payment = await coffer.Send(HttpMethod.Post, "/payments/", new { amount = "0.05", currency = "BTC" });
        var address = payment.GetProperty("address").GetString()!;
        Assert.StartsWith("bcrt1q", address, StringComparison.Ordinal);
        var txId = await bitcoin.Pay((address, 5_000_000));
        await Stands(coffer, payment, "confirming", "mempool");
        Assert.Null(await coffer.Balance("btc"));
        await bitcoin.Mine();
        await coffer.Await("btc", "0.05", "0.05");
        await Stands(coffer, payment, "confirming", "confirming");
        await bitcoin.Mine();
        await coffer.Await("btc", "0.05", "0.00");
        await Stands(coffer, payment, "completed", "credited");
        Assert.Equal(("0.05000000", "0.00000000"), await Totals(coffer, "BTC"));
        Assert.Equal("credited", (await coffer.Get($"/deposits/{txId}")).GetProperty("deposits")[0].GetProperty("status").GetString());
        Assert.Equal(0, (await coffer.Run("chain", "status")).Status);
        Assert.Equal(0, (await coffer.Run("reconcile")).Status);

        await bitcoin.Reorg(2, drop: true);
        await coffer.Await("btc", "0.00", "0.00");
        await Stands(coffer, payment, "waiting", "orphaned");
        Assert.Equal(0, (await coffer.Run("verify")).Status);
    }

    private static object Evm(Uri url) =>
        new { id = "ethereum", kind = "evm", network = "ETH", nodes = new[] { url }, chain_id = 31337, xpub = EvmKey, start = 0, poll_seconds = 1 };

    /// <summary>Waits until a payment and its deposit stand there.</summary>
    private static async Task Stands(LiveServer coffer, JsonElement payment, string status, string deposit)
    {
        var seen = "";
        await LiveServer.Until(async () =>
        {
            var now = await coffer.Get($"/payments/{payment.GetProperty("id").GetString()}/");
            var deposits = now.GetProperty("deposits").EnumerateArray().Select(one => one.GetProperty("status").GetString());
            seen = $"{now.GetProperty("status").GetString()}: {string.Join(", ", deposits)}";
            return seen == $"{status}: {deposit}";
        }, () => $"The payment is {seen}, not {status}: {deposit}");
    }

    private async Task<string> Pay(EvmWorld chain, string to, string value, string token = "") =>
        (await node.Run("pay.mjs", ("NODE_URL", chain.Node.Url.ToString()), ("TO", to), ("VALUE", value), ("TOKEN", token))).Trim();

    private static async Task<(string Balance, string Pending)> Totals(LiveServer coffer, string currency)
    {
        var balances = (await coffer.Get($"/user/balances/?currency={currency}")).GetProperty("balances");
        var line = balances.EnumerateArray().Single();
        return (line.GetProperty("available_balance").GetString()!, line.GetProperty("pending_balance").GetString()!);
    }

    private static async Task<string> DepositedToday(LiveServer coffer, string currency)
    {
        JsonElement history = await coffer.Get($"/user/balances/history/?currency={currency}&period=24h&interval=daily");
        return history.GetProperty("summary").GetProperty("total_deposits").GetString()!;
    }
}
