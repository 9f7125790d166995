using System.Net;
using System.Net.Sockets;

namespace Coffer.Server.Outbound;

/// <summary>What a name means now; the operating system's resolver in the product.</summary>
internal delegate Task<IPAddress[]> Resolve(string host, CancellationToken ct);

/// <summary>A name meant, at the moment of the call, an address that nothing is sent to.</summary>
internal sealed class PrivateTarget(string reason) : Exception($"The name means an address that nothing is sent to ({reason}).");

/// <summary>
/// Opens connections: resolves, judges every address that it got, and connects to one of exactly those. Between judging and connecting
/// nobody is asked again, so a name that changes its meaning does not help.
/// </summary>
internal sealed class GuardedConnect(NetworkRules rules, Resolve resolve)
{
    /// <summary>How long one of several addresses is tried: the next one may be alive.</summary>
    public static readonly TimeSpan AddressPatience = TimeSpan.FromSeconds(3);

    public async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        IPAddress[] addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await resolve(host, ct);
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        foreach (var address in addresses)
        {
            if (rules.WhyNot(address, port) is { } reason)
                throw new PrivateTarget(reason);
        }

        for (var i = 0; i < addresses.Length - 1; i++)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(AddressPatience);
            try
            {
                return await To(addresses[i], port, patience.Token);
            }
            catch (Exception fault) when (fault is SocketException || (fault is OperationCanceledException && !ct.IsCancellationRequested))
            {
                // The next address; what the last one says is what is told.
            }
        }

        return await To(addresses[^1], port, ct);
    }

    private static async Task<Stream> To(IPAddress address, int port, CancellationToken ct)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
