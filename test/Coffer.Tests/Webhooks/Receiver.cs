using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coffer.Tests.Webhooks;

/// <summary>What a receiver got.</summary>
internal sealed record Received(string Path, string Id, string Timestamp, string Signature, string Body);

/// <summary>A real HTTP server on a free port that takes webhooks and answers as it is told.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly ConcurrentQueue<Received> _received = [];

    private Receiver(WebApplication web) => _web = web;

    /// <summary>What it answers; 204 by itself.</summary>
    public Func<Received, HttpContext, Task> Answer { get; set; } = (_, http) =>
    {
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    };

    public string Url => _web.Urls.First();

    /// <summary>Everything that came, in its order, whatever was answered.</summary>
    public IReadOnlyList<Received> All => [.. _received];

    /// <summary>Starts one; with a certificate it speaks TLS.</summary>
    public static async Task<Receiver> Start(string host = "127.0.0.1", int port = 0, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"{(certificate is null ? "http" : "https")}://{host}:{port}");
        if (certificate is not null)
            builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate));
        var web = builder.Build();
        var receiver = new Receiver(web);
        web.Run(receiver.Take);
        await web.StartAsync();
        return receiver;
    }

    /// <summary>Answers with this status.</summary>
    public void Says(int status, params (string Name, string Value)[] headers) => Answer = (_, http) =>
    {
        http.Response.StatusCode = status;
        foreach (var (name, value) in headers)
            http.Response.Headers[name] = value;
        return Task.CompletedTask;
    };

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _web.StopAsync(now.Token);
        await _web.DisposeAsync();
    }

    private async Task Take(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        var one = new Received(http.Request.Path, http.Request.Headers["webhook-id"].ToString(), http.Request.Headers["webhook-timestamp"].ToString(),
            http.Request.Headers["webhook-signature"].ToString(), body);
        _received.Enqueue(one);
        await Answer(one, http);
    }
}
