using System.Net;
using System.Net.Sockets;
using Coffer.Server.Host;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Coffer.Server.Signer;

/// <summary>
/// Where the signer listens: a unix socket that its owner alone may open, or loopback. It ends when it is asked to, and at once when its
/// log cannot be written.
/// </summary>
internal sealed class SignerServer : IAsyncDisposable
{
    private const string UnixPrefix = "unix:";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly WebApplication web;
    private readonly TaskCompletionSource fault;

    private SignerServer(WebApplication web, TaskCompletionSource fault) => (this.web, this.fault) = (web, fault);

    /// <exception cref="SetupFailure">It cannot listen there.</exception>
    public static async Task<SignerServer> Start(string listen, string secret, SignPayout sign, CancellationToken ct)
    {
        var fault = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            to => to.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = SignerApi.BodyBytesMax;
            if (listen.StartsWith(UnixPrefix, StringComparison.Ordinal))
                kestrel.ListenUnixSocket(listen[UnixPrefix.Length..]);
            else
                kestrel.Listen(Loopback(new Uri(listen)));
        });
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = Bind);
        var web = builder.Build();
        new SignerApi(sign, secret, why => fault.TrySetException(why)).Map(web);
        try
        {
            if (listen.StartsWith(UnixPrefix, StringComparison.Ordinal))
                await RemoveLeftOver(listen[UnixPrefix.Length..], ct);
            await web.StartAsync(ct);
        }
        catch (Exception cause) when (cause is IOException or SocketException or UnauthorizedAccessException)
        {
            await web.DisposeAsync();
            throw new SetupFailure($"The signer cannot listen on {listen}: another process does, or it may not ({cause.Message.TrimEnd('.')}).");
        }

        return new SignerServer(web, fault);
    }

    /// <summary>Completes when it is asked to end.</summary>
    /// <exception cref="LogFault">The log cannot be written.</exception>
    public async Task WaitForEnd(CancellationToken ct) => await await Task.WhenAny(web.WaitForShutdownAsync(ct), fault.Task);

    public async ValueTask DisposeAsync()
    {
        await web.StopAsync();
        await web.DisposeAsync();
    }

    private static IPEndPoint Loopback(Uri url) =>
        new(IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) ? address : IPAddress.Loopback, url.Port);

    // Nobody can connect before the socket listens, so between this and that its rights are set.
    private static Socket Bind(EndPoint endPoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        if (endPoint is UnixDomainSocketEndPoint)
            File.SetUnixFileMode(endPoint.ToString()!, OwnerOnly);
        return socket;
    }

    // A process that was killed leaves its socket behind; one that somebody answers on stays.
    private static async Task RemoveLeftOver(string path, CancellationToken ct)
    {
        if (!File.Exists(path))
            return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }

        throw new IOException("another signer answers there");
    }
}
