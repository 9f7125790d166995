using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Coffer.Server.Sql;
using Coffer.Tests.OpenApi;
using Npgsql;

namespace Coffer.Tests.Cli;

/// <summary>The commands of the real program on a database of the test run.</summary>
public sealed class CommandTests(TestCluster cluster) : IDisposable
{
    private readonly string temp = Directory.CreateTempSubdirectory("coffer-cli-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(temp, recursive: true);

    [Fact]
    public async Task An_operator_makes_an_account_with_credentials_corrects_it_and_proves_the_ledger()
    {
        var database = await cluster.NewDatabase();
        var account = await Json(database, "account", "create", "--name", "Acme", "--mode", "test");
        var (id, wallet) = (Text(account, "account_id"), Text(account, "wallet_id"));
        var key = await Json(database, "key", "create", "--account", id, "--scopes", "read", "--wallet", wallet, "--address", "127.0.0.0/8",
            "--expires", "2100-01-01T00:00:00Z");
        Assert.StartsWith("cfk_test_", Text(key, "api_key"), StringComparison.Ordinal);
        Assert.Equal(["read"], key.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()));
        var client = await Json(database, "client", "create", "--account", id, "--scopes", "read,write");
        Assert.StartsWith("cfs_", Text(client, "client_secret"), StringComparison.Ordinal);
        Assert.Equal("0.9999", Text(await Json(database, "rate", "set", "usdterc20", "0.9999"), "rate_usd"));

        string[] correction = ["correct", "--account", id, "--wallet", wallet, "--currency", "USDTERC20", "--reason", "ticket 4711"];
        var first = await Json(database, [.. correction, "--amount", "12.50", "--reference", "t-4711"]);
        Assert.Equal(("12.500000", false), (Text(first, "amount"), first.GetProperty("replayed").GetBoolean()));
        var again = await Json(database, [.. correction, "--amount", "12.50", "--reference", "t-4711"]);
        Assert.Equal((Text(first, "movement_id"), true), (Text(again, "movement_id"), again.GetProperty("replayed").GetBoolean()));
        await Json(database, [.. correction, "--amount=-2.25"]);
        await Refused(database, 1, "the wallet has 10.25 USDTERC20 available, 10.26 would be taken", [.. correction, "--amount=-10.26"]);

        using (var server = Serve(database))
        {
            var url = await Url(server);
            using var http = Answers.Client();
            http.DefaultRequestHeaders.Add("X-API-Key", Text(key, "api_key"));
            Assert.Contains("\"amount\":\"10.25\"",
                await http.GetStringAsync($"{url}/wallets/balances?wallet_id={wallet}", Ct), StringComparison.Ordinal);
            await Json(database, "key", "revoke", Text(key, "id"));
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync($"{url}/wallets/balances?wallet_id={wallet}", Ct)).StatusCode);
            Assert.Equal("{\"status\":\"live\"}", await http.GetStringAsync($"{url}/health/live", Ct));
            Assert.Equal("{\"status\":\"ready\",\"chains\":[],\"hot_wallets\":[]}", await http.GetStringAsync($"{url}/health/ready", Ct));
            Assert.Equal((0, ""), await server.Signal(15) is var ended ? (ended.Status, ended.Error) : default);
        }

        var proof = await Json(database, "verify");
        Assert.Equal((true, 2), (proof.GetProperty("clean").GetBoolean(), proof.GetProperty("postings").GetInt32()));
    }

    [Fact]
    public async Task Verify_names_a_changed_row_and_fails()
    {
        var database = await cluster.NewDatabase();
        var account = await Json(database, "account", "create", "--name", "Acme");
        await Json(database, "correct", "--account", Text(account, "account_id"), "--wallet", Text(account, "wallet_id"),
            "--currency", "BTC", "--amount", "1", "--reason", "r");
        await Execute(database, "UPDATE balance SET available = available + 1, deposited = deposited + 1");
        var found = await Binary.Run("verify", "--database", database);
        Assert.Equal(1, found.Status);
        Assert.Contains("balance ", found.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("coffer: Required command was not provided. See `coffer --help`.")]
    [InlineData("coffer: 'fly' is no word of it. See `coffer --help`.", "fly")]
    [InlineData("Option '--name' is required", "account", "create")]
    [InlineData("Correct these settings and start again: --port (COFFER_PORT) must be a whole number from 0 to 65535, not \"99999\"; "
        + "--token-seconds (COFFER_TOKEN_SECONDS) must be", "serve", "--port", "99999", "--token-seconds", "1")]
    [InlineData("--shards (COFFER_SHARDS) must be a whole number from 1 to 1024", "serve", "--shards", "0")]
    [InlineData("--scopes must be read, write or read,write", "key", "create", "--account", "x", "--scopes", "all")]
    [InlineData("--expires must be a time such as", "key", "create", "--account", "x", "--scopes", "read", "--expires", "tomorrow")]
    [InlineData("PRICE \"1e3\" is no price in US dollars", "rate", "set", "ETH", "1e3")]
    public async Task Wrong_usage_is_one_sentence_and_status_2(string sentence, params string[] arguments) =>
        OneSentence(await Binary.Run(arguments), 2, sentence);

    [Fact]
    public async Task What_stands_in_the_way_of_a_start_is_one_sentence_and_status_1()
    {
        var database = await cluster.NewDatabase();
        await Refused(database, 1, "There is no account 550e8400-e29b-41d4-a716-446655440000 here",
            "key", "create", "--account", "550e8400-e29b-41d4-a716-446655440000", "--scopes", "read");
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await Refused(database, 1, $"Port {port} on 127.0.0.1 is in use", "serve", "--port", port);
        await Refused(database, 1, "192.0.2.1 is no address of this machine", "serve", "--host", "192.0.2.1", "--port", "0");
        var currencies = Path.Combine(temp, "currencies.json");
        await Refused(database, 1, "The currency file", "serve", "--currencies", currencies);
        await File.WriteAllTextAsync(currencies, "[{\"code\":\"BTC\"}]", Ct);
        await Refused(database, 1, $"{currencies}: The currency file cannot be used; correct it and start again: BTC: ",
            "serve", "--currencies", currencies);
        await Refused(database, 2, "There is no chains file: name it with --chains (COFFER_CHAINS).", "chain", "status");
        await Refused(database, 2, "--from must be the height of a block, not \"-1\"", "chain", "rescan", "--chain", "x", "--from=-1");
        var chains = Path.Combine(temp, "chains.json");
        await File.WriteAllTextAsync(chains, """{"chains":[{"id":"x","kind":"bitcoin","network":"XX","nodes":["http://u:hunter2@h"]}]}""", Ct);
        await Refused(database, 1, $"{chains}: The chains file cannot be used; correct it and start again: x: no currency of the currency "
            + "file is on the network XX.", "serve", "--chains", chains);
        await File.WriteAllTextAsync(chains,
            """{"chains":[{"id":"x","kind":"evm","network":"ETH","chain_id":1,"nodes":["http://h"],"xpub":"xpubnonsense"}]}""", Ct);
        await Refused(database, 1, "start again: x: xpub: ", "serve", "--chains", chains);
        OneSentence(await Binary.Run("serve", "--database", $"postgres://nobody@127.0.0.1:{port}/x?connect_timeout=2"), 1,
            "The database x at 127.0.0.1 cannot be opened");
        OneSentence(await Binary.Run("serve", "--database", "nonsense"), 1, "The connection string cannot be understood");
        OneSentence(await Binary.Run("serve", "--data", "/dev/null/x", "--port", "0"), 1,
            "The data folder /dev/null/x cannot be made or written");
        OneSentence(await Binary.Run("verify", "--data", temp), 1, "There is no ledger in");
        OneSentence(await Binary.Run("demo", "--ready", "/dev/null/x", "--data", temp), 1,
            "The file /dev/null/x of --ready cannot be written");
    }

    [Fact]
    public async Task A_database_is_refused_with_other_shards_other_decimals_or_a_newer_schema()
    {
        var database = await cluster.NewDatabase();
        Assert.Equal(7, (await Json(database, "migrate", "--shards", "7")).GetProperty("shards").GetInt32());
        await Refused(database, 1, "This database was made with 7 shards", "serve", "--shards", "8");
        var account = await Json(database, "account", "create", "--name", "Acme");
        await Json(database, "correct", "--account", Text(account, "account_id"), "--wallet", Text(account, "wallet_id"),
            "--currency", "BTC", "--amount", "1", "--reason", "r");
        var currencies = Path.Combine(temp, "currencies.json");
        const string eth = """{"code":"ETH","name":"Ethereum","network":"ETH","token":"ETH","decimals":18,"confirmations":12}""";
        await File.WriteAllTextAsync(currencies, $"[{eth}]", Ct);
        await Refused(database, 1, "it does not list BTC, which customers have balances in", "serve", "--currencies", currencies);
        const string btc = """{"code":"BTC","name":"Bitcoin","network":"BTC","token":"BTC","decimals":6,"confirmations":3}""";
        await File.WriteAllTextAsync(currencies, $"[{eth},{btc}]", Ct);
        await Refused(database, 1, "BTC has 8 decimals, not 6", "serve", "--currencies", currencies);
        await Execute(database,
            "INSERT INTO migration SELECT number + 1, 'later', 'x', '99.0.0', now() FROM migration ORDER BY number DESC LIMIT 1");
        await Refused(database, 1, "The database needs Coffer 99.0.0 or later", "serve");
    }

    [Fact]
    public async Task Settings_come_from_the_environment_and_options_win()
    {
        var database = await cluster.NewDatabase();
        var ended = await Binary.Run(["serve", "--port", "0"],
            ("COFFER_DATABASE", database), ("COFFER_TOKEN_SECONDS", "1"), ("COFFER_PORT", "x"));
        OneSentence(ended, 2,
            "Correct these settings and start again: --token-seconds (COFFER_TOKEN_SECONDS) must be a whole number from 60 to");
        Assert.DoesNotContain("COFFER_PORT", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_and_help_say_what_there_is()
    {
        Assert.Equal($"coffer {Migrations.Version}\n", (await Binary.Run("--version")).Output);
        var help = await Binary.Run("serve", "--help");
        Assert.Equal((0, ""), (help.Status, help.Error));
        foreach (var variable in (string[])["COFFER_DATABASE", "COFFER_DATA", "COFFER_PORT", "COFFER_TOKEN_SECONDS", "coffer serve --host"])
            Assert.Contains(variable, help.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres://me:p%40ss@db:6432/x?sslmode=verify-full",
        "Host=db;Port=6432;Database=x;Username=me;Password=p@ss;SSL Mode=VerifyFull")]
    [InlineData("postgresql:///x?host=/run/postgresql", "Database=x;Host=/run/postgresql")]
    [InlineData("Host=db;Username=me", "Host=db;Username=me")]
    public void A_connection_url_means_what_it_means_to_libpq(string given, string keywords) =>
        Assert.Equal(keywords, DatabaseUrl.ToKeywords(given));

    private static async Task<JsonElement> Json(string database, params string[] arguments)
    {
        var ended = await Binary.Run([.. arguments, "--json", "--database", database]);
        Assert.True(ended.Status == 0, ended.Error);
        return ended.Json;
    }

    private static async Task Refused(string database, int status, string sentence, params string[] arguments) =>
        OneSentence(await Binary.Run([.. arguments, "--database", database]), status, sentence);

    private static void OneSentence(Ended ended, int status, string sentence)
    {
        Assert.Equal((status, ""), (ended.Status, ended.Output));
        Assert.Contains(sentence, ended.Error, StringComparison.Ordinal);
        Assert.EndsWith("\n", ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error, '\n');
    }

    private static Binary Serve(string database) => Binary.Start("serve", "--port", "0", "--database", database);

    private static async Task<string> Url(Binary server)
    {
        while (!server.Output.Contains("http://", StringComparison.Ordinal))
        {
            Assert.False(server.HasExited, server.Error);
            await Task.Delay(20, Ct);
        }

        return server.Output[server.Output.IndexOf("http://", StringComparison.Ordinal)..].Trim();
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static async Task Execute(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
