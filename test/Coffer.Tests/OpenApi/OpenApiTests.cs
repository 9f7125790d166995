using Coffer.Server.Auth;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Tests.Docs;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using static Coffer.Tests.OpenApi.Description;

namespace Coffer.Tests.OpenApi;

/// <summary>The description of the API says what the running server does: its routes, its credentials, its words.</summary>
public sealed class OpenApiTests(TestCluster cluster)
{
    [Fact]
    public async Task The_description_names_exactly_the_routes_of_the_running_server()
    {
        await using var world = await World.Start(cluster);
        Assert.Equal(
            Routes(world).Select(one => one.Key).Order(StringComparer.Ordinal),
            Operations().Select(one => one.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Each_request_is_described_with_the_credentials_that_it_takes()
    {
        await using var world = await World.Start(cluster);
        var operations = Operations().ToDictionary();
        foreach (var (key, access) in Routes(world))
        {
            var security = operations[key].GetProperty("security").EnumerateArray().SelectMany(one => one.EnumerateObject()).ToList();
            Assert.Equal(access.Scope != Scopes.None && access.ApiKeys, security.Exists(one => one.Name == "apiKey"));
            Assert.Equal(access.Scope != Scopes.None, security.Exists(one => one.Name == "oauth"));
            // Who may approve, an authorization server does not decide: only the operator gives that scope.
            var scope = access.Scope is Scopes.Read or Scopes.Write ? Credentials.Text(access.Scope) : "";
            Assert.All(security.Where(one => one.Name == "oauth"),
                one => Assert.Equal(scope, string.Join(' ', one.Value.EnumerateArray().Select(word => word.GetString()))));
        }
    }

    [Fact]
    public async Task It_is_served_byte_for_byte_as_it_is_committed()
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(HttpMethod.Get, "/openapi.json");
        Assert.Equal((200, "application/json; charset=utf-8"), (got.Status, got.Header("Content-Type")));
        Assert.Equal(await File.ReadAllBytesAsync(Checkout.Path("docs", "openapi.json"), TestContext.Current.CancellationToken), got.Body);
    }

    [Fact]
    public void Its_words_are_those_of_the_code()
    {
        var schemas = Document.GetProperty("components").GetProperty("schemas");
        Assert.Equal([.. Enum.GetValues<RefusalCode>().Select(Errors.Name).Append("internal_error").Order()], Words("ErrorCode"));
        Assert.Equal([.. EventType.All.Order()], Words("EventTypeName"));
        Assert.Equal([.. EventType.All.Order()], Document.GetProperty("webhooks").EnumerateObject().Select(hook => hook.Name).Order());
        Assert.Equal([.. Enum.GetValues<WithdrawalState>().Select(state => state.Word()).Order()], Words("WithdrawalStatusName"));

        // What each means is said once in the code, and docs/errors.md is held to that.
        var page = File.ReadAllText(Checkout.Path("docs", "errors.md"));
        var meanings = schemas.GetProperty("ErrorCode").GetProperty("x-enumDescriptions").EnumerateObject().ToList();
        Assert.All(meanings, word => Assert.Contains($"| `{word.Name}` | {word.Value.GetString()} |", page));
        Assert.Equal(Words("ErrorCode"), meanings.Select(word => word.Name).Order());

        IEnumerable<string> Words(string schema) =>
            schemas.GetProperty(schema).GetProperty("enum").EnumerateArray().Select(word => word.GetString()!).Order();
    }

    [Fact]
    public async Task The_page_shows_every_request_and_schema_and_loads_nothing()
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(HttpMethod.Get, "/docs");
        Assert.Equal((200, "text/html; charset=utf-8"), (got.Status, got.Header("Content-Type")));
        Assert.StartsWith("default-src 'none'", got.Header("Content-Security-Policy"));
        foreach (var (_, operation) in Operations())
            Assert.Contains($"id=\"{operation.GetProperty("operationId").GetString()}\"", got.Text);
        foreach (var schema in Document.GetProperty("components").GetProperty("schemas").EnumerateObject())
            Assert.Contains($"id=\"schema-{schema.Name}\"", got.Text);
        // A problem's type leads here.
        var codes = Document.GetProperty("components").GetProperty("schemas").GetProperty("ErrorCode").GetProperty("enum");
        foreach (var word in codes.EnumerateArray())
            Assert.Contains($"id=\"ErrorCode-{word.GetString()}\"", got.Text);
        Assert.DoesNotContain("<script", got.Text);
        Assert.DoesNotContain("src=", got.Text);
        Assert.DoesNotContain("<link", got.Text);
        Assert.DoesNotContain("href=\"http", got.Text);
    }

    private static IEnumerable<KeyValuePair<string, Access>> Routes(World world) => world.App.Endpoints.OfType<RouteEndpoint>()
        .Where(route => route.Metadata.GetMetadata<PageActionDescriptor>() is null && route.Metadata.GetMetadata<StaticAssetDescriptor>() is null
            && route.Metadata.GetMetadata<PageAccess>() is null && route.RoutePattern.RawText != Sessions.ReportPath)
        .SelectMany(route => route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method =>
            KeyValuePair.Create($"{method} /{route.RoutePattern.RawText!.Trim('/')}", route.Metadata.GetMetadata<Access>()!)));
}
