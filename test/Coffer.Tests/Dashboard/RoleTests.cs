using System.Net;
using Coffer.Server.Auth;
using Coffer.Server.Dashboard;
using Coffer.Tests.Http;

namespace Coffer.Tests.Dashboard;

/// <summary>What each role may see and do, and that a form does what it says once.</summary>
public sealed class RoleTests(TestCluster cluster)
{
    [Fact]
    public async Task Every_page_says_who_may_see_it_and_shows_nothing_to_strangers()
    {
        await using var world = await World.Start(cluster);
        await world.Account();
        var pages = world.App.Endpoints.OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>()
            .Select(route => route.RoutePattern.RawText!.TrimStart('/')).Where(path => path.StartsWith("dashboard/", StringComparison.Ordinal))
            .Where(path => path is not ("dashboard/fault" or "dashboard/csp-report")).ToList();
        Assert.True(pages.Count > 15, $"{pages.Count} pages");
        foreach (var path in pages)
        {
            var answer = await new Browser(world).Get("/" + path.Replace("{id:guid}", Guid.AllBitsSet.ToString()).Replace("{id}", "1").Replace("{code}", "BTC"));
            Assert.Equal((path, 302), (path, answer.Status));
            Assert.StartsWith("/sign-in", answer.Header("Location"));
        }
    }

