using System.Text.RegularExpressions;

namespace Coffer.Tests.Dashboard;

/// <summary>The overview says what it knows, and that it does not know the rest.</summary>
public sealed class OverviewTests(TestCluster cluster)
{
    [Fact]
    public async Task What_has_no_price_counts_for_nothing_and_says_so()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        foreach (var (currency, amount) in new[] { ("USDTERC20", "1000"), ("BTC", "1") })
        {
            await world.Send(HttpMethod.Post, "/sandbox/deposits",
                $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"{{currency}}","amount":"{{amount}}"}""", ("X-API-Key", key));
        }

        await world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":20}""", ("X-API-Key", key));
        var browser = await Browser.SignedIn(account);
        Assert.Equal("no price", Total(await browser.Get("/")));

        await new Books(world, account).Price("USDTERC20", "1");
        var page = await browser.Get("/");
        Assert.Equal("1000.00 USD", Total(page));
        Assert.Contains("without BTC: no price", page.Text);
        Assert.Contains("100.0 %", page.Text);
        Assert.DoesNotContain("0.0 %", page.Text.Replace("100.0 %", ""));
    }

    private static string Total(Got page)
    {
        var html = page.Text.Split("<p class=\"figure\">")[1].Split("</p>")[0];
        return Regex.Replace(html, "<[^>]+>", "").Trim();
    }
}
