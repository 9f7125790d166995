using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Coffer.Tests.Http;

/// <summary>The samples of the seeds, unchanged, run against the server by the programs that they are written for.</summary>
public sealed class SampleTests(TestCluster cluster)
{
    private static readonly string _samples = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "samples"));
    private static readonly TimeSpan _time = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task The_javascript_samples_run_unchanged()
    {
        await using var world = await World.Start(cluster);
        var account = await Filled(world);
        await account.Wallet("Second");
        var output = await Programs.Run(_samples, "node", ["run.mjs"], _time,
            ("COFFER_URL", world.App.BaseUrl), ("COFFER_TOKEN", await account.Token()));
        var json = JsonDocument.Parse(output).RootElement;
        var sets = json.GetProperty("chart").GetProperty("datasets");
        Assert.Equal(7, json.GetProperty("chart").GetProperty("labels").GetArrayLength());
        Assert.Equal([1200.5m, 1500.5m, -300m], sets.EnumerateArray().Select(set => set.GetProperty("data").EnumerateArray().Last().GetDecimal()));
        Assert.Equal([(201, 50m, "50.00"), (201, 50m, "50.00")], json.GetProperty("paid").EnumerateArray().Select(p =>
            (p.GetProperty("status").GetInt32(), p.GetProperty("amount").GetDecimal(), p.GetProperty("expected").GetString())));
    }

    [Fact]
    public async Task The_python_samples_run_unchanged()
    {
        await using var world = await World.Start(cluster);
        var account = await Filled(world);
        var output = await Programs.Run(_samples, "/usr/bin/python3", ["run.py"], _time,
            ("COFFER_URL", world.App.BaseUrl), ("COFFER_TOKEN", await account.Token(Scopes.Read)));
        Assert.Contains("USDTERC20 Analysis:\nTotal Volume: $1,800.50\nAverage Daily Deposits: $50.02\n"
            + $"Peak Day: {world.Time.GetUtcNow():yyyy-MM-dd}\nDeposit/Withdrawal Ratio: 5.00", output);
        Assert.Contains("DAIERC20 Analysis:\nTotal Volume: $0.00", output);
        Assert.Contains("cached: None ['USDTERC20']\ncached: USDTERC20 ['USDTERC20']", output);
        Assert.Contains("fetched: 2", output);
    }

    private static async Task<TestAccount> Filled(World world)
    {
        var account = await world.Account();
        var books = new Books(world, account);
        await books.Deposit(account.DefaultWallet, "USDTERC20", "1500.5");
        await books.Withdraw(account.DefaultWallet, "USDTERC20", "295", "5");
        return account;
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
