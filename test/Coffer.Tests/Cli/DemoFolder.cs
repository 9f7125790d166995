using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Coffer.Server.Sql;

namespace Coffer.Tests.Cli;

/// <summary>A data folder of the demo, what runs on it, and what it answers. Everything is killed and deleted at the end.</summary>
internal sealed class DemoFolder : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("coffer-demo-").FullName;
    private readonly HttpClient _http = OpenApi.Answers.Client();

    public string Data => Path.Combine(_root, "data");

    public string ReadyFile => Path.Combine(_root, "ready.json");

    public Postmaster Postmaster => new(Path.Combine(Data, "cluster"));

    /// <summary>Starts the demo on a free port.</summary>
    public Binary Start() => Binary.Start("demo", "--port", "0", "--data", Data, "--ready", ReadyFile);

    /// <summary>SIGKILL to the server and every process of its PostgreSQL.</summary>
    public async Task KillAll(Binary demo)
    {
        await demo.Signal(Postmaster.Kill);
        foreach (var pid in Postmaster.Processes())
            Postmaster.Signal(pid, Postmaster.Kill);
        while (Postmaster.Processes().Count > 0)
            await Task.Delay(10);
    }

    /// <summary>The three requests of the seeds, in the order of their documents.</summary>
    public async Task<string[]> Answers(JsonElement ready)
    {
        var url = Text(ready, "base_url");
        var token = await Token(ready);
        return
        [
            await Get($"{url}/wallets/balances?wallet_id={Text(ready, "trading_wallet_id")}",
                ("X-API-Key", Text(ready, "trading_api_key"))),
            await Get($"{url}/user/balances/", ("Authorization", $"Bearer {token}")),
            await Get($"{url}/user/balances/history/?currency=USDTERC20&period=7d", ("Authorization", $"Bearer {token}")),
        ];
    }

    public async Task<string> Token(JsonElement ready)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Text(ready, "base_url")}/o/token/")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", "read write")]),
        };
        request.Headers.Authorization = new("Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Text(ready, "client_id")}:{Text(ready, "client_secret")}")));
        using var response = await _http.SendAsync(request);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["access_token"]!.GetValue<string>();
    }

    public Task<string> Get(string url, params (string Name, string Value)[] headers) => Send(HttpMethod.Get, url, null, headers);

    public async Task<string> Send(HttpMethod method, string url, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, url);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }

    public static string Text(JsonElement ready, string name) => ready.GetProperty(name).GetString()!;

    public void Dispose()
    {
        _http.Dispose();
        foreach (var pid in Postmaster.Processes())
            Postmaster.Signal(pid, Postmaster.Kill);
        for (var tries = 0; Postmaster.Processes().Count > 0 && tries < 200; tries++)
            Thread.Sleep(10);
        Directory.Delete(_root, recursive: true);
    }
}
