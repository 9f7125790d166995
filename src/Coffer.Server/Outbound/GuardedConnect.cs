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

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
