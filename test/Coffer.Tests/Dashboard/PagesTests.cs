using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Tests.Http;

namespace Coffer.Tests.Dashboard;

/// <summary>
/// Every page in Debian's Chromium: both themes, wide and narrow, with axe-core, the console, the policy and the weight watched. The
/// pictures stay in <c>artifacts/screenshots</c>.
/// </summary>
public sealed class PagesTests(TestCluster cluster, NodeFolder node)
{
    [Fact]
    public async Task No_page_has_a_fault_that_axe_the_console_or_the_policy_finds_or_is_too_heavy()
    {
        await using var world = await World.Start(cluster, new Settings { WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] });
        var account = await world.Account();
        await Fill(world, account, webhook: true);
        await Browser.User(account, "operator", Role.Operator);
        var fresh = await world.Account();
        await Browser.User(fresh, "newcomer", Role.Owner);
        string[] paths =
        [
            "/", "/dashboard/me", "/dashboard/prove", "/dashboard/currencies/USDTERC20?period=7d&interval=hourly", "/dashboard/currencies/TRX", "/dashboard/wallets",
            $"/dashboard/wallets/{account.DefaultWallet.Value}", "/dashboard/transactions", "/dashboard/deposits", "/dashboard/payments",
            $"/dashboard/payments/{await world.Query<Guid>("SELECT id FROM payment")}", "/dashboard/withdrawals",
            $"/dashboard/withdrawals/{await world.Query<Guid>("SELECT id FROM withdrawal")}", "/dashboard/withdrawals/new", "/dashboard/alerts",
            "/dashboard/webhooks", $"/dashboard/webhooks/{await world.Query<Guid>("SELECT id FROM webhook_endpoint WHERE url IS NOT NULL")}",
            "/dashboard/keys", "/dashboard/operator",
        ];
        string[] empty =
        [
            "/", "/dashboard/currencies/BTC", "/dashboard/wallets", $"/dashboard/wallets/{fresh.DefaultWallet.Value}", "/dashboard/transactions?type=transfer",
            "/dashboard/deposits", "/dashboard/payments", "/dashboard/withdrawals", "/dashboard/withdrawals/new", "/dashboard/alerts", "/dashboard/webhooks",
            "/dashboard/keys",
        ];
        object[] users = [new { name = "operator", prefix = "", paths }, new { name = "newcomer", prefix = "empty-", paths = empty }];
        var printed = await node.Run("pages.mjs", ("BASE", world.App.BaseUrl), ("PASSWORD", Browser.Password),
            ("USERS", JsonSerializer.Serialize(users)), ("PICTURES", Pictures()));
        Assert.Equal(2 * (paths.Length + empty.Length), printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task What_is_missing_refused_slow_cut_off_or_over_is_shown_as_such()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await Fill(world, account);
        await Browser.User(account, "operator", Role.Operator);
        var printed = await node.Run("states.mjs", ("BASE", world.App.BaseUrl), ("NAME", "operator"), ("PASSWORD", Browser.Password), ("PICTURES", Pictures()));
        Assert.Equal(2 * 5, printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task People_work_without_javascript_by_keyboard_and_see_what_changes_and_the_seeds_chart()
    {
        await using var world = await World.Start(cluster, currencies: new(World.AllCurrencies.All.Select(c => c.Code == "USDTERC20" ? c with { ApprovalAbove = 10_000_000 } : c)));
        var (account, fresh) = (await world.Account(), await world.Account());
        await Fill(world, account);
        await Browser.User(account, "owner");
        await Browser.User(account, "operator", Role.Operator);
        await Browser.User(fresh, "newcomer");
        var printed = await node.Run("dashboard.mjs", ("BASE", world.App.BaseUrl), ("NAME", "owner"), ("OPERATOR", "operator"), ("PASSWORD", Browser.Password),
            ("EMPTY", "newcomer"), ("EMPTY_KEY", await fresh.ApiKey()), ("EMPTY_WALLET", fresh.DefaultWallet.Value.ToString()),
            ("API_KEY", await account.ApiKey()), ("TOKEN", await account.Token()), ("WALLET", account.DefaultWallet.Value.ToString()),
            ("PAYEE", Withdrawer.SomePayee(7)), ("SAMPLE", Source("test", "samples", "balance_chart.js")),
            ("CHART", Source("src", "Coffer.Server", "wwwroot", "assets", "lib", "chart.js")));
        Assert.Equal(6, printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private static async Task Fill(World world, TestAccount account, bool webhook = false)
    {
        var key = await account.ApiKey();
        Task<Got> Post(string path, string body) => world.Send(HttpMethod.Post, path, body, ("X-API-Key", key));
        await account.Wallet("Online Store");
        foreach (var (currency, amount) in new[] { ("USDTERC20", "5000"), ("ETH", "2.5"), ("BTC", "0.25") })
            await Post("/sandbox/deposits", $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"{{currency}}","amount":"{{amount}}"}""");
        await Post("/sandbox/blocks", """{"count":20}""");
        await Post("/sandbox/deposits", $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"USDTERC20","amount":"12.5"}""");
        await Post("/sandbox/blocks", """{"count":1}""");
        await Post("/payments", """{"amount":"0.01","currency":"BTC","order_id":"A-17"}""");
        var quote = await Post("/withdrawal", $$"""{"amount":"15","currency":"USDTERC20","address":"{{Withdrawer.Payee}}"}""");
        Assert.True(quote.Status == 201, quote.Text);
        var token = await account.Token();
        Task<Got> Ask(string path, string body) => world.Send(HttpMethod.Post, path, body, ("Authorization", $"Bearer {token}"));
        Assert.Equal(201, (await Ask("/user/alerts", """{"currency":"USDTERC20","threshold":"100"}""")).Status);
        if (webhook)
            Assert.Equal(201, (await Ask("/user/webhooks", """{"url":"http://127.0.0.1:47999/hook","description":"Nobody is there"}""")).Status);
    }

    /// <summary>Where the pictures of the run stay: beside what was built.</summary>
    private static string Pictures() => Source("artifacts", "screenshots");

    private static string Source(params string[] path) => Path.Combine([Root(), .. path]);

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
