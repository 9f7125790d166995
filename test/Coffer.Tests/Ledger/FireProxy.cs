using System.Net.Sockets;

namespace Coffer.Tests.Ledger;

/// <summary>
/// Stands between a server and PostgreSQL's socket, and can cut connections at the worst moments: before a COMMIT got through, or after it
/// was carried out and before its reply came back.
/// </summary>
internal sealed class FireProxy : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coffer-fire-").FullName;
    private readonly string target;
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly HashSet<(Socket Client, Socket Server)> pairs = [];
    private int losing, cutting;
    private volatile TaskCompletionSource? hold;

    public FireProxy(string clusterFolder)
    {
        target = Path.Combine(clusterFolder, ".s.PGSQL.5432");
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, ".s.PGSQL.5432")));
        listener.Listen(64);
        _ = Task.Run(Accept);
    }

    /// <summary>What to connect to instead of the cluster's folder.</summary>
    public string Host => folder;

    /// <summary>How many replies to COMMIT were lost so far.</summary>
    public int Lost { get; private set; }

    /// <summary>The next COMMITs are carried out, their replies are lost.</summary>
    public void LoseReplies(int commits) => Interlocked.Exchange(ref losing, commits);

    /// <summary>The next COMMITs are carried out; who sent them waits for the replies until <see cref="LetGo"/> cuts him off.</summary>
    public void HoldReplies(int commits)
    {
        hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LoseReplies(commits);
    }

    public void LetGo()
    {
        Interlocked.Exchange(ref losing, 0);
        hold?.TrySetResult();
        hold = null;
    }

    /// <summary>The next COMMITs do not get through.</summary>
    public void CutBefore(int commits) => Interlocked.Exchange(ref cutting, commits);

    /// <summary>Cuts every connection where it is.</summary>
    public void CutAll()
    {
        lock (pairs)
        {
            foreach (var (client, server) in pairs) Cut(client, server);
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        LetGo();
        CutAll();
        Directory.Delete(folder, recursive: true);
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync();
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await server.ConnectAsync(new UnixDomainSocketEndPoint(target));
                }
                catch (SocketException)
                {
                    Cut(client, server);
                    continue;
                }

                lock (pairs) pairs.Add((client, server));
                _ = Task.Run(() => Carry(client, server));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task Carry(Socket client, Socket server)
    {
        var lose = new StrongBox();
        await Task.WhenAll(Pump(client, server, there: true, lose), Pump(server, client, there: false, lose));
        lock (pairs) pairs.Remove((client, server));
    }

    private async Task Pump(Socket from, Socket to, bool there, StrongBox lose)
    {
        var buffer = new byte[65_536];
        var commits = new CommitWatch();
        try
        {
            while (await from.ReceiveAsync(buffer, SocketFlags.None) is var count and > 0)
            {
                if (there && commits.IsIn(buffer.AsSpan(0, count)))
                {
                    if (Take(ref cutting)) break;
                    lose.Value = Take(ref losing);
                }
                else if (!there && lose.Value)
                {
                    // PostgreSQL answers COMMIT when it is durable.
                    Lost++;
                    if (hold is { } held) await held.Task;
                    break;
                }

                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other side is gone.
        }

        Cut(from, to);
    }

    private static bool Take(ref int left)
    {
        while (Volatile.Read(ref left) is var now and > 0)
        {
            if (Interlocked.CompareExchange(ref left, now - 1, now) == now) return true;
        }

        return false;
    }

    private static void Cut(Socket one, Socket other)
    {
        one.Dispose();
        other.Dispose();
    }

    /// <summary>Finds a COMMIT in what one connection sends: by its text, or by the name that it was prepared under before.</summary>
    private sealed class CommitWatch
    {
        private static readonly byte[] Text = [.. "COMMIT\0"u8];
        private byte[]? prepared;

        public bool IsIn(ReadOnlySpan<byte> sent)
        {
            var at = sent.IndexOf(Text);
            if (at < 0) return prepared is not null && sent.IndexOf(prepared) >= 0;
            // A Parse message: its length in four bytes, of which the last is not 0, name, text. A simple query has its length before the text.
            var before = sent[..at];
            if (before.Length > 1 && before[^1] == 0 && before[..^1].LastIndexOf((byte)0) is var start && start < before.Length - 2
                && before[(start + 2)..^1] is { Length: > 0 } name)
                prepared = [0, .. name, 0];
            return true;
        }
    }

    private sealed class StrongBox
    {
        public volatile bool Value;
    }
}
