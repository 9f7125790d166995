using System.Reflection;
using System.Text.RegularExpressions;
using Coffer.Server;
using Coffer.Server.Auth;
using Coffer.Server.Dashboard.Pages;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;

namespace Coffer.Tests.Dashboard;

/// <summary>Whatever is sent to a page: an answer, never a fault, and never a script of the sender's.</summary>
public sealed partial class PageInputTests(TestCluster cluster)
{
    private const string Script = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";

    private static readonly string[] _nasty =
    [
        "", "\0", "a\0b", "\ud83d", "😀", "\r\nSet-Cookie: a=b", "../../x", "..%2f..%2fx", "%", "-1", "0", "1e9", "NaN", "99999999999999999999999999",
        "null", "[]", "{}", "'; DROP TABLE wallet; --", Script, new string('x', 20_000), Guid.AllBitsSet.ToString(), "00000000-0000-0000-0000-000000000000",
    ];

    [Fact]
    public async Task No_input_makes_a_page_fail()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var browser = await Browser.SignedIn(account, "op", Role.Operator);
        var token = await browser.Token("/");
        var wallet = account.DefaultWallet.Value.ToString();
        var failed = new List<string>();
        var asked = 0;
        foreach (var (path, model) in Pages(world.App).Where(page => page.Model != typeof(SignOutModel)))
        {
            foreach (var (value, id) in _nasty.SelectMany(value => (IEnumerable<(string, string)>)[(value, wallet), (value, value)]))
            {
                var at = "/" + IdInPath().Replace(path, Uri.EscapeDataString(id));
                if (at == "/" + path && id != wallet)
                    continue;
                foreach (var handler in Handlers(model))
                {
                    var (verb, name) = Split(handler);
                    var fields = Fields(handler).Select(field => (field, value)).ToArray();
                    var query = name.Length > 0 ? [("handler", name), .. fields] : fields;
                    var got = verb == "Get"
                        ? await browser.Get(at + "?" + string.Join('&', query.Select(one => $"{one.Item1}={Uri.EscapeDataString(one.Item2)}")))
                        : await browser.Post(name.Length > 0 ? $"{at}?handler={name}" : at, token, fields);
                    asked++;
                    if (got.Status is >= 500 and not 503 || got.Text.Contains("<script>alert", StringComparison.Ordinal))
                        failed.Add($"{model.Name} {handler.Name} {id} {value}: {got.Status}"[..Math.Min(120, $"{model.Name} {handler.Name} {id} {value}: {got.Status}".Length)]);
                }
            }
        }

