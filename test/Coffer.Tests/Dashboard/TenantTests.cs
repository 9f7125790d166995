using System.Net;
using System.Text.RegularExpressions;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Tests.Http;

namespace Coffer.Tests.Dashboard;

/// <summary>A user sees and changes his own account; another's is answered like one that does not exist.</summary>
public sealed partial class TenantTests(TestCluster cluster)
{
    private static readonly string[] _tables = ["wallet", "payment", "withdrawal", "webhook_endpoint", "alert", "credential", "oauth_client", "movement", "posting"];

    [Fact]
    public async Task Nobody_sees_or_changes_anything_of_another_account_by_its_ids()
    {
        await using var world = await World.Start(cluster, new Settings { WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] });
        var other = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var mine = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var browser = await Browser.SignedIn(mine.Account, "mine", Role.Operator);
        var (theirs, wallet) = (await Things(other), other.Account.DefaultWallet.Value.ToString());
        var before = await State(world, other);
        var nobodys = theirs.ToDictionary(one => one.Key, _ => world.Ids.New().ToString());
        foreach (var (what, page) in new[] { ("wallet", "wallets"), ("payment", "payments"), ("withdrawal", "withdrawals"), ("webhook", "webhooks") })
        {
            var (foreign, unknown) = (await browser.Get($"/dashboard/{page}/{theirs[what]}"), await browser.Get($"/dashboard/{page}/{nobodys[what]}"));
            Assert.Equal((what, 404), (what, foreign.Status));
            Assert.Equal(Plain(unknown, nobodys[what]), Plain(foreign, theirs[what]));
        }

        var token = await browser.Token("/");
        async Task<(int Status, string Text)> Post(Dictionary<string, string> ids, string form)
        {
            var parts = Placeholder().Replace(form, match => ids[match.Groups[1].Value]).Split(' ');
            var fields = parts.Skip(1).Select(part => part.Split('=', 2)).Select(pair => (pair[0], pair[1])).ToArray();
            var got = await browser.Post("/dashboard/" + parts[0], token, fields);
            return (got.Status, Plain(got, [.. ids.Values]));
        }

        foreach (var form in (string[])
        [
            "wallets/{wallet}?handler=Address currency=BTC", "wallets/{wallet}?handler=Rename name=x", $"wallets/{{wallet}}?handler=Transfer to={mine.Account.DefaultWallet} currency=USDTERC20 amount=1",
            $"wallets/{mine.Account.DefaultWallet}?handler=Transfer to={{wallet}} currency=USDTERC20 amount=1",
            "webhooks/{webhook}?handler=Do what=delete", "webhooks/{webhook}?handler=Do what=ping", "webhooks/{webhook}?handler=Do what=disable", "webhooks/{webhook}?handler=Do what=rotate-secret",
            "webhooks/{webhook}?handler=Resend number=evt_1", "webhooks/{webhook}?handler=Replay since=2026-01-01T00:00", "withdrawals/{withdrawal}?handler=Cancel",
            "withdrawals/{withdrawal}?handler=Approve", "withdrawals/{withdrawal}?handler=Reject reason=x", "alerts?handler=Delete id={alert}", "keys?handler=RevokeKey id={key}",
            "keys?handler=RevokeClient id={client}", $"withdrawals/new?handler=Send wallet={{wallet}} currency=USDTERC20 amount=15 address={Withdrawer.Payee}",
            "payments wallet={wallet} currency=BTC amount=1 minutes=60", "alerts wallet={wallet} currency=BTC threshold=1",
        ])
        {
            var (foreign, unknown) = (await Post(theirs, form), await Post(nobodys, form));
            Assert.True(foreign.Status is 404 or 422 or 400, $"{form}: {foreign.Status}");
            Assert.Equal((form, unknown), (form, foreign));
        }

        // The path counts, whatever id the form holds.
        Assert.Equal(302, (await Post(theirs, $"wallets/{mine.Account.DefaultWallet}?handler=Rename id={{wallet}} name=own")).Status);
        Assert.Equal("own", await world.Query<string>("SELECT name FROM wallet WHERE id = $1", mine.Account.DefaultWallet.Value));
        Assert.Equal(before, await State(world, other));
        foreach (var page in new[] { "", "dashboard/transactions?wallet_id=" + wallet, "dashboard/transactions?handler=Csv", "dashboard/keys", "dashboard/alerts", "dashboard/webhooks" })
        {
            var text = (await browser.Get("/" + page)).Text;
            Assert.All(theirs.Values.Where(id => !page.Contains(id, StringComparison.Ordinal)), id => Assert.DoesNotContain(id, text));
        }
    }

    /// <summary>One of everything, by what it is.</summary>
    private static async Task<Dictionary<string, string>> Things(Withdrawer of)
    {
        var token = ("Authorization", $"Bearer {await of.Account.Token()}");
        async Task<string> Make(string path, string body, (string, string) credential)
        {
            var got = await of.World.Send(HttpMethod.Post, path, body, credential);
            Assert.True(got.Status == 201, $"{path}: {got.Text}");
            return got.Json.GetProperty("id").GetString()!;
        }

        return new()
        {
            ["wallet"] = of.Account.DefaultWallet.Value.ToString(),
            ["payment"] = await Make("/payments", """{"amount":"0.01","currency":"BTC"}""", ("X-API-Key", of.Key)),
            ["withdrawal"] = await Make("/withdrawal", $$"""{"amount":"15","currency":"USDTERC20","address":"{{Withdrawer.Payee}}"}""", ("X-API-Key", of.Key)),
            ["webhook"] = await Make("/user/webhooks", """{"url":"http://127.0.0.1:47999/hook"}""", token),
            ["alert"] = await Make("/user/alerts", """{"currency":"USDTERC20","threshold":"1"}""", token),
            ["key"] = await Make("/api-keys", """{"name":"k","scopes":["read"]}""", token),
            ["client"] = (await of.Account.Client()).Id,
        };
    }

    /// <summary>All rows of the account, but for what the workers write by themselves.</summary>
    private static async Task<string> State(World world, Withdrawer of)
    {
        var digests = new List<string>();
        foreach (var table in _tables)
        {
            var worked = table == "withdrawal" ? "'state', 'waits_for', 'tx_id', 'tx_bytes', 'updated_at'" : "'last_used_at'";
            digests.Add($"{table} " + await world.Query<string>($"""
                SELECT coalesce(string_agg(r, ',' ORDER BY r), '') FROM (SELECT (to_jsonb(t) - ARRAY[{worked}])::text AS r FROM {table} t WHERE t.account_id = $1) x
                """, of.Account.Id.Value));
        }

        return string.Join('\n', digests);
    }

    /// <summary>The page without what is different in every answer, and without the ids that were asked for.</summary>
    private static string Plain(Got got, params string[] ids)
    {
        var text = Different().Replace(got.Text, "");
        foreach (var id in ids)
            text = text.Replace(id, "ID", StringComparison.Ordinal);
        return text;
    }

    [GeneratedRegex("req_[0-9a-f]+|nonce=\"[^\"]+\"|name=\"(form_token|once)\" type=\"hidden\" value=\"[^\"]+\"|name=\"once\" value=\"[^\"]+\"")]
    private static partial Regex Different();

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
