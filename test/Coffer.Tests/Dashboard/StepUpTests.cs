using System.Net;
using System.Security.Cryptography;
using System.Text;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Tests.Http;

namespace Coffer.Tests.Dashboard;

/// <summary>A session that was left open does not do what cannot be undone.</summary>
public sealed class StepUpTests(TestCluster cluster)
{
    private static Currencies Guarded { get; } = new(World.AllCurrencies.All.Select(c => c.Code == "USDTERC20"
        ? c with { ApprovalAbove = 50_000_000 } : c));

    [Fact]
    public async Task An_approval_needs_a_proof_of_the_last_minutes()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time, currencies: Guarded);
        var payer = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var browser = await Browser.SignedIn(payer.Account, "op", Role.Operator);
        var page = $"/dashboard/withdrawals/{Withdrawer.Text((await payer.Withdraw("60")).Json, "id")}";
        time.Advance(SessionRow.ProofMax);
        var asked = await browser.Submit(page, page + "?handler=Approve");
        Assert.Equal((302, $"/dashboard/prove?to={Uri.EscapeDataString(page)}"), (asked.Status, asked.Header("Location")));
        Assert.Equal(0, await Decided(world));

        Assert.Equal(422, (await Prove(browser, "wrong horse battery", page)).Status);
        Assert.Equal(302, (await browser.Submit(page, page + "?handler=Approve")).Status);
        Assert.Equal(0, await Decided(world));
        Assert.Equal("/", (await Prove(browser, Browser.Password, "https://evil.example/")).Header("Location"));
        Assert.Equal(page, (await Prove(browser, Browser.Password, page)).Header("Location"));
        Assert.Equal(page, (await browser.Submit(page, page + "?handler=Approve")).Header("Location"));
        Assert.Equal(1, await Decided(world));
    }

    [Fact]
    public async Task Keys_clients_and_secrets_are_not_made_from_a_session_that_was_left_open()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, new Settings { WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] }, time);
        var account = await world.Account();
        var browser = await Browser.SignedIn(account);
        var hook = await world.Send(HttpMethod.Post, "/user/webhooks", """{"url":"http://127.0.0.1:47999/hook"}""", ("Authorization", $"Bearer {await account.Token()}"));
        var before = await world.Query<string>("SELECT encode(secret, 'hex') FROM webhook_endpoint WHERE url IS NOT NULL");
        var (keys, clients) = (await Count(world, "credential WHERE kind = 1"), await Count(world, "oauth_client"));
        time.Advance(SessionRow.ProofMax);
        foreach (var (path, fields) in new[]
        {
            ("/dashboard/keys?handler=Key", new[] { ("name", "k"), ("scopes", "read,write") }), ("/dashboard/keys?handler=Client", [("name", "c"), ("scopes", "read")]),
            ($"/dashboard/webhooks/{Withdrawer.Text(hook.Json, "id")}?handler=Do", [("what", "rotate-secret")]),
        })
            Assert.StartsWith("/dashboard/prove?to=", (await browser.Submit("/dashboard/keys", path, fields)).Header("Location") ?? path);
        Assert.Equal((keys, clients), (await Count(world, "credential WHERE kind = 1"), await Count(world, "oauth_client")));
        Assert.Equal(before, await world.Query<string>("SELECT encode(secret, 'hex') FROM webhook_endpoint WHERE url IS NOT NULL"));
        Assert.Equal(302, (await Prove(browser, Browser.Password, "/dashboard/keys")).Status);
        Assert.Equal(200, (await browser.Submit("/dashboard/keys", "/dashboard/keys?handler=Key", ("name", "k"), ("scopes", "read"))).Status);
        Assert.Equal(keys + 1, await Count(world, "credential WHERE kind = 1"));
    }

    [Fact]
    public async Task Whoever_has_an_authenticator_proves_himself_with_it_and_guesses_are_counted()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var browser = await Browser.SignedIn(await world.Account());
        var secret = await Authenticator.SetUp(browser, time);
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(422, (await Prove(browser, Browser.Password, "/dashboard/keys")).Status);
        Assert.Equal(302, (await Prove(browser, Browser.Password, "/dashboard/keys", Authenticator.Code(secret, time))).Status);
        Assert.Equal(422, (await Prove(browser, Browser.Password, "/dashboard/keys", Authenticator.Code(secret, time))).Status);
        for (var i = 0; i < SignIn.TriesPerMinute - 3; i++)
            Assert.Equal(422, (await Prove(browser, "wrong horse battery", "/dashboard/keys")).Status);
        Assert.Equal(429, (await Prove(browser, Browser.Password, "/dashboard/keys")).Status);
    }

    [Fact]
    public async Task A_form_of_one_session_does_nothing_in_the_next_one()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var browser = await Browser.SignedIn(account);
        await Browser.User(account, "bob");
        var left = await browser.Token("/");
        await browser.Submit("/", "/dashboard/sign-out");
        await browser.SignIn("bob");
        Assert.Equal(400, (await browser.Post("/dashboard/wallets", left, ("name", "left open"))).Status);
        Assert.Equal(302, (await browser.Submit("/dashboard/wallets", "/dashboard/wallets", ("name", "his own"))).Status);
    }

    [Fact]
    public async Task A_hash_with_fewer_rounds_is_made_anew_at_sign_in()
    {
        await using var world = await World.Start(cluster);
        await Browser.User(await world.Account(), "alice");
        var salt = RandomNumberGenerator.GetBytes(16);
        await world.Execute("UPDATE dashboard_user SET password_hash = $1, password_salt = $2, password_rounds = 1000",
            Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(Browser.Password), salt, 1000, HashAlgorithmName.SHA256, 32), salt);
        Assert.Equal(401, (await new Browser(world).SignIn("alice", "wrong horse battery")).Status);
        Assert.Equal(1000, await world.Query<int>("SELECT password_rounds FROM dashboard_user"));
        Assert.Equal(302, (await new Browser(world).SignIn("alice")).Status);
        Assert.Equal(PasswordHash.RoundsNow, await world.Query<int>("SELECT password_rounds FROM dashboard_user"));
        Assert.Equal(302, (await new Browser(world).SignIn("alice")).Status);
    }

    [Fact]
    public async Task Sessions_are_listed_and_ended_one_by_one_each_user_his_own()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (here, other) = (await Browser.SignedIn(account), await Browser.SignedIn(account, "bob"));
        var there = new Browser(world);
        await there.SignIn("alice");
        var id = (await world.Query<Guid>("SELECT id FROM credential WHERE kind = 3 ORDER BY created_at DESC LIMIT 1")).ToString();
        Assert.Contains(id, (await here.Get("/dashboard/me")).Text);
        Assert.DoesNotContain(id, (await other.Get("/dashboard/me")).Text);
        Assert.Equal(404, (await other.Submit("/dashboard/me", "/dashboard/me?handler=End", ("id", id))).Status);
        Assert.Equal(200, (await there.Get("/")).Status);
        Assert.Equal(302, (await here.Submit("/dashboard/me", "/dashboard/me?handler=End", ("id", id))).Status);
        Assert.Equal(302, (await there.Get("/")).Status);
        Assert.DoesNotContain(id, (await here.Get("/dashboard/me")).Text);
    }

    [Fact]
    public async Task Many_who_sign_in_at_once_are_told_to_wait_instead_of_taking_the_processor()
    {
        await using var world = await World.Start(cluster, new Settings { TokenRequestsPerMinute = 1_000 });
        var browser = new Browser(world);
        var token = await browser.Token("/sign-in");
        var answers = await Task.WhenAll(Enumerable.Range(0, 48).Select(i => browser.Copy().Post("/sign-in", token, ("name", $"nobody {i}"), ("password", "x"))));
        Assert.All(answers, one => Assert.Contains(one.Status, (int[])[401, 503]));
        Assert.Contains(answers, one => one.Status == 503);
        Assert.Contains(answers, one => one.Status == 401);
    }

    private static Task<Got> Prove(Browser browser, string password, string to, string present = "") =>
        browser.Submit(Sessions.ProofPath, Sessions.ProofPath, ("password", password), ("present", present), ("to", to));

    private static Task<long> Decided(World world) => Count(world, "withdrawal WHERE decided_by IS NOT NULL");

    private static Task<long> Count(World world, string of) => world.Query<long>($"SELECT count(*) FROM {of}");
}
