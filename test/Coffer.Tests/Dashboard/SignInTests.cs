using Coffer.Server.Auth;
using Coffer.Server.Host;

namespace Coffer.Tests.Dashboard;

/// <summary>Who gets into the dashboard, for how long, and what his cookie opens.</summary>
public sealed class SignInTests(TestCluster cluster)
{
    [Fact]
    public async Task Name_and_password_open_the_dashboard_and_its_figures_are_those_of_the_api()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        await world.Send(HttpMethod.Post, "/sandbox/deposits", $$"""{"wallet_id":"{{account.DefaultWallet.Value}}","currency":"USDTERC20","amount":"1234.5"}""", ("X-API-Key", key));
        await world.Send(HttpMethod.Post, "/sandbox/blocks", """{"count":20}""", ("X-API-Key", key));
        var browser = await Browser.SignedIn(account);
        var page = await browser.Get("/");
        Assert.Equal(200, page.Status);
        Assert.Contains("<span class=\"amount\">1234.5<span class=\"zeros\">00000</span></span>", page.Text);
        Assert.Contains("Account 1", page.Text);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_answered_alike()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await Browser.User(account, "alice");
        var gone = await Browser.User(account, "gone");
        await world.App.Db.Transaction((tx, ct) => tx.SetDisabled(gone.Id, world.Time.GetUtcNow(), ct), CancellationToken.None);
        var browser = new Browser(world);
        foreach (var (name, password) in new[] { ("alice", "wrong horse battery"), ("nobody", Browser.Password), ("gone", Browser.Password), ("alice", "") })
        {
            var answer = await browser.SignIn(name, password);
            Assert.Equal(401, answer.Status);
            Assert.Contains("Name, password or code is wrong.", answer.Text);
            Assert.DoesNotContain(Sessions.Cookie, browser.Cookies.Keys);
        }

