using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Chains;
using Coffer.Server;
using Coffer.Server.Auth;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Tests.OpenApi;
using Npgsql;

namespace Coffer.Tests;

/// <summary>
/// A running server in this process on a free port, with a fresh database of its own, and what a test does with it: make accounts and
/// credentials, send requests, look into the database. One per test: <c>await using var world = await World.Start(cluster);</c>
/// </summary>
internal sealed class World : IAsyncDisposable
{
    private const int Shards = 2;

    // One folder for all: a world that goes on with another's database must read what that one encrypted.
    private static readonly string Keys = Path.Combine(AppContext.BaseDirectory, "keys");
    private int _accounts;

    private World(App app, string database, Ids ids, TimeProvider time)
    {
        (App, Database, Ids, Time) = (app, database, ids, time);
        var plain = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        Http = Answers.Client(plain);
        Http.BaseAddress = new Uri(app.BaseUrl);
    }

    public App App { get; }

    /// <summary>The connection string of the world's database.</summary>
    public string Database { get; }

    public Ids Ids { get; }

    public TimeProvider Time { get; }

    /// <summary>A client without any credential.</summary>
    public HttpClient Http { get; }

    public static Task<World> Start(TestCluster cluster, Settings? settings = null, TimeProvider? time = null, Currencies? currencies = null) =>
        StartOn(cluster.NewDatabase(), settings, time, currencies);

    /// <summary>A server that follows these chains, made in this way.</summary>
    public static Task<World> StartWith(
        Task<string> database, IReadOnlyList<ChainEntry> chains, MakeChain make, Currencies? currencies = null) =>
        StartOn(database, null, null, currencies, chains, make);

    /// <summary>A second process on the database of a world that runs, or ran.</summary>
    public static Task<World> StartOn(string database, TimeProvider time, Currencies currencies) =>
        StartOn(Task.FromResult(database), null, time, currencies);

    /// <inheritdoc cref="StartOn(string, TimeProvider, Currencies)"/>
    public static Task<World> StartOn(string database, Settings? settings = null, TimeProvider? time = null) =>
        StartOn(Task.FromResult(database), settings, time);

    /// <summary>An account with its default wallet.</summary>
    public async Task<TestAccount> Account(Mode mode = Mode.Test)
    {
        var number = Interlocked.Increment(ref _accounts);
        var account = new Account(new AccountId(Ids.New()), (short)(number % Shards), mode, $"Account {number}", Time.GetUtcNow());
        await App.Db.Transaction((tx, ct) => tx.Insert(account, ct), CancellationToken.None);
        return new TestAccount(this, account, await Wallet(account, "Default Wallet", isDefault: true));
    }

    public async Task<WalletId> Wallet(Account account, string name, bool isDefault = false)
    {
        var id = Ids.New();
        await Execute("""
            INSERT INTO wallet (shard, account_id, id, name, is_default, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
            """, account.Shard, account.Id.Value, id, name, isDefault, Time.GetUtcNow().UtcDateTime);
        return new WalletId(id);
    }

    /// <summary>Sends a request; headers as name and value, the body as JSON.</summary>
    public async Task<Got> Send(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Send(request);
    }

    public async Task<Got> Send(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request);
        return new Got((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(), response.Headers, response.Content.Headers);
    }

    /// <summary>Posts a form to one of the paths under /o/, with client authentication by Basic when a client is given.</summary>
    public Task<Got> Form(string path, TestClient? basic, params (string Name, string Value)[] fields)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))),
        };
        if (basic is not null)
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{basic.Id}:{basic.Secret}")));
        return Send(request);
    }

    /// <summary>Mines on an account's simulated chain until its withdrawals are finished; the worker may have begun some, and ends those itself.</summary>
    public async Task FinishWithdrawals(string apiKey)
    {
        for (var i = 0; i < 200; i++)
        {
            await Send(HttpMethod.Post, "/sandbox/blocks", """{"count":12}""", ("X-API-Key", apiKey));
            if (await Query<long>("SELECT count(*) FROM withdrawal WHERE state IN (1, 2, 3, 4, 5, 10) AND NOT (state = 1 AND needs_approval)") == 0)
                return;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Fail("Some withdrawals are never finished.");
    }

    /// <summary>Runs a statement past the application, as the owner of the database.</summary>
    public async Task<int> Execute(string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(Database);
        await connection.OpenAsync();
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row.</summary>
    public async Task<T> Query<T>(string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(Database);
        await connection.OpenAsync();
        await using var command = Command(connection, sql, parameters);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.DisposeAsync();
        NpgsqlConnection.ClearPool(new NpgsqlConnection(Database));
    }

    private static async Task<World> StartOn(Task<string> database, Settings? settings, TimeProvider? time, Currencies? currencies = null,
        IReadOnlyList<ChainEntry>? chains = null, MakeChain? make = null)
    {
        var clock = time ?? TimeProvider.System;
        var connectionString = await database;
        var app = await App.Start((settings ?? new Settings()) with { Port = 0, KeysFolder = Keys }, connectionString, Shards, currencies ?? AllCurrencies, clock,
            RandomNumberGenerator.Fill, CancellationToken.None, chains, make);
        return new World(app, connectionString, new Ids(clock, RandomNumberGenerator.Fill), clock);
    }

    /// <summary>The currencies of the file that ships with the server.</summary>
    public static Currencies AllCurrencies { get; } = Currencies();

    private static Currencies Currencies()
    {
        using var stream = typeof(App).Assembly.GetManifestResourceStream("currencies.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return CurrenciesFile.Parse(bytes.ToArray());
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}

/// <summary>An answer, read to its end.</summary>
internal sealed record Got(int Status, byte[] Body, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The code of the error envelope.</summary>
    public string ErrorCode => Json.GetProperty("error").GetProperty("code").GetString()!;

    /// <summary>A header's values as they were sent, with commas between, or null.</summary>
    public string? Header(string name) =>
        Headers.NonValidated.TryGetValues(name, out var values) || ContentHeaders.NonValidated.TryGetValues(name, out values)
            ? string.Join(", ", values) : null;
}

internal sealed record TestClient(string Id, string Secret);

/// <summary>An account, and requests with a credential of it.</summary>
internal sealed record TestAccount(World World, Account Account, WalletId DefaultWallet)
{
    private const Scopes All = Scopes.Read | Scopes.Write;

    public AccountId Id => Account.Id;

    public async Task<string> ApiKey(Scopes scopes = All, IReadOnlyList<Guid>? wallets = null, IReadOnlyList<string>? addresses = null,
        DateTimeOffset? expiresAt = null) =>
        (await World.App.Issue.ApiKey(Account, "test key", scopes, wallets, addresses, expiresAt, CancellationToken.None)).Secret;

    public async Task<TestClient> Client(Scopes scopes = All)
    {
        var (secret, client) = await World.App.Issue.Client(Account, "test client", scopes, CancellationToken.None);
        return new TestClient(client.ClientId, secret);
    }

    /// <summary>An access token with these scopes, made without a request.</summary>
    public async Task<string> Token(Scopes scopes = All)
    {
        var (_, client) = await World.App.Issue.Client(Account, "test client", scopes, CancellationToken.None);
        return await World.App.Issue.Token(client, scopes, TimeSpan.FromHours(1), CancellationToken.None);
    }

    public Task<WalletId> Wallet(string name) => World.Wallet(Account, name);
}
