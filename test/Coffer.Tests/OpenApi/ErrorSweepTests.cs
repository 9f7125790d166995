using System.Net.Http.Headers;
using System.Text;
using Coffer.Server.Host;
using Npgsql;

namespace Coffer.Tests.OpenApi;

/// <summary>
/// Every request of the description, wrong in each way that a request can be wrong: refused with the status and code of the contract, as the
/// envelope and, for who asks for it, as RFC 9457 problem, with the request's id.
/// </summary>
public sealed class ErrorSweepTests(TestCluster cluster)
{
    private const string Nonsense = "nonsense";

    [Fact]
    public async Task Without_a_credential_or_with_one_that_may_not()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (reads, writes) = (await account.Token(Scopes.Read), await account.Token(Scopes.Write));
        foreach (var asked in Asked.All().Where(one => one.IsSecured))
        {
            await asked.Refused(world, 401, "unauthorized");
            await asked.Refused(world, 403, "forbidden", names: "required_scope", token: asked.Scope == "read" ? writes : reads);
        }
    }

    [Fact]
    public async Task With_a_parameter_that_is_unknown_repeated_or_of_another_word()
    {
        await using var world = await World.Start(cluster);
        var token = await (await world.Account()).Token(Scopes.Read | Scopes.Write | Scopes.Approve);
        // Whoever asks whether the server lives may ask as he likes.
        foreach (var asked in Asked.All().Where(one => one.IsSecured))
        {
            await asked.Refused(world, 400, "invalid_request", names: Nonsense, query: $"?{Nonsense}=1", token: token);
            foreach (var parameter in asked.Parameters("query"))
            {
                var (name, schema) = (parameter.GetProperty("name").GetString()!, Description.Resolved(parameter.GetProperty("schema")));
                await asked.Refused(world, 400, "invalid_request", names: name, query: $"?{name}=1&{name}=1", token: token);
                if (schema.TryGetProperty("enum", out _))
                    await asked.Refused(world, 400, "invalid_request", names: name, query: $"?{name}={Nonsense}", token: token);
            }
        }
    }

    [Fact]
    public async Task With_a_body_that_is_unreadable_or_has_members_that_are_unknown_repeated_or_of_another_word()
    {
        await using var world = await World.Start(cluster);
        var token = await (await world.Account()).Token(Scopes.Read | Scopes.Write | Scopes.Approve);
        var alert = (await world.Send(HttpMethod.Post, "/user/alerts", """{"currency":"BTC","threshold":"1"}""",
            ("Authorization", $"Bearer {token}"))).Json;
        // An alert's amounts are those of its currency, so there has to be one; a webhook, too, is looked for before its changes are read.
        foreach (var asked in Asked.All().Where(one => one.Body is not null && one.Template != "/user/webhooks/{webhook_id}")
            .Select(one => one.Template != "/user/alerts/{alert_id}" ? one : one with { Path = $"/user/alerts/{alert.GetProperty("id").GetString()}" }))
        {
            Task Refused(string body, string? names, int status = 400, string type = "application/json") =>
                asked.Refused(world, status, "invalid_request", names, body: () => new StringContent(body, Encoding.UTF8, type), token: token);

            await Refused($$"""{"{{Nonsense}}":1}""", Nonsense);
            foreach (var body in (string[])[$$"""{"{{Nonsense}}":1,"{{Nonsense}}":1}""", "[]", "1", "{", "{\"a\":\"\\ud800\"}", "\u0000"])
                await Refused(body, "body");
            await Refused("{}", null, 415, "text/plain");
            await Refused(new string(' ', Input.BodyBytesMax + 1), null, 413);
            if (!asked.Body!.Value.TryGetProperty("properties", out var members))
                continue;
            foreach (var member in members.EnumerateObject())
            {
                if (Description.Resolved(member.Value).TryGetProperty("enum", out _))
                    await Refused($$"""{"{{member.Name}}":"{{Nonsense}}"}""", member.Name);
                await Refused($"{{\"{member.Name}\":{{\"a\":1}}}}", member.Name);
            }
        }
    }

    [Fact]
    public async Task Of_what_is_not_there_or_does_not_take_the_method()
    {
        await using var world = await World.Start(cluster);
        var token = await (await world.Account()).Token();
        var all = Asked.All().ToList();
        // A transaction that was not seen is an answer, and there are prices of all currencies.
        foreach (var asked in all.Where(one => one.Body is null
            && one.Parameters("path").Any(p => p.GetProperty("name").GetString() is not ("txid" or "currency"))))
            await asked.Refused(world, 404, "not_found", token: token);
        foreach (var path in (string[])["/nothing", "/wallets/a/b/c", "/user", "/%ff"])
            await new Asked(HttpMethod.Get, path, default).Refused(world, 404, "not_found", token: token);

        HttpMethod[] methods =
        [
            HttpMethod.Get, HttpMethod.Post, HttpMethod.Put, HttpMethod.Patch, HttpMethod.Delete, HttpMethod.Options, HttpMethod.Trace,
        ];
        foreach (var same in all.GroupBy(one => one.Path))
        {
            var taken = all.Where(one => one.Takes(same.Key)).Select(one => one.Method).Distinct().ToList();
            foreach (var method in methods.Except(taken))
            {
                await same.First().Refused(world, 405, "invalid_request", method: method);
                using var request = new HttpRequestMessage(method, same.Key);
                Assert.Equal(taken.Select(one => one.Method).Order(), (await world.Send(request)).Header("Allow")!.Split(", ").Order());
            }
        }
    }

    [Fact]
    public async Task By_who_asks_too_often()
    {
        await using var world = await World.Start(cluster, new Settings { RequestsPerSecond = 1 }, new FakeStamp());
        var token = await (await world.Account()).Token(Scopes.Read | Scopes.Write | Scopes.Approve);
        await world.Send(HttpMethod.Get, "/user/me", null, ("Authorization", $"Bearer {token}"));
        foreach (var asked in Asked.All().Where(one => one.IsSecured))
            await asked.Refused(world, 429, "rate_limit_exceeded", names: "policy", token: token);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/user/me");
        request.Headers.Authorization = new("Bearer", token);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/problem+json"));
        var problem = (await world.Send(request)).Json;
        Assert.Equal("https://iana.org/assignments/http-problem-types#quota-exceeded", problem.GetProperty("type").GetString());
        Assert.Equal("credential", problem.GetProperty("violated-policies")[0].GetString());
    }

    [Fact]
    public async Task Of_a_server_whose_database_is_away_or_is_not_as_it_should_be()
    {
        await using var world = await World.Start(cluster);
        var token = await (await world.Account()).Token();
        Asked[] few = [.. Asked.All().Where(one => one.Path is "/user/balances" or "/wallets/payment" or "/events")];
        Assert.Equal(3, few.Length);
        await world.Execute("ALTER TABLE credential RENAME TO credential_away");
        await few[0].Refused(world, 500, "internal_error", token: token);
        await world.Execute("ALTER TABLE credential_away RENAME TO credential");
        var database = new NpgsqlConnectionStringBuilder(world.Database).Database;
        var superuser = new NpgsqlConnectionStringBuilder(TestCluster.AsSuperuser(world.Database)) { Database = "postgres" };
        await using var above = new NpgsqlConnection(superuser.ConnectionString);
        await above.OpenAsync(TestContext.Current.CancellationToken);
        await using var away = new NpgsqlCommand($"ALTER DATABASE {database} CONNECTION LIMIT 0; "
            + $"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'", above);
        await away.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        foreach (var asked in few)
            await asked.Refused(world, 503, "service_unavailable", token: token);
        await new Asked(HttpMethod.Get, "/health/ready", default).Refused(world, 503, "service_unavailable");
        away.CommandText = $"ALTER DATABASE {database} CONNECTION LIMIT -1";
        await away.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task As_a_problem_only_for_who_asks_for_it()
    {
        await using var world = await World.Start(cluster);
        foreach (var (accept, isProblem) in ((string, bool)[])
            [("application/problem+json", true), ("application/json, application/problem+json", true),
            ("Application/Problem+JSON;q=0.5, */*;q=0.1", true), ("application/json, application/problem+json;q=0.9", false),
            ("application/problem+json;q=0", false), ("application/json", false), ("*/*", false), ("application/*", false), ("not a type", false)])
        {
            var got = await world.Send(HttpMethod.Get, "/nothing", null, ("Accept", accept));
            Assert.Equal((accept, isProblem ? "application/problem+json" : "application/json; charset=utf-8"), (accept, got.Header("Content-Type")));
            Assert.Equal(isProblem, got.Json.TryGetProperty("title", out _));
        }
    }

    /// <summary>Rates are counted on the stamp; it stands still.</summary>
    private sealed class FakeStamp : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => TimeSpan.TicksPerDay;
    }
}
