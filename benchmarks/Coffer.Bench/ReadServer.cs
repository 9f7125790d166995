using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Server;
using Coffer.Server.Host;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Coffer.Bench;

/// <summary>
/// The server side of the read measurements, a process of its own: the product as it is, and beside it, in the same process, a bare
/// Kestrel that answers a constant without any of our code in the way: an answer of the product, head and body, byte for byte (but for the date,
/// which Kestrel adds to both). Prints where both listen and ends with its input.
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
        var (headers, body) = Parts(Convert.FromBase64String(constant));
        await using var bare = builder.Build();
        bare.MapGet("/constant", http =>
        {
            foreach (var (name, value) in headers)
                http.Response.Headers[name] = value;
            return http.Response.Body.WriteAsync(body).AsTask();
        });
        await bare.StartAsync();
        Console.WriteLine(JsonSerializer.Serialize(new[] { app.BaseUrl, bare.Urls.First() }));
        while (await Console.In.ReadLineAsync() is not null)
            Console.WriteLine(Environment.WorkingSet);
        Directory.Delete(keys, recursive: true);
        return 0;
    }

    private static ((string Name, StringValues Value)[] Headers, byte[] Body) Parts(byte[] answer)
    {
        var end = answer.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return ([], answer);
        var lines = Encoding.ASCII.GetString(answer, 0, end).Split("\r\n")[1..].Select(line => line.Split(": ", 2));
        return ([.. lines.Where(line => line[0] != "Date").Select(line => (line[0], new StringValues(line[1])))], answer[(end + 4)..]);
    }
}
