using System.Text.Json.Nodes;
using Coffer.Server.Sql;

namespace Coffer.Tests.Cli;

/// <summary>The demo as a user has it: the real program on a folder of its own, stopped and killed in every way.</summary>
public sealed class DemoTests : IDisposable
{
    private const int Terminate = 15;
    private readonly DemoFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_demo_has_the_figures_of_the_seeds_and_keeps_them_whatever_kills_it()
    {
        using var first = folder.Start();
        var ready = await first.Ready(folder.ReadyFile);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.ReadyFile));
        var answers = await folder.Answers(ready);
        HaveTheFiguresOfTheSeeds(answers);
        await folder.KillAll(first);

        File.Delete(folder.ReadyFile);
        using var second = folder.Start();
        var again = await second.Ready(folder.ReadyFile);
        foreach (var member in ready.EnumerateObject().Where(m => m.Name is not ("base_url" or "dashboard_url")))
            Assert.Equal(member.Value.GetString(), DemoFolder.Text(again, member.Name));
        Assert.Equal(answers, await folder.Answers(again));

        var ended = await second.Signal(Terminate);
        Assert.Equal((0, ""), (ended.Status, ended.Error));
        Assert.Empty(folder.Postmaster.Processes());
    }

    [Fact]
    public async Task A_first_start_killed_again_and_again_comes_to_exactly_the_same_figures()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        Binary demo;
        for (var round = 0; ; round++)
        {
            demo = folder.Start();
            // Longer each time, so that it is killed at work of every kind and yet comes to an end.
            var until = TimeProvider.System.GetTimestamp();
            var patience = TimeSpan.FromMilliseconds(500 + random.Next(2_000) + (round * 1_500));
            while (TimeProvider.System.GetElapsedTime(until) < patience && !File.Exists(folder.ReadyFile))
                await Task.Delay(10, Ct);
            if (File.Exists(folder.ReadyFile) || round == 6)
                break;
            if (random.Next(2) == 0)
                await folder.KillAll(demo);
            else
                await demo.Signal(Postmaster.Kill); // PostgreSQL lives on and is taken over
            demo.Dispose();
        }

        using (demo)
        {
            HaveTheFiguresOfTheSeeds(await folder.Answers(await demo.Ready(folder.ReadyFile)));
            var verified = await Binary.Run("verify", "--data", folder.Data, "--json");
            Assert.True(verified.Status == 0, verified.Output + verified.Error);
            Assert.Equal(0, (await demo.Signal(Terminate)).Status);
        }
    }

    [Fact]
    public async Task What_was_pending_becomes_final_when_the_simulated_chain_is_told_to_move()
    {
        using var demo = folder.Start();
        var ready = await demo.Ready(folder.ReadyFile);
        var key = ("X-API-Key", DemoFolder.Text(ready, "api_key"));
        await folder.Send(HttpMethod.Post, $"{DemoFolder.Text(ready, "base_url")}/sandbox/blocks", """{"count":12}""", key);
        var balances = JsonNode.Parse((await folder.Answers(ready))[1])!["balances"]!.AsArray();
        var usdt = balances.Single(b => (string)b!["currency"]! == "USDTERC20")!;
        // The pending 300 are available; of the held 200 nothing is left, 4.50 of them were fees.
        Assert.Equal(["4800.000000", "4800.000000", "0.000000", "5200.000000", "54.500000"],
            new[] { "total_balance", "available_balance", "pending_balance", "total_withdrawn", "total_fees_paid" }
                .Select(n => (string)usdt[n]!));
    }

    [Fact]
    public async Task A_second_server_on_the_folder_is_refused_while_commands_work_beside_the_first_and_without_it()
    {
        using (var demo = folder.Start())
        {
            var ready = await demo.Ready(folder.ReadyFile);
            var second = await Binary.Run("serve", "--port", "0", "--data", folder.Data);
            Assert.Equal((1, ""), (second.Status, second.Output));
            Assert.StartsWith($"coffer: Another Coffer server runs on the data folder {folder.Data}", second.Error,
                StringComparison.Ordinal);
            var key = await Binary.Run("key", "create", "--account", DemoFolder.Text(ready, "account_id"), "--scopes", "read", "--json",
                "--data", folder.Data);
            await folder.Get($"{DemoFolder.Text(ready, "base_url")}/wallets", ("X-API-Key", DemoFolder.Text(key.Json, "api_key")));
            Assert.Equal(0, (await Binary.Run("verify", "--data", folder.Data)).Status);
            await folder.Answers(ready);
            Assert.Equal(0, (await demo.Signal(Terminate)).Status);
        }

        Assert.Equal(0, (await Binary.Run("verify", "--data", folder.Data)).Status);
        Assert.Empty(folder.Postmaster.Processes());
    }

    /// <summary>Every figure of the seeds' example answers; times are those of the first start.</summary>
    private static void HaveTheFiguresOfTheSeeds(string[] answers)
    {
        var wallet = JsonNode.Parse(answers[0])!["result"]!;
        Assert.Equal("Trading Wallet", (string)wallet["name"]!);
        Assert.Equal("btc 0.05 0.00, usdterc20 500.75 100.00, usdttrc20 1000.50 0.00", string.Join(", ",
            wallet["balances"]!.AsArray().Select(b => $"{b!["currency"]} {b["amount"]} {b["pendingAmount"]}")));
        var account = JsonNode.Parse(answers[1])!;
        Assert.Equal(
            [
                "ETH Ethereum ETH 5.123456789000000000 5.123456789000000000 0.000000000000000000 10.000000000000000000 "
                + "4.876543211000000000 0.050000000000000000 12015.83: Default Wallet 5.123456789000000000 0.000000000000000000",
                "USDCERC20 USD Coin ETH 2500.000000 2500.000000 0.000000 5000.000000 2500.000000 25.000000 2500.25: "
                + "Default Wallet 2500.000000 0.000000",
                "USDTERC20 Tether USD ETH 5000.000000 4500.000000 500.000000 10000.000000 5000.000000 50.000000 4999.50: "
                + "Default Wallet 3000.000000 300.000000, Online Store 1500.000000 200.000000",
            ],
            account["balances"]!.AsArray().Select(Line!));
        var summary = account["summary"]!;
        Assert.Equal("19515.58 3 2", $"{summary["total_usd_value"]} {summary["total_currencies"]} {summary["total_wallets"]}");
        var history = JsonNode.Parse(answers[2])!["summary"]!;
        Assert.Equal("4200.000000 5000.000000 3500.000000 2700.000000 800.000000 35 12 500.000000 385.714286", string.Join(' ', new[]
        {
            "starting_balance", "ending_balance", "total_deposits", "total_withdrawals", "net_change", "total_deposit_count",
            "total_withdrawal_count", "average_daily_deposits", "average_daily_withdrawals",
        }.Select(name => history[name]!.ToString())));
    }

    private static string Line(JsonNode line)
    {
        string[] members =
        [
            "currency", "currency_name", "network", "total_balance", "available_balance", "pending_balance", "total_deposited",
            "total_withdrawn", "total_fees_paid", "usd_value",
        ];
        var wallets = line["wallets"]!.AsArray().Select(w => $"{w!["wallet_name"]} {w["balance"]} {w["pending"]}");
        return $"{string.Join(' ', members.Select(name => line[name]))}: {string.Join(", ", wallets)}";
    }
}
