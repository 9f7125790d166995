using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Coffer.Server.Outbound;
using Coffer.Server.Webhooks;

namespace Coffer.Tests.Docs;

/// <summary>The receivers of the documentation, run as it says: they take what Coffer sends, once, and refuse what it did not send.</summary>
public sealed class ReceiverTests(NodeFolder node)
{
    private static readonly TimeSpan _startMax = TimeSpan.FromMinutes(3);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_one_in_Python_verifies_what_is_sent() => await Verifies("/usr/bin/python3", ["receiver.py"], Copy("receiver.py"));

    [Fact]
    public async Task The_one_in_TypeScript_verifies_what_is_sent()
    {
        var place = await node.Installed();
        File.Copy(Checkout.Path("docs", "receivers", "receiver.ts"), Path.Combine(place, "receiver.ts"), overwrite: true);
        await Verifies("node", ["--import", "tsx", "receiver.ts"], place);
    }

    [Fact]
    public async Task The_one_in_CSharp_verifies_what_is_sent() => await Verifies("dotnet", ["run", "receiver.cs"], Copy("receiver.cs"));

    private static async Task Verifies(string program, string[] arguments, string place)
    {
        var (secret, other, port) = (RandomNumberGenerator.GetBytes(EndpointSecrets.Length), RandomNumberGenerator.GetBytes(EndpointSecrets.Length), FreePort());
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = place, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["WEBHOOK_SECRET"] = EndpointSecrets.Prefix + Convert.ToBase64String(secret);
        start.Environment["PORT"] = $"{port}";
        using var process = Process.Start(start)!;
        var said = new StringBuilder();
        process.OutputDataReceived += (_, line) => Say(line.Data);
        process.ErrorDataReceived += (_, line) => Say(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            using var post = new PostOut(new NetworkRules([IPNetwork.Parse("127.0.0.0/8")], []), TimeProvider.System);
            var now = TimeProvider.System.GetUtcNow();
            Task<Attempt> send(string id, DateTimeOffset at, params byte[][] secrets) => post.Send(new Post($"http://127.0.0.1:{port}/", Mode.Test, id, at,
                """{"type":"deposit.confirmed","timestamp":"2026-01-15T09:30:00Z","data":{}}"""u8.ToArray(), secrets), Ct);
            for (var waiting = Stopwatch.StartNew(); (await send("evt_0", now, secret)).Status is null; await Task.Delay(100, Ct))
                Assert.True(!process.HasExited && waiting.Elapsed < _startMax, $"It does not start: {Said()}");
            Assert.Equal(204, (await send("evt_1", now, secret)).Status);
            Assert.Equal(204, (await send("evt_1", now, secret)).Status);
            // During a rotation there are two signatures, in either order.
            Assert.Equal(204, (await send("evt_2", now, other, secret)).Status);
            Assert.Equal(400, (await send("evt_3", now, other)).Status);
            Assert.Equal(400, (await send("evt_4", now.AddMinutes(-6), secret)).Status);
            for (var waiting = Stopwatch.StartNew(); !Said().Contains("evt_2", StringComparison.Ordinal); await Task.Delay(20, Ct))
                Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(20), Said());
            Assert.Equal(["deposit.confirmed evt_0", "deposit.confirmed evt_1", "deposit.confirmed evt_2"],
                Said().Split('\n').Where(line => line.StartsWith("deposit.", StringComparison.Ordinal)));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        void Say(string? line)
        {
            lock (said)
                said.Append(line).Append('\n');
        }

        string Said()
        {
            lock (said)
                return said.ToString();
        }
    }

    private static string Copy(string file)
    {
        // Outside the checkout, as at somebody who has only the file.
        var place = Directory.CreateTempSubdirectory("coffer-receiver-").FullName;
        File.Copy(Checkout.Path("docs", "receivers", file), Path.Combine(place, file));
        return place;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
