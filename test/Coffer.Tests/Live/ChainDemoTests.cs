using System.Text;
using System.Text.Json;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Live;

/// <summary><c>coffer demo --chain anvil</c> as a user has it: paste the command that pays, see it arrive, kill it, go on.</summary>
public sealed class ChainDemoTests(NodeFolder node) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly DemoFolder folder = new();
    private readonly HttpClient http = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        folder.Dispose();
        http.Dispose();
    }

    [Fact]
    public async Task A_payment_to_the_printed_address_arrives_and_stays_whatever_kills_the_demo()
    {
        using var demo = await Start();
        var ready = await demo.Ready(folder.ReadyFile);
        var address = DemoFolder.Text(ready, "chain_address");
        var payment = new { jsonrpc = "2.0", id = 1, method = "eth_sendTransaction", @params = new[] { new { from = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", to = address, value = "0x14d1120d7b160000" } } };
        using (var content = new StringContent(JsonSerializer.Serialize(payment), Encoding.UTF8, "application/json"))
        using (var paid = await http.PostAsync(DemoFolder.Text(ready, "chain_node_url"), content, Ct))
            Assert.Contains("result", await paid.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        await Await(ready, "\"pendingAmount\":\"1.50\"");
        await Await(ready, "\"amount\":\"1.50\",\"pendingAmount\":\"0.00\"");
        Assert.Contains($"\"to\":\"{address}\"", demo.Output, StringComparison.Ordinal);
        await folder.KillAll(demo);

        File.Delete(folder.ReadyFile);
        using var again = await Start();
        ready = await again.Ready(folder.ReadyFile);
        Assert.Equal(address, DemoFolder.Text(ready, "chain_address"));
        await Await(ready, "\"amount\":\"1.50\",\"pendingAmount\":\"0.00\"");
        Assert.Equal(0, (await again.Signal(15)).Status);
    }

    private async Task<Binary> Start() => Binary.Start(
        ["demo", "--chain", "anvil", "--port", "0", "--data", folder.Data, "--ready", folder.ReadyFile],
        ("COFFER_ANVIL", Path.Combine(await node.Installed(), "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")));

    private async Task Await(JsonElement ready, string part)
    {
        var path = $"{DemoFolder.Text(ready, "base_url")}/wallets/balances?wallet_id={DemoFolder.Text(ready, "chain_wallet_id")}";
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(100))
        {
            var text = await folder.Get(path, ("X-API-Key", DemoFolder.Text(ready, "chain_api_key")));
            if (text.Contains(part, StringComparison.Ordinal))
                return;
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, text);
        }
    }
}
