using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Coffer.Server.Auth;

namespace Coffer.Tests.Dashboard;

/// <summary>A browser without eyes: keeps cookies as one would, fills in forms with their tokens, follows no redirect by itself.</summary>
internal sealed partial class Browser(World world)
{
    public const string Password = "correct horse battery";

    // Browsers take Secure cookies from loopback without TLS; .NET's own container would not send them back.
    private readonly Dictionary<string, string> _cookies = [];

    public IReadOnlyDictionary<string, string> Cookies => _cookies;

    /// <summary>Headers that go with every request.</summary>
    public Dictionary<string, string> Headers { get; } = [];

    /// <summary>A user of the account, past the command line.</summary>
    public static async Task<User> User(TestAccount account, string name, Role role = Role.Owner)
    {
        var (world, owner) = (account.World, account.Account);
        var user = new User(world.Ids.New(), name, owner.Id, owner.Shard, owner.Mode, role, PasswordHash.Of(Password, RandomNumberGenerator.Fill), null, 0,
            world.Time.GetUtcNow(), null);
        Assert.True(await world.App.Db.Transaction((tx, ct) => tx.Insert(user, ct), CancellationToken.None));
        return user;
    }

    /// <summary>A browser of a user who is signed in.</summary>
    public static async Task<Browser> SignedIn(TestAccount account, string name = "alice", Role role = Role.Owner)
    {
        await User(account, name, role);
        var browser = new Browser(account.World);
        Assert.Equal(302, (await browser.SignIn(name)).Status);
        return browser;
    }

    public Task<Got> SignIn(string name, string password = Password, string code = "", string to = "") =>
        Submit("/sign-in", "/sign-in", ("name", name), ("password", password), ("code", code), ("to", to));

    public Task<Got> Get(string path) => Send(new HttpRequestMessage(HttpMethod.Get, path));

    /// <summary>Loads a page again and again until all of these are in it; answers it.</summary>
    public async Task<string> Sees(string path, params string[] parts)
    {
        for (var i = 0; ; i++)
        {
            var text = (await Get(path)).Text;
            var missing = parts.Where(part => !text.Contains(part, StringComparison.Ordinal)).ToList();
            if (missing.Count == 0)
                return text;
            Assert.True(i < 300, $"{string.Join(", ", missing)} in {text}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Loads a page, takes the token of its form and sends the fields.</summary>
    public async Task<Got> Submit(string page, string path, params (string Name, string Value)[] fields) =>
        await Post(path, await Token(page), fields);

    /// <summary>The token of the first form of a page.</summary>
    public async Task<string> Token(string page) => WebUtility.HtmlDecode(FormToken().Match((await Get(page)).Text).Groups[1].Value);

    public Task<Got> Post(string path, string? token, params (string Name, string Value)[] fields) => Send(new HttpRequestMessage(HttpMethod.Post, path)
    {
        Content = new FormUrlEncodedContent(fields.Append(("form_token", token ?? "")).Select(f => KeyValuePair.Create(f.Item1, f.Item2))),
    });

    /// <summary>The same browser's cookies in another one.</summary>
    public Browser Copy()
    {
        var copy = new Browser(world);
        foreach (var (name, value) in _cookies)
            copy._cookies[name] = value;
        return copy;
    }

    private async Task<Got> Send(HttpRequestMessage request)
    {
        using (request)
        {
            if (_cookies.Count > 0)
                request.Headers.Add("Cookie", string.Join("; ", _cookies.Select(one => $"{one.Key}={one.Value}")));
            foreach (var (name, value) in Headers)
                request.Headers.TryAddWithoutValidation(name, value);
            var got = await world.Send(request);
            foreach (var set in got.Headers.TryGetValues("Set-Cookie", out var all) ? all : [])
            {
                var (name, value) = (set[..set.IndexOf('=')], set[(set.IndexOf('=') + 1)..set.IndexOf(';')]);
                if (value.Length == 0)
                    _cookies.Remove(name);
                else
                    _cookies[name] = value;
            }

            return got;
        }
    }

    [GeneratedRegex("name=\"form_token\" type=\"hidden\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
