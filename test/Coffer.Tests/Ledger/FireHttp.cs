using System.Text;
using Coffer.Server.Sql;
using Coffer.Tests.Cli;
using Coffer.Tests.OpenApi;

namespace Coffer.Tests.Ledger;

/// <summary>The real server as a process of its own, which is killed and started again, and the way to it.</summary>
internal sealed class FireHttp(string database) : IDisposable
{
    private const string Listens = "Coffer listens on ";
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60), AnswerMax = TimeSpan.FromSeconds(40);

    private readonly HttpClient http = Answers.Client(timeout: AnswerMax);
    private readonly StringBuilder said = new();
    private Binary? process;
    private volatile string? url;

    /// <summary>What the server wrote to its error stream, over all its lives.</summary>
    public string Said => said + process?.Error;

    /// <summary>Starts it on a free port, and waits until it listens.</summary>
    public async Task Start()
    {
        process = Binary.Start("serve", "--database", database, "--port", "0", "--requests-per-second", "100000", "--shards", "2");
        var start = TimeProvider.System.GetTimestamp();
        while (!process.Output.Contains('\n', StringComparison.Ordinal))
        {
            Assert.True(!process.HasExited && TimeProvider.System.GetElapsedTime(start) < StartMax, $"it does not start: {process.Error}");
            await Task.Delay(10);
        }

        url = process.Output.Trim()[Listens.Length..];
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task Kill()
    {
        await process!.Signal(Postmaster.Kill);
        said.Append(process.Error);
        process.Dispose();
        process = null;
    }

    /// <summary>The answer, or null when none came: refused, cut, or nothing for too long.</summary>
    public async Task<Got?> Try(HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, url + path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await http.SendAsync(request);
            var bytes = await response.Content.ReadAsByteArrayAsync();
            return new Got((int)response.StatusCode, bytes, response.Headers, response.Content.Headers);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        process?.Dispose();
        http.Dispose();
    }
}