        Assert.True(asked > 1000, $"{asked} requests");
        Assert.Empty(failed);
    }

    [Fact]
    public async Task A_page_is_not_shown_for_what_it_has_no_handler_for()
    {
        await using var world = await World.Start(cluster);
        var browser = await Browser.SignedIn(await world.Account(), "op", Role.Operator);
        var token = await browser.Token("/");
        foreach (var path in new[] { "/", "/dashboard/currencies/BTC", "/dashboard/operator", "/dashboard/deposits", "/dashboard/me" })
        {
            foreach (var handler in new[] { "", "?handler=nonsense" })
                Assert.Equal((path, 404), (path, (await browser.Post(path + handler, token)).Status));
        }
    }

    [Fact]
    public async Task Forms_that_no_browser_sends_are_refused()
    {
        await using var world = await World.Start(cluster);
        var browser = await Browser.SignedIn(await world.Account());
        var token = await browser.Token("/");
        Assert.Equal(400, (await browser.Post("/dashboard/wallets", token, [.. Enumerable.Range(0, 2_000).Select(i => ($"a{i}", "b"))])).Status);
        Assert.InRange((await browser.Post("/dashboard/wallets", token, ("name", new string('x', 70_000)))).Status, 400, 413);
        foreach (var (type, body) in new[] { ("multipart/form-data; boundary=x", "--x\r\nnonsense"), ("application/json", "{}"), ("text/plain", "x") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/dashboard/wallets") { Content = new StringContent(body) };
            request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);
            request.Headers.Add("Cookie", string.Join("; ", browser.Cookies.Select(one => $"{one.Key}={one.Value}")));
            Assert.Equal((type, 400), (type, (await world.Send(request)).Status));
        }
    }

    [Fact]
    public async Task Names_and_notes_of_strangers_are_text_on_every_page_and_in_the_csv()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await world.Execute("UPDATE account SET name = $1", Script);
        await world.Execute("UPDATE wallet SET name = $1", Script);
        var browser = await Browser.SignedIn(account, "op", Role.Operator);
        var key = ("X-API-Key", await account.ApiKey());
        var token = ("Authorization", $"Bearer {await account.Token()}");
        var (wallet, other) = (account.DefaultWallet.Value, (await account.Wallet(Script)).Value);
        var text = System.Text.Json.JsonSerializer.Serialize(Script);
        async Task<Got> Post(string path, string body, (string, string) credential)
        {
            var got = await world.Send(HttpMethod.Post, path, body, credential);
            Assert.True(got.Status is 200 or 201, $"{path}: {got.Text}");
            return got;
        }

        await Post("/sandbox/deposits", $$"""{"wallet_id":"{{wallet}}","currency":"USDTERC20","amount":"100"}""", key);
        await Post("/sandbox/blocks", """{"count":20}""", key);
        await Post("/wallets/transfer", $$"""{"from_wallet_id":"{{wallet}}","to_wallet_id":"{{other}}","currency":"USDTERC20","amount":"1","description":{{text}}}""", key);
        var payment = (await Post("/payments", $$"""{"amount":"0.01","currency":"BTC","order_id":{{text}},"description":{{text}}}""", key)).Json.GetProperty("id").GetString();
        var withdrawal = (await Post("/withdrawal", $$"""{"amount":"15","currency":"USDTERC20","address":"{{Http.Withdrawer.Payee}}","custom_id":{{text}}}""", key))
            .Json.GetProperty("id").GetString();
        await Post("/api-keys", $$"""{"name":{{text}},"scopes":["read"]}""", token);
        await world.App.Issue.Client(account.Account, Script, Scopes.Read, TestContext.Current.CancellationToken);
        await world.Execute("UPDATE dashboard_user SET name = $1", Script.ToLowerInvariant());
        foreach (var path in (string[])["/", "/dashboard/wallets", $"/dashboard/wallets/{wallet}", $"/dashboard/wallets/{other}", "/dashboard/transactions",
            "/dashboard/deposits", "/dashboard/payments", $"/dashboard/payments/{payment}", "/dashboard/withdrawals", $"/dashboard/withdrawals/{withdrawal}",
            "/dashboard/withdrawals/new", "/dashboard/alerts", "/dashboard/webhooks", "/dashboard/keys", "/dashboard/me", "/dashboard/operator",
            "/dashboard/currencies/USDTERC20"])
        {
            var page = await browser.Get(path);
            Assert.Equal((path, 200), (path, page.Status));
            var nonce = page.Header("Content-Security-Policy")!.Split("'nonce-")[1].Split('\'')[0];
            Assert.All(ScriptTag().Matches(page.Text), tag => Assert.Contains($"nonce=\"{nonce}\"", tag.Value));
            Assert.DoesNotContain("<img src=x", page.Text);
            Assert.Contains("&lt;script&gt;alert(1)", page.Text);
        }

        await Post("/wallets/transfer", $$"""{"from_wallet_id":"{{wallet}}","to_wallet_id":"{{other}}","currency":"USDTERC20","amount":"1","description":"=HYPERLINK(\"x\")"}""", key);
        Assert.Contains(",\"'=HYPERLINK(\"\"x\"\")\",", (await browser.Get("/dashboard/transactions?handler=Csv")).Text);
    }

    /// <summary>Every page with its path and its model.</summary>
    private static IEnumerable<(string Path, Type Model)> Pages(App app)
    {
        var models = typeof(SignInModel).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(PageModel)) && !type.IsAbstract)
            .ToDictionary(type => type.Name[..^"Model".Length]);
        var pages = app.Endpoints.OfType<RouteEndpoint>().Where(route => route.Metadata.GetMetadata<PageActionDescriptor>() is not null)
            .Select(route => (route.RoutePattern.RawText!.TrimStart('/'), models[route.Metadata.GetMetadata<PageActionDescriptor>()!.ViewEnginePath.TrimStart('/')]))
            .ToList();
        Assert.Equal(models.Count, pages.Select(page => page.Item2).Distinct().Count());
        return pages;
    }

    private static IEnumerable<MethodInfo> Handlers(Type model) =>
        model.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(one => HandlerName().IsMatch(one.Name));

    private static (string Verb, string Name) Split(MethodInfo handler)
    {
        var parts = HandlerName().Match(handler.Name).Groups;
        return (parts[1].Value, parts[2].Value);
    }

    /// <summary>The names that a handler reads from a form or a query.</summary>
    private static IEnumerable<string> Fields(MethodInfo handler) => handler.GetParameters().Where(one => one.ParameterType != typeof(CancellationToken))
        .SelectMany(one => one.ParameterType.Namespace == typeof(SignInModel).Namespace
            ? one.ParameterType.GetProperties().Select(property => property.GetCustomAttribute<FromQueryAttribute>()?.Name ?? property.Name)
            : [one.GetCustomAttribute<FromQueryAttribute>()?.Name ?? one.Name!]);

    [GeneratedRegex("^On(Get|Post)(.*)$")]
    private static partial Regex HandlerName();

    [GeneratedRegex(@"\{\w+(:\w+)?\}")]
    private static partial Regex IdInPath();

    [GeneratedRegex("<script[^>]*>")]
    private static partial Regex ScriptTag();
}
