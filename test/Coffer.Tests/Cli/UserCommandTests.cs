using System.Text.RegularExpressions;
using Coffer.Tests.Dashboard;

namespace Coffer.Tests.Cli;

/// <summary><c>coffer user</c> beside a server that runs.</summary>
public sealed partial class UserCommandTests(TestCluster cluster) : IDisposable
{
    private readonly string _temp = Directory.CreateTempSubdirectory("coffer-user-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_temp, recursive: true);

    [Fact]
    public async Task A_user_signs_in_with_what_was_printed_until_it_is_reset_or_he_is_disabled()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        Task<Ended> Run(params string[] arguments) => Binary.Run([.. arguments, "--json", "--database", world.Database]);
        var made = await Run("user", "create", " Alice@Example.com ", "--account", account.Id.ToString(), "--role", "owner");
        Assert.True(made.Status == 0, made.Error);
        var first = made.Json.GetProperty("password").GetString()!;
        var browser = new Browser(world);
        Assert.Equal(302, (await browser.SignIn("alice@example.com", first)).Status);
        Assert.Contains("Account 1", (await browser.Get("/")).Text);

        var second = (await Run("user", "reset", "alice@example.com")).Json.GetProperty("password").GetString()!;
        Assert.Equal(302, (await browser.Get("/")).Status);
        Assert.Equal(401, (await browser.SignIn("alice@example.com", first)).Status);
        Assert.Equal(302, (await browser.SignIn("alice@example.com", second)).Status);

        Assert.Equal(0, (await Run("user", "disable", "alice@example.com")).Status);
        Assert.Equal(302, (await browser.Get("/")).Status);
        Assert.Equal(401, (await browser.SignIn("alice@example.com", second)).Status);
        Assert.Equal(0, (await Run("user", "enable", "alice@example.com")).Status);
        Assert.Equal(302, (await browser.Get("/")).Status);
        Assert.Equal(302, (await browser.SignIn("alice@example.com", second)).Status);
        Assert.DoesNotContain(second, await world.Query<string>("SELECT u::text FROM dashboard_user u"));
    }

    [Fact]
    public async Task What_cannot_be_a_user_is_refused_in_a_sentence()
    {
        await using var world = await World.Start(cluster);
        var id = (await world.Account()).Id.ToString();
        var weak = Path.Combine(_temp, "weak.txt");
        await File.WriteAllTextAsync(weak, "password1234", Ct);
        File.SetUnixFileMode(weak, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Refused(world, 2, "A name has 1 to 100 printable characters.", "create", new string('x', 101), "--account", id, "--role", "owner");
        await Refused(world, 1, "anybody would try first", "create", "bob", "--account", id, "--role", "owner", "--password-file", weak);
        Assert.Equal(0, (await Binary.Run("user", "create", "bob", "--account", id, "--role", "viewer", "--database", world.Database)).Status);
        await Refused(world, 1, "There is a user bob already", "create", "BOB", "--account", id, "--role", "operator");
        foreach (var word in new[] { "reset", "disable", "enable" })
            await Refused(world, 1, "There is no user carol here", word, "carol");
        Assert.Equal(1, await world.Query<long>("SELECT count(*) FROM dashboard_user"));
    }

    [Fact]
    public async Task The_log_says_who_was_guessed_at_and_from_where_and_nothing_that_was_typed()
    {
        await using var world = await World.Start(cluster);
        var id = (await world.Account()).Id.ToString();
        Assert.Equal(0, (await Binary.Run("user", "create", "alice", "--account", id, "--role", "owner", "--database", world.Database)).Status);
        using var server = Binary.Start("serve", "--port", "0", "--database", world.Database, "--keys-folder", Path.Combine(_temp, "keys"));
        while (!server.Output.Contains("http://", StringComparison.Ordinal))
        {
            Assert.False(server.HasExited, server.Error);
            await Task.Delay(20, Ct);
        }

        using var http = new HttpClient { BaseAddress = new Uri(server.Output[server.Output.IndexOf("http://", StringComparison.Ordinal)..].Trim()) };
        using var page = await http.GetAsync("/sign-in", Ct);
        var token = FormToken().Match(await page.Content.ReadAsStringAsync(Ct)).Groups[1].Value;
        http.DefaultRequestHeaders.Add("Cookie", page.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        foreach (var (name, password) in new[] { ("alice", "typed-password-1"), ("typed-password-2", "x") })
        {
            using var form = new FormUrlEncodedContent([new("name", name), new("password", password), new("form_token", token)]);
            Assert.Equal(401, (int)(await http.PostAsync("/sign-in", form, Ct)).StatusCode);
        }

        for (var i = 0; i < 40; i++)
            await http.PostAsync("/dashboard/csp-report", new StringContent($"report {i}\nforged: line"), Ct);
        await server.Signal(15);
        Assert.Contains("authn_login_fail: alice from 127.0.0.1", server.Error);
        Assert.Contains("authn_login_fail: a name that nobody has from 127.0.0.1", server.Error);
        Assert.DoesNotContain("typed-password", server.Error);
        Assert.InRange(server.Error.Split("report ").Length - 1, 1, 25);
        Assert.DoesNotContain("\nforged", server.Error);
    }

    private static async Task Refused(World world, int status, string sentence, params string[] arguments)
    {
        var ended = await Binary.Run(["user", .. arguments, "--database", world.Database]);
        Assert.Equal((status, ""), (ended.Status, ended.Output));
        Assert.Contains(sentence, ended.Error);
    }

    [GeneratedRegex("name=\"form_token\" type=\"hidden\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
