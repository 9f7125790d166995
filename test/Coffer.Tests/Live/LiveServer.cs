using System.Text;
using System.Text.Json;
using Coffer.Server.Sql;
using Coffer.Tests.Cli;
using Coffer.Tests.OpenApi;

namespace Coffer.Tests.Live;

/// <summary>
/// <c>coffer serve</c> as an operator runs it, on a data folder of its own and with a chains file, and one live account that was made with
/// the command line. Everything is killed and deleted at the end.
/// </summary>
internal sealed class LiveServer : IDisposable
{
    private const string Listens = "Coffer listens on ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly string root = Directory.CreateTempSubdirectory("coffer-live-").FullName;
    private readonly HttpClient http = Answers.Client();
    private readonly List<Binary> started = [];
    private Binary server = null!;
    private string url = "";

    public string Data => Path.Combine(root, "data");

    public string Wallet { get; private set; } = "";

    public string ApiKey { get; private set; } = "";

    private string Token { get; set; } = "";

    private string Chains => Path.Combine(root, "chains.json");

    private string Currencies => Path.Combine(root, "currencies.json");

    /// <summary>Starts it with these chains and, when given, with these currencies.</summary>
    public static async Task<LiveServer> Start(object chains, object[]? currencies = null)
    {
        var live = new LiveServer();
        await File.WriteAllTextAsync(live.Chains, JsonSerializer.Serialize(new { chains }));
        if (currencies is not null)
            await File.WriteAllTextAsync(live.Currencies, JsonSerializer.Serialize(currencies));
        await live.Up();
        var account = await live.Cli("account", "create", "--name", "Shop");
        var id = account.GetProperty("account_id").GetString()!;
        live.Wallet = account.GetProperty("wallet_id").GetString()!;
        live.ApiKey = (await live.Cli("key", "create", "--account", id, "--scopes", "read,write")).GetProperty("api_key").GetString()!;
        var client = await live.Cli("client", "create", "--account", id, "--scopes", "read,write");
        live.Token = await live.AccessToken(client);
        return live;
    }

    /// <summary>Starts it again on the same folder.</summary>
    public async Task Up()
    {
        server = Binary.Start([.. (string[])["serve", "--port", "0"], .. Where()]);
        started.Add(server);
        await Until(() => Task.FromResult(server.Output.Contains(Listens, StringComparison.Ordinal) || server.HasExited));
        Assert.False(server.HasExited, server.Error);
        url = server.Output[(server.Output.IndexOf(Listens, StringComparison.Ordinal) + Listens.Length)..].Split('\n')[0].Trim();
    }

    /// <summary>kill -9.</summary>
    public Task Kill() => server.Signal(Postmaster.Kill);

    /// <summary>A command of the command line beside the server; its JSON.</summary>
    public async Task<JsonElement> Cli(params string[] arguments) => (await Run(arguments)).Json;

    public Task<Ended> Run(params string[] arguments) => Binary.Run([.. arguments, "--json", .. Where()]);

    public async Task<string> Address(string currency) =>
        (await Send(HttpMethod.Post, "/wallets/payment", new { wallet_id = Wallet, currency })).GetProperty("address").GetProperty("address").GetString()!;

    /// <summary>What the wallet has of a currency: total and pending, as customers see it; null before anything moved.</summary>
    public async Task<(string Amount, string Pending)?> Balance(string currency)
    {
        var balances = (await Get($"/wallets/balances?wallet_id={Wallet}")).GetProperty("result").GetProperty("balances");
        foreach (var line in balances.EnumerateArray().Where(line => line.GetProperty("currency").GetString() == currency))
            return (line.GetProperty("amount").GetString()!, line.GetProperty("pendingAmount").GetString()!);
        return null;
    }

    /// <summary>Asks again and again until the wallet has this.</summary>
    public async Task Await(string currency, string amount, string pending)
    {
        (string, string)? seen = null;
        await Until(async () => (seen = await Balance(currency)) == (amount, pending), () => $"{currency} is {seen}, not {(amount, pending)}");
    }

    public Task<JsonElement> Get(string path) => Send(HttpMethod.Get, path, null);

    public async Task<JsonElement> Send(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, url + path);
        if (path.StartsWith("/user/", StringComparison.Ordinal))
            request.Headers.Authorization = new("Bearer", Token);
        else
            request.Headers.Add("X-API-Key", ApiKey);
        if (body is not null)
            request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Waits for something to become true; fails with the sentence.</summary>
    public static async Task Until(Func<Task<bool>> condition, Func<string>? otherwise = null)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !await condition(); await Task.Delay(100))
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, otherwise?.Invoke() ?? "It did not happen.");
    }

    public void Dispose()
    {
        http.Dispose();
        started.ForEach(binary => binary.Dispose());
        var postmaster = new Postmaster(Path.Combine(Data, "cluster"));
        foreach (var pid in postmaster.Processes())
            Postmaster.Signal(pid, Postmaster.Kill);
        for (var tries = 0; postmaster.Processes().Count > 0 && tries < 200; tries++)
            Thread.Sleep(10);
        Directory.Delete(root, recursive: true);
    }

    private string[] Where() => ["--data", Data, "--chains", Chains, .. (string[])(File.Exists(Currencies) ? ["--currencies", Currencies] : [])];

    private async Task<string> AccessToken(JsonElement client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{url}/o/token/")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "read write")]),
        };
        var (id, secret) = (client.GetProperty("client_id").GetString(), client.GetProperty("client_secret").GetString());
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{id}:{secret}")));
        using var response = await http.SendAsync(request);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("access_token").GetString()!;
    }
}
