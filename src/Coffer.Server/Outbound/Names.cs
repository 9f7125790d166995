using System.Collections.Concurrent;
using System.Net;

namespace Coffer.Server.Outbound;

/// <summary>
/// The operating system's resolver. A look-up blocks its thread for as long as name servers are silent and cannot be broken off, and customers choose
/// the names: on the threads that answer requests, a few dozen dead names would stop the server. So each look-up has a thread of its own,
/// and whoever asks for the same name meanwhile shares it. Nothing is kept: the next connection asks anew. Their number is bounded by the
/// attempts that are on their way.
/// </summary>
internal sealed class Names(Func<string, IPAddress[]>? look = null)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> _running = new(StringComparer.Ordinal);
    private readonly Func<string, IPAddress[]> _look = look ?? Dns.GetHostAddresses;

    /// <summary>For <see cref="GuardedConnect"/>.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such name, or no name server answers.</exception>
    public Task<IPAddress[]> Resolve(string host, CancellationToken ct) =>
        // PublicationOnly: a thread that could not be started is not remembered as the name's answer.
        _running.GetOrAdd(host, name => new(() => Start(name), LazyThreadSafetyMode.PublicationOnly)).Value.WaitAsync(ct);

    private Task<IPAddress[]> Start(string host) => Task.Factory.StartNew(
        () =>
        {
            try
            {
                return _look(host);
            }
            finally
            {
                _running.TryRemove(host, out _);
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
