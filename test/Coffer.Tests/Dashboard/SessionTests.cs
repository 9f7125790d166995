using Coffer.Server.Auth;
using Npgsql;

namespace Coffer.Tests.Dashboard;

/// <summary>When a session ends, and what ends with it.</summary>
public sealed class SessionTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_that_only_asks_by_itself_does_not_keep_its_session()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var browser = await Browser.SignedIn(await world.Account());
        await browser.Get("/");
        browser.Headers[Sessions.RefreshHeader] = "1";
        for (var i = 0; i < 5; i++)
        {
            time.Advance(SessionRow.IdleMax / 6);
            Assert.Equal(200, (await browser.Get("/")).Status);
        }

        time.Advance(SessionRow.IdleMax / 6);
        Assert.Equal(302, (await browser.Get("/")).Status);
    }

    [Fact]
    public async Task A_stream_ends_with_its_session_however_that_ends()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var account = await world.Account();
        var user = await Browser.User(account, "alice");
        (string, Func<Browser, Task>)[] ends =
        [
            ("signed out", browser => browser.Submit("/", "/dashboard/sign-out")),
            ("disabled", _ => world.App.Db.Transaction((tx, ct) => tx.SetDisabled(user.Id, time.GetUtcNow(), ct), Ct)),
            ("idle", _ =>
            {
                time.Advance(SessionRow.IdleMax);
                return Task.CompletedTask;
            }),
        ];
        foreach (var (how, end) in ends)
        {
            await world.App.Db.Transaction((tx, ct) => tx.SetDisabled(user.Id, null, ct), Ct);
            var browser = new Browser(world);
            await browser.SignIn("alice");
            await browser.Get("/");
            using var request = new HttpRequestMessage(HttpMethod.Get, Sessions.LivePath);
            request.Headers.Add("Cookie", $"{Sessions.Cookie}={browser.Cookies[Sessions.Cookie]}");
            using var stream = await world.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            Assert.Equal("text/event-stream", stream.Content.Headers.ContentType!.MediaType);
            await end(browser);
            var read = stream.Content.ReadAsStringAsync(Ct);
            Assert.True(await Task.WhenAny(read, Task.Delay(TimeSpan.FromSeconds(20), Ct)) == read, $"The stream of a session that is {how} goes on.");
        }
    }

    [Fact]
    public async Task A_password_that_is_reset_while_it_is_checked_opens_nothing()
    {
        await using var world = await World.Start(cluster);
        await Browser.User(await world.Account(), "alice");
        var browser = new Browser(world);
        await using var reset = await Reset.Begin(world);
        var signingIn = browser.SignIn("alice");
        await reset.Commit();
        Assert.Equal(401, (await signingIn).Status);
        Assert.Equal(0, await world.Query<long>("SELECT count(*) FROM credential WHERE kind = 3"));
    }

    [Theory]
    [InlineData("Password")]
    [InlineData("Totp")]
    public async Task A_session_that_is_ended_meanwhile_changes_nothing(string handler)
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var browser = await Browser.SignedIn(await world.Account());
        var (encrypted, secret) = await Authenticator.Offered(browser);
        var token = await browser.Token("/dashboard/me");
        await using var reset = await Reset.Begin(world);
        var changing = browser.Post($"/dashboard/me?handler={handler}", token, ("password", Browser.Password), ("fresh", "another horse battery"),
            ("secret", encrypted), ("code", Authenticator.Code(secret, time)));
        await reset.Commit();
        var answer = await changing;
        Assert.Equal((302, "/sign-in"), (answer.Status, answer.Header("Location")));
        Assert.True(await world.Query<bool>("SELECT password_hash = '\\x00' AND totp IS NULL FROM dashboard_user"));
    }

    [Fact]
    public async Task Whoever_has_a_session_and_the_password_does_not_replace_the_authenticator_without_it()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var browser = await Browser.SignedIn(await world.Account());
        var mine = await Authenticator.SetUp(browser, time);
        var before = await world.Query<byte[]>("SELECT totp FROM dashboard_user");
        var (encrypted, secret) = await Authenticator.Offered(browser);
        Task<Got> Replace(string present) => browser.Submit("/dashboard/me", "/dashboard/me?handler=Totp", ("password", Browser.Password),
            ("secret", encrypted), ("code", Authenticator.Code(secret, time)), ("present", present));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(422, (await Replace("")).Status);
        Assert.Equal(422, (await Replace(Authenticator.Code(secret, time))).Status);
        Assert.Equal(422, (await browser.Submit("/dashboard/me", "/dashboard/me?handler=Password", ("password", Browser.Password),
            ("fresh", "another horse battery"))).Status);
        Assert.Equal(before, await world.Query<byte[]>("SELECT totp FROM dashboard_user"));
        Assert.Equal(302, (await Replace(Authenticator.Code(mine, time))).Status);
        Assert.NotEqual(before, await world.Query<byte[]>("SELECT totp FROM dashboard_user"));
    }

    [Fact]
    public async Task What_the_database_has_of_an_authenticator_is_not_read_by_sending_it_as_a_form()
    {
        var time = new SteppedTime();
        await using var world = await World.Start(cluster, time: time);
        var browser = await Browser.SignedIn(await world.Account());
        var secret = await Authenticator.SetUp(browser, time);
        var stored = Convert.ToBase64String(await world.Query<byte[]>("SELECT totp FROM dashboard_user"));
        var answer = await browser.Submit("/dashboard/me", "/dashboard/me?handler=Totp", ("secret", stored));
        Assert.DoesNotContain(secret, answer.Text.Replace(" ", ""));
        Assert.Equal(302, answer.Status);
    }

    /// <summary>An operator's <c>coffer user reset</c> that has written and not committed yet.</summary>
    private sealed class Reset(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        private const int LooksMax = 600;

        public static async Task<Reset> Begin(World world)
        {
            var connection = new NpgsqlConnection(world.Database);
            await connection.OpenAsync(Ct);
            var reset = new Reset(connection, await connection.BeginTransactionAsync(Ct));
            await reset.Do("UPDATE dashboard_user SET password_hash = '\\x00', totp = NULL");
            await reset.Do("UPDATE credential SET revoked_at = now() WHERE kind = 3");
            return reset;
        }

        /// <summary>As soon as somebody waits for it.</summary>
        public async Task Commit()
        {
            for (var i = 0; await Waiting() == 0; i++)
            {
                Assert.True(i < LooksMax, "Nobody has waited for it.");
                await Task.Delay(50, Ct);
            }

            await transaction.CommitAsync(Ct);
        }

        public async ValueTask DisposeAsync() => await connection.DisposeAsync();

        private async Task<long> Waiting()
        {
            await using var command = new NpgsqlCommand(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pg_backend_pid() = ANY (pg_blocking_pids(pid))", connection, transaction);
            return (long)(await command.ExecuteScalarAsync(Ct))!;
        }

        private async Task Do(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }
}