        Assert.Equal(302, (await browser.SignIn(" ALICE ")).Status);
    }

    [Fact]
    public async Task Guessing_is_slowed_down_for_the_name_and_ends_by_itself()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        await Browser.User(await world.Account(), "alice");
        var browser = new Browser(world);
        for (var i = 0; i < SignIn.TriesPerMinute; i++)
            Assert.Equal(401, (await browser.SignIn("alice", "wrong horse battery")).Status);
        var slowed = await browser.SignIn("alice");
        Assert.Equal(429, slowed.Status);
        Assert.Contains("Too many tries.", slowed.Text);
        Assert.Equal(401, (await browser.SignIn("bob")).Status);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(302, (await browser.SignIn("alice")).Status);
    }

    [Fact]
    public async Task Whoever_knows_the_password_may_not_try_the_codes_through()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var secret = await Authenticator.SetUp(await Browser.SignedIn(await world.Account()), time);
        time.Advance(TimeSpan.FromMinutes(2));
        var browser = new Browser(world);
        for (var i = 0; i < SignIn.CodesPerMinute; i++)
            Assert.Equal(401, (await browser.SignIn("alice", code: "123456")).Status);
        Assert.Equal(429, (await browser.SignIn("alice", code: Authenticator.Code(secret, time))).Status);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(302, (await browser.SignIn("alice", code: Authenticator.Code(secret, time))).Status);
    }

    [Fact]
    public async Task The_cookie_is_for_this_host_alone_and_every_session_has_its_own()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await Browser.User(account, "alice");
        var browser = new Browser(world);
        var first = await browser.SignIn("alice");
        var cookie = first.Headers.GetValues("Set-Cookie").Single(one => one.StartsWith(Sessions.Cookie + "=", StringComparison.Ordinal));
        Assert.StartsWith("__Host-", cookie);
        Assert.All(["; path=/", "; secure", "; httponly", "; samesite="], part => Assert.Contains(part, cookie));
        Assert.DoesNotContain("domain=", cookie);
        var old = browser.Copy();
        Assert.Equal(302, (await browser.Submit("/", "/dashboard/sign-out")).Status);
        await browser.SignIn("alice");
        Assert.NotEqual(old.Cookies[Sessions.Cookie], browser.Cookies[Sessions.Cookie]);
        Assert.Equal("/sign-in", (await old.Get("/")).Header("Location"));
        Assert.Equal(200, (await browser.Get("/")).Status);
    }

    [Fact]
    public async Task The_api_does_not_take_the_cookie_and_the_session_is_no_token()
    {
        await using var world = await World.Start(cluster);
        var browser = await Browser.SignedIn(await world.Account());
        foreach (var path in new[] { "/user/balances/", "/wallets", "/user/me", "/api-keys", "/transactions/" })
            Assert.Equal(401, (await browser.Get(path)).Status);
        Assert.Equal(401, (await world.Send(HttpMethod.Get, "/user/me", null, ("Authorization", $"Bearer {browser.Cookies[Sessions.Cookie]}"))).Status);
        Assert.Equal(401, (await world.Send(HttpMethod.Get, "/wallets", null, ("X-API-Key", browser.Cookies[Sessions.Cookie]))).Status);
    }

    [Fact]
    public async Task A_form_without_its_token_changes_nothing()
    {
        await using var world = await World.Start(cluster);
        var browser = await Browser.SignedIn(await world.Account());
        foreach (var token in new[] { null, "CfDJ8A", await new Browser(world).Token("/sign-in") })
        {
            var answer = await browser.Post("/dashboard/look", token, ("amounts", "hidden"));
            Assert.Equal(400, answer.Status);
            Assert.Contains("load the page again", answer.Text);
        }

        Assert.False(await world.Query<bool>("SELECT hides_amounts FROM dashboard_user"));
        Assert.Equal(302, (await browser.Submit("/", "/dashboard/look", ("amounts", "hidden"))).Status);
        Assert.True(await world.Query<bool>("SELECT hides_amounts FROM dashboard_user"));
    }

    [Fact]
    public async Task A_session_ends_when_it_is_idle_when_it_is_old_and_when_its_user_is_disabled()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var account = await world.Account();
        var user = await Browser.User(account, "alice");
        var browser = new Browser(world);
        await browser.SignIn("alice");
        time.Advance(SessionRow.IdleMax - TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await browser.Get("/")).Status);
        time.Advance(SessionRow.IdleMax - TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await browser.Get("/")).Status);
        time.Advance(SessionRow.IdleMax);
        Assert.Equal(302, (await browser.Get("/")).Status);

        await browser.SignIn("alice");
        for (var age = TimeSpan.Zero; age < SessionRow.AgeMax - TimeSpan.FromMinutes(30); age += TimeSpan.FromMinutes(30))
        {
            Assert.Equal(200, (await browser.Get("/")).Status);
            time.Advance(TimeSpan.FromMinutes(30));
        }

        Assert.Equal(200, (await browser.Get("/")).Status);
        time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(302, (await browser.Get("/")).Status);

        await browser.SignIn("alice");
        await world.App.Db.Transaction((tx, ct) => tx.SetDisabled(user.Id, time.GetUtcNow(), ct), CancellationToken.None);
        Assert.Equal(302, (await browser.Get("/")).Status);
    }

    [Fact]
    public async Task Nobody_is_sent_to_another_site_after_signing_in()
    {
        await using var world = await World.Start(cluster);
        await Browser.User(await world.Account(), "alice");
        foreach (var to in new[] { "https://evil.example/", "//evil.example/", "/\\evil.example", "/dashboard\\..\\evil", "javascript:alert(1)" })
            Assert.Equal("/", (await new Browser(world).SignIn("alice", to: to)).Header("Location"));
        Assert.Equal("/dashboard/currencies/BTC", (await new Browser(world).SignIn("alice", to: "/dashboard/currencies/BTC")).Header("Location"));
    }

    [Fact]
    public async Task Every_page_has_the_headers_and_runs_only_what_has_its_own_nonce()
    {
        await using var world = await World.Start(cluster, new Settings { PublicUrl = "https://coffer.example" });
        var browser = await Browser.SignedIn(await world.Account());
        var nonces = new HashSet<string>();
        foreach (var path in new[] { "/", "/sign-in", "/dashboard/currencies/USDTERC20", "/dashboard/currencies/NONE", "/dashboard/fault" })
        {
            var page = await browser.Get(path);
            var policy = page.Header("Content-Security-Policy")!;
            Assert.All(["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'", "report-uri "],
                part => Assert.Contains(part, policy));
            Assert.DoesNotContain("unsafe", policy);
            Assert.True(nonces.Add(policy.Split("'nonce-")[1].Split('\'')[0]));
            Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
            Assert.Equal("same-origin", page.Header("Referrer-Policy"));
            Assert.Equal("same-origin", page.Header("Cross-Origin-Opener-Policy"));
            Assert.Contains("max-age=63072000", page.Header("Strict-Transport-Security"));
            Assert.Contains("no-store", page.Header("Cache-Control"));
            Assert.DoesNotContain("style=", page.Text);
        }
    }

    [Fact]
    public async Task What_is_not_there_is_a_page_with_the_request_id_and_the_right_status()
    {
        await using var world = await World.Start(cluster);
        var browser = await Browser.SignedIn(await world.Account());
        var page = await browser.Get("/dashboard/currencies/NONE");
        Assert.InRange(page.Status, 400, 404);
        Assert.StartsWith("text/html", page.Header("Content-Type"));
        Assert.Contains(page.Header("Request-Id")!, page.Text);
    }

    [Fact]
    public async Task An_authenticator_is_asked_for_and_each_of_its_codes_works_once()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var account = await world.Account();
        var browser = await Browser.SignedIn(account);
        var secret = await Authenticator.SetUp(browser, time);

        var other = new Browser(world);
        Assert.Equal(401, (await other.SignIn("alice")).Status);
        Assert.Equal(401, (await other.SignIn("alice", code: Authenticator.Code(secret, time))).Status);
        time.Advance(TimeSpan.FromSeconds(Totp.StepSeconds));
        Assert.Equal(302, (await other.SignIn("alice", code: Authenticator.Code(secret, time))).Status);
        Assert.Equal(401, (await new Browser(world).SignIn("alice", code: Authenticator.Code(secret, time))).Status);
        Assert.DoesNotContain(secret, await world.Query<string>("SELECT encode(totp, 'escape') FROM dashboard_user"));
    }
}