    [Fact]
    public async Task A_viewer_reads_and_changes_nothing_whatever_he_sends()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var viewer = await Browser.SignedIn(account, "viewer", Role.Viewer);
        var wallet = account.DefaultWallet.Value;
        var token = await viewer.Token("/");
        (string Path, (string, string)[] Fields)[] forms =
        [
            ("/dashboard/wallets", [("name", "Mine")]), ($"/dashboard/wallets/{wallet}?handler=Rename", [("name", "Mine")]),
            ($"/dashboard/wallets/{wallet}?handler=Address", [("currency", "BTC")]), ("/dashboard/payments", [("currency", "BTC"), ("amount", "1"), ("minutes", "60")]),
            ("/dashboard/withdrawals/new?handler=Send", [("currency", "BTC"), ("amount", "1"), ("address", Withdrawer.Payee)]),
            ("/dashboard/alerts", [("currency", "BTC"), ("threshold", "1")]), ("/dashboard/keys?handler=Key", [("name", "Mine"), ("scopes", "read")]),
            ("/dashboard/keys?handler=Client", [("name", "Mine"), ("scopes", "read")]), ("/dashboard/operator?handler=Freeze", [("reason", "because")]),
        ];
        foreach (var (path, fields) in forms)
            Assert.Equal((path, 403), (path, (await viewer.Post(path, token, fields)).Status));
        Assert.Equal(0, await world.Query<long>("SELECT count(*) FROM oauth_client"));
        Assert.Equal("Default Wallet", await world.Query<string>("SELECT name FROM wallet"));
    }

    [Fact]
    public async Task An_owner_does_not_see_the_operators_page_nor_another_account()
    {
        await using var world = await World.Start(cluster);
        var (mine, other) = (await world.Account(), await world.Account());
        var owner = await Browser.SignedIn(mine);
        Assert.Equal(403, (await owner.Get("/dashboard/operator")).Status);
        Assert.DoesNotContain("/dashboard/operator", (await owner.Get("/")).Text);
        var foreign = await owner.Get($"/dashboard/wallets/{other.DefaultWallet.Value}");
        var nobodys = await owner.Get($"/dashboard/wallets/{Guid.AllBitsSet}");
        Assert.Equal((404, 404), (foreign.Status, nobodys.Status));
        Assert.DoesNotContain("Account 2", foreign.Text);
    }

    [Fact]
    public async Task A_withdrawal_is_reviewed_made_once_and_approved_by_somebody_else()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        await world.Send(HttpMethod.Post, "/sandbox/deposits",
            $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"USDTERC20","amount":"100"}""", ("X-API-Key", key));
        await world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":20}""", ("X-API-Key", key));
        var owner = await Browser.SignedIn(account);
        (string, string)[] typed =
            [("wallet", account.DefaultWallet.Value.ToString()), ("currency", "USDTERC20"), ("amount", "15"), ("address", Withdrawer.Payee)];
        var review = await owner.Submit("/dashboard/withdrawals/new", "/dashboard/withdrawals/new?handler=Review", typed);
        Assert.Contains("Nothing was paid to this address before.", review.Text);
        Assert.Contains(string.Concat(Withdrawer.Payee.Chunk(4).Select(four => $"<span class=\"group\">{new string(four)}</span>")), review.Text);
        var once = WebUtility.HtmlDecode(review.Text.Split("name=\"once\" value=\"")[1].Split('"')[0]);
        var token = await owner.Token("/");
        for (var i = 0; i < 3; i++)
            Assert.Equal(302, (await owner.Post("/dashboard/withdrawals/new?handler=Send", token, [.. typed, ("once", once)])).Status);
        Assert.Equal(1, await world.Query<long>("SELECT count(*) FROM withdrawal"));

        var refused = await owner.Post("/dashboard/withdrawals/new?handler=Send", token, [.. typed[..2], ("amount", "1000"), typed[3]]);
        Assert.Equal(422, refused.Status);
        Assert.Contains("value=\"1000\"", refused.Text);
    }

    [Fact]
    public async Task Hidden_amounts_are_not_in_the_page_and_stay_hidden_elsewhere()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        await world.Send(HttpMethod.Post, "/sandbox/deposits",
            $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"USDTERC20","amount":"4321.5"}""", ("X-API-Key", key));
        await world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":20}""", ("X-API-Key", key));
        Task<Got> Send(string path, string body) => world.Send(HttpMethod.Post, path, body, ("X-API-Key", key));
        await Send("/sandbox/deposits", $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"BTC","amount":"4321.5"}""");
        await Send("/sandbox/deposits", $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"ETH","amount":"5000"}""");
        await Send("/sandbox/blocks", """{"count":20}""");
        var payment = (await Send("/payments", """{"amount":"4321.5","currency":"BTC"}""")).Json.GetProperty("id").GetString();
        var withdrawal = (await Send("/withdrawal", $$"""{"amount":"4321.5","currency":"ETH","address":"{{Withdrawer.Payee}}"}""")).Json.GetProperty("id").GetString();
        Assert.Equal(201, (await world.Send(HttpMethod.Post, "/user/alerts", """{"currency":"USDTERC20","threshold":"4321.5"}""",
            ("Authorization", $"Bearer {await account.Token()}"))).Status);
        var browser = await Browser.SignedIn(account);
        string[] pages =
        [
            "/", "/dashboard/currencies/USDTERC20", $"/dashboard/wallets/{account.DefaultWallet.Value}", "/dashboard/transactions",
            "/dashboard/deposits", "/dashboard/alerts", "/dashboard/payments", $"/dashboard/payments/{payment}", "/dashboard/withdrawals",
            $"/dashboard/withdrawals/{withdrawal}",
        ];
        // Not as a part of an id.
        var figure = @"(?<![0-9a-f])4321(?![0-9a-f])";
        foreach (var page in pages)
            Assert.Contains("4321.5", (await browser.Get(page)).Text);
        await browser.Submit("/", "/dashboard/look", ("amounts", "hidden"));
        foreach (var page in pages)
            Assert.DoesNotMatch(figure, (await browser.Get(page)).Text);
        await browser.Submit("/", "/dashboard/sign-out");
        await browser.SignIn("alice");
        Assert.DoesNotMatch(figure, (await browser.Get("/")).Text);
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+49", "'+49")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("-2+3", "'-2+3")]
    [InlineData("-12.50", "-12.50")]
    [InlineData("\tx", "'\tx")]
    [InlineData("a,\"b\"", "\"a,\"\"b\"\"\"")]
    [InlineData("=a\nb", "\"'=a\nb\"")]
    [InlineData("12.50", "12.50")]
    [InlineData("  =1+1", "'  =1+1")]
    [InlineData("\"=1+1", "\"'\"\"=1+1\"")]
    [InlineData("\uff1d1+1", "'\uff1d1+1")]
    [InlineData("\n=1", "\"'\n=1\"")]
    [InlineData("", "")]
    public void A_cell_is_never_a_formula(string text, string cell) => Assert.Equal(cell, Csv.Cell(text));

    [Fact]
    public async Task The_csv_has_every_transaction_once()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        for (var i = 0; i < 105; i++)
            await world.Send(HttpMethod.Post, "/sandbox/deposits",
                $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"USDTERC20","amount":"{{i + 1}}"}""", ("X-API-Key", key));
        await world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":1}""", ("X-API-Key", key));
        var browser = await Browser.SignedIn(account);
        var csv = (await browser.Get("/dashboard/transactions?handler=Csv&type=deposit")).Text.TrimEnd().Split("\r\n");
        Assert.StartsWith("id,type,status,", csv[0]);
        Assert.Equal(105, csv.Skip(1).Select(line => line.Split(',')[0]).Distinct().Count());
        Assert.Equal(105 * 106 / 2, csv.Skip(1).Sum(line => int.Parse(line.Split(',')[6].Split('.')[0])));
        Assert.Equal(106, csv.Length);
    }
}
