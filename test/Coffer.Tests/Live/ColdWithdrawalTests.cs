using System.Text.Json;
using Coffer.Tests.Chains.Bitcoin;
using Coffer.Tests.Chains.Evm;

namespace Coffer.Tests.Live;

/// <summary>
/// Hot wallets without a signer: the transaction is exported, signed by a wallet of another make that knows nothing of Coffer, imported,
/// and paid by the real program on a real node.
/// </summary>
public sealed class ColdWithdrawalTests(NodeFolder node)
{
    // m/44'/60'/1' of the test phrase "test test ... junk".
    private const string EvmKey =
        "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76";

    // m/84'/1'/0' of the same phrase, on regtest.
    private const string BitcoinKey =
        "tpubDCTawRj1voCsGHoKQopGdxi1UXEfy8eeogsbA7SxDL1j7tvTfwdF6jQNSneAQw5a2x29XY6PWbnKMx68oM7BYoew8eRySvVaLZxkrBzWr4A";

    private const string Secret = "0x4646464646464646464646464646464646464646464646464646464646464646";
    private const string Hot = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
    private const string Stranger = "0x3535353535353535353535353535353535353535";

    [Fact]
    public async Task An_ether_withdrawal_is_signed_by_ethers_and_paid_once()
    {
        await using var chain = await EvmWorld.Start(node);
        using var coffer = await LiveServer.Start(
            new object[]
            {
                new
                {
                    id = "ethereum", kind = "evm", network = "ETH", nodes = new[] { chain.Node.Url }, chain_id = 31337, xpub = EvmKey, start = 0,
                    poll_seconds = 1, hot = new { address = Hot, fee_max = "0.05" },
                },
            },
            [new { code = "ETH", name = "Ether", network = "ETH", token = "ETH", decimals = 18, confirmations = 2 }]);
        await chain.Node.Pay(Hot, 5 * EvmWorld.Coin);
        await node.Run("pay.mjs", ("NODE_URL", chain.Node.Url.ToString()), ("TO", await coffer.Address("ETH")), ("VALUE", "2000000000000000000"), ("TOKEN", ""));
        await chain.Node.Mine(3);
        await coffer.Await("eth", "2.00", "0.00");

        var id = await Withdraw(coffer, Stranger, "1.5", "ETH");
        var exported = await Export(coffer, id);
        Assert.Equal(("rlp", 0), (Text(exported, "format"), exported.GetProperty("nonce").GetInt32()));
        var pays = Assert.Single(exported.GetProperty("pays").EnumerateArray());
        Assert.Equal((id, Stranger, "1.50", "ETH"), (Text(pays, "withdrawal_id"), Text(pays, "address"), Text(pays, "amount"), Text(pays, "currency")));

        // Another key, and another transaction of the right one: refused, nothing is stored.
        var unsigned = Text(exported, "unsigned");
        await Refused(coffer, id, Text(await Sign(unsigned, "0x" + new string('4', 64)), "signed"), "not by the hot wallet");
        var other = unsigned.Replace("3535353535", "3535353536", StringComparison.Ordinal);
        await Refused(coffer, id, Text(await Sign(other, Secret), "signed"), "not the one that was planned");
        await Refused(coffer, id, "no transaction", "neither hex nor Base64");
        Assert.Equal(unsigned, Text(await Export(coffer, id), "unsigned"));

        var signed = await Sign(unsigned, Secret);
        Assert.Equal((Hot, Stranger, "1500000000000000000"), (Text(signed, "from"), Text(signed, "to"), Text(signed, "value")));
        Assert.Equal((Text(signed, "hash"), true), await Import(coffer, id, Text(signed, "signed")));
        Assert.Equal((Text(signed, "hash"), false), await Import(coffer, id, Text(signed, "signed")));
        Assert.Equal(1, (await coffer.Run("withdrawal", "export", id)).Status);
        await Becomes(coffer, id, "submitted");
        await chain.Node.Mine(2);
        await Becomes(coffer, id, "completed");
        Assert.Equal("0x14d1120d7b160000", (await chain.Node.Call("eth_getBalance", Stranger, "latest")).GetString());
        await Refused(coffer, id, Text(signed, "signed"), "needs no signature any more");
        Assert.Equal(0, (await coffer.Run("verify")).Status);
    }

