using System.Net;
using System.Text.RegularExpressions;
using Coffer.Server.Auth;
using Coffer.Tests.Http;

namespace Coffer.Tests.Dashboard;

/// <summary>One person is one pair of eyes, through whatever he asks.</summary>
public sealed partial class TwoEyesTests(TestCluster cluster)
{
    private static Currencies Guarded { get; } = new(World.AllCurrencies.All.Select(c => c.Code == "USDTERC20"
        ? c with { ApprovalAbove = 50_000_000 } : c));

    [Fact]
    public async Task Nobody_decides_about_what_his_own_key_or_client_asked_for()
    {
        await using var world = await World.Start(cluster, currencies: Guarded);
        var payer = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var (mine, other) = (await Browser.SignedIn(payer.Account, "mine", Role.Operator), await Browser.SignedIn(payer.Account, "other", Role.Operator));
        (string, string)[] wish = [("name", "mine"), ("scopes", "read,write")];
        var key = Secret((await mine.Submit("/dashboard/keys", "/dashboard/keys?handler=Key", wish)).Text);
        var client = await mine.Submit("/dashboard/keys", "/dashboard/keys?handler=Client", wish);
        var made = new TestClient(ClientId().Match(client.Text).Groups[1].Value, Secret(client.Text));
        var grant = await world.Form("/o/token/", made, ("grant_type", "client_credentials"), ("scope", "read write"));
        var token = ("Authorization", $"Bearer {grant.Json.GetProperty("access_token").GetString()}");
        var second = await world.Send(HttpMethod.Post, "/api-keys", """{"name":"of the client","scopes":["write"]}""", token);

        var ids = new List<string>();
        foreach (var credential in new[] { ("X-API-Key", key), token, ("X-API-Key", second.Json.GetProperty("key").GetString()!) })
        {
            var asked = await world.Send(HttpMethod.Post, "/withdrawal", $$"""{"amount":"60","currency":"USDTERC20","address":"{{Withdrawer.Payee}}"}""", credential);
            Assert.Equal("approval", asked.Json.GetProperty("waits_for").GetString());
            ids.Add(asked.Json.GetProperty("id").GetString()!);
        }

        foreach (var page in ids.Select(id => $"/dashboard/withdrawals/{id}"))
        {
            var approved = await mine.Submit(page, page + "?handler=Approve");
            Assert.Equal(403, approved.Status);
            Assert.Contains("somebody else has to decide", approved.Text);
            Assert.Equal(403, (await mine.Submit(page, page + "?handler=Reject", ("reason", "no"))).Status);
            Assert.Equal(302, (await other.Submit(page, page + "?handler=Approve")).Status);
        }

        Assert.Equal(3, await world.Query<long>("SELECT count(*) FROM withdrawal WHERE decided_by IS NOT NULL"));
    }

    private static string Secret(string page) => WebUtility.HtmlDecode(Shown().Match(page).Groups[1].Value);

    [GeneratedRegex("role=\"status\">.*?<code>([^<]+)</code>", RegexOptions.Singleline)]
    private static partial Regex Shown();

    [GeneratedRegex("The secret of client ([0-9a-f-]{36}),")]
    private static partial Regex ClientId();
}
