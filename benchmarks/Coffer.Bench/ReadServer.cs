using System.Security.Cryptography;
using System.Text.Json;
using Coffer.Server;
using Coffer.Server.Host;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Coffer.Bench;

/// <summary>
/// The server side of the read measurements, a process of its own: the product as it is, and beside it, in the same process, a bare
/// Kestrel that answers a constant without any of our code in the way. Prints where both listen and ends with its input.
/// </summary>
internal static class ReadServer
{
    public static async Task<int> Run(string connectionString, string constant, bool silent)
    {
        var keys = Directory.CreateTempSubdirectory("coffer-bench-keys-").FullName;
        var settings = new Settings { Port = 0, RequestsPerSecond = 100_000, TokenRequestsPerMinute = 10_000, KeysFolder = keys };
        await using var app = await App.Start(settings, connectionString, PostingBench.Shards, BenchAccounts.Currencies, TimeProvider.System,
            RandomNumberGenerator.Fill, CancellationToken.None, guests: silent ? Silent.Guests() : null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var body = Convert.FromBase64String(constant);
        await using var bare = builder.Build();
        bare.MapGet("/constant", http =>
        {
            http.Response.ContentType = "application/json; charset=utf-8";
            http.Response.ContentLength = body.Length;
            return http.Response.Body.WriteAsync(body).AsTask();
        });
        await bare.StartAsync();
        Console.WriteLine(JsonSerializer.Serialize(new[] { app.BaseUrl, bare.Urls.First() }));
        while (await Console.In.ReadLineAsync() is not null)
            Console.WriteLine(Environment.WorkingSet);
        Directory.Delete(keys, recursive: true);
        return 0;
    }
}