    [Fact]
    public async Task A_bitcoin_withdrawal_is_signed_as_a_psbt_and_paid_once()
    {
        await using var bitcoin = await Bcoin.Start(node);
        using var coffer = await LiveServer.Start(
            new object[]
            {
                new
                {
                    id = "bitcoin", kind = "bitcoin", network = "BTC", bitcoin_network = "regtest", nodes = new[] { bitcoin.Url }, xpub = BitcoinKey,
                    poll_seconds = 1, start = 0, hot = new { xpub = HotKeys.Xpub, fee_max = "0.001" },
                },
            },
            [new { code = "BTC", name = "Bitcoin", network = "BTC", token = "BTC", decimals = 8, confirmations = 2 }]);
        await bitcoin.Pay((HotKeys.Addresses.First.Address, 6_000_000), (HotKeys.Addresses.First.Address, 7_000_000));
        await bitcoin.Pay((await coffer.Address("BTC"), 20_000_000));
        await bitcoin.Mine(4);
        await coffer.Await("btc", "0.20", "0.00");

        var payee = await bitcoin.Key();
        var id = await Withdraw(coffer, payee, "0.1", "BTC");
        var exported = await Export(coffer, id);
        Assert.Equal("psbt", Text(exported, "format"));
        using var printed = JsonDocument.Parse(await node.Run("sign-psbt.cjs", ("PSBT", Text(exported, "unsigned")), ("ACCOUNT", HotKeys.Xprv)));
        Assert.Equal(2, printed.RootElement.GetProperty("inputs").GetArrayLength());
        await Refused(coffer, id, Text(exported, "unsigned"), "no signature of the planned key");
        Assert.Equal((Text(printed.RootElement, "txId"), true), await Import(coffer, id, Text(printed.RootElement, "partial")));
        Assert.Equal((Text(printed.RootElement, "txId"), false), await Import(coffer, id, Text(printed.RootElement, "transaction")));
        await Becomes(coffer, id, "submitted");
        await bitcoin.Mine(2);
        await Becomes(coffer, id, "completed");
        var transaction = await bitcoin.Call("getrawtransaction", Text(printed.RootElement, "txId"), true);
        Assert.Contains(transaction.GetProperty("vout").EnumerateArray(), output => output.ToString().Contains(payee, StringComparison.Ordinal));
        Assert.Equal(0, (await coffer.Run("verify")).Status);
    }

    private async Task<JsonElement> Sign(string unsigned, string secret) =>
        JsonDocument.Parse(await node.Run("sign-evm.cjs", ("UNSIGNED", unsigned), ("SECRET", secret))).RootElement;

    private static async Task<string> Withdraw(LiveServer coffer, string address, string amount, string currency) => Text(await coffer.Send(
        HttpMethod.Post, "/withdrawal/", new { account_id = coffer.Wallet, address, amount, currency, final_amount = true }), "id");

    private static async Task<JsonElement> Export(LiveServer coffer, string id)
    {
        Coffer.Tests.Cli.Ended? ended = null;
        await LiveServer.Until(async () => (ended = await coffer.Run("withdrawal", "export", id)).Status == 0, () => ended!.Error);
        return ended!.Json;
    }

    private static async Task<(string TxId, bool Stored)> Import(LiveServer coffer, string id, string signed)
    {
        var ended = await coffer.Run("withdrawal", "import", id, "--signed", await Written(coffer, signed));
        Assert.True(ended.Status == 0, ended.Error);
        return (Text(ended.Json, "transaction_hash"), ended.Json.GetProperty("stored").GetBoolean());
    }

    private static async Task Refused(LiveServer coffer, string id, string signed, string why)
    {
        var ended = await coffer.Run("withdrawal", "import", id, "--signed", await Written(coffer, signed));
        Assert.Equal(1, ended.Status);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }

    private static async Task Becomes(LiveServer coffer, string id, string status)
    {
        var seen = "";
        await LiveServer.Until(async () => (seen = Text(await coffer.Get($"/withdrawal/{id}/"), "status")) == status,
            () => $"The withdrawal is {seen}, not {status}.");
    }

    private static async Task<string> Written(LiveServer coffer, string text)
    {
        var file = Path.Combine(coffer.Data, "..", "signed");
        await File.WriteAllTextAsync(file, text + "\n");
        return file;
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
