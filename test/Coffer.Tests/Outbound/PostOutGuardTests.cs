using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Coffer.Server.Outbound;
using Coffer.Tests.Webhooks;

namespace Coffer.Tests.Outbound;

/// <summary>What a request shows of us, whom it believes, and what silence costs.</summary>
public sealed class PostOutGuardTests
{
    private static readonly NetworkRules _loopback = new([IPNetwork.Parse("127.0.0.0/8")], []);
    private static readonly Resolve _here = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_certificate_counts_for_its_own_host_and_only_from_somebody_trusted()
    {
        using var certificate = Certificate("shop.example");
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate);
        await using var receiver = await Receiver.Start(certificate: certificate);
        var port = new Uri(receiver.Url).Port;
        using var trusting = new PostOut(_loopback, TimeProvider.System, _here, trust: trust);
        using var careful = new PostOut(_loopback, TimeProvider.System, _here);
        Assert.Equal(PostFault.Tls, (await trusting.Send(Message($"https://other.example:{port}/"), Ct)).Fault);
        Assert.Equal(PostFault.Tls, (await trusting.Send(Message($"https://127.0.0.1:{port}/"), Ct)).Fault);
        Assert.Equal(PostFault.Tls, (await careful.Send(Message($"https://shop.example:{port}/"), Ct)).Fault);
        Assert.Empty(receiver.All);
        Assert.True((await trusting.Send(Message($"https://shop.example:{port}/"), Ct)).Succeeded);
    }

    [Fact]
    public async Task A_request_shows_these_headers_and_no_other()
    {
        await using var receiver = await Receiver.Start();
        var headers = new Dictionary<string, string>();
        receiver.Answer = (_, http) =>
        {
            foreach (var (name, values) in http.Request.Headers)
                headers[name.ToLowerInvariant()] = values.ToString();
            return Task.CompletedTask;
        };
        using var activity = new Activity("a request of a customer").Start();
        using var post = new PostOut(_loopback, TimeProvider.System);
        Assert.True((await post.Send(Message(receiver.Url), Ct)).Succeeded);
        Assert.Equal(["content-length", "content-type", "host", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp"],
            headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("application/json", headers["content-type"]);
    }

    [Fact]
    public async Task No_proxy_is_asked()
    {
        await using var receiver = await Receiver.Start();
        await using var proxy = await Receiver.Start();
        var before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new ProxyOfOneHost("proxied.example", new Uri(proxy.Url));
        try
        {
            using var post = new PostOut(_loopback, TimeProvider.System, _here);
            await post.Send(Message($"http://proxied.example:{new Uri(receiver.Url).Port}/"), Ct);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.Empty(proxy.All);
        Assert.Single(receiver.All);
    }

    [Fact]
    public async Task A_silent_name_server_costs_no_more_than_the_time_of_an_attempt()
    {
        var never = new TaskCompletionSource<IPAddress[]>();
        using var post = new PostOut(_loopback, TimeProvider.System, (_, _) => never.Task, TimeSpan.FromSeconds(1));
        var watch = Stopwatch.StartNew();
        Assert.Equal(PostFault.Timeout, (await post.Send(Message("http://shop.example/"), Ct)).Fault);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(6));
    }

    [Fact]
    public async Task What_drips_behind_a_status_is_not_waited_for()
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = async (_, http) =>
        {
            await http.Response.Body.FlushAsync(http.RequestAborted);
            await Task.Delay(TimeSpan.FromMinutes(1), http.RequestAborted);
        };
        using var post = new PostOut(_loopback, TimeProvider.System);
        var watch = Stopwatch.StartNew();
        Assert.True((await post.Send(Message(receiver.Url), Ct)).Succeeded);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task One_dead_address_does_not_hide_the_living_one()
    {
        await using var receiver = await Receiver.Start("127.0.0.3");
        var port = new Uri(receiver.Url).Port;
        // A black hole: a queue of connections that is full, and nobody who takes one.
        using var hole = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        hole.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.4"), port));
        hole.Listen(0);
        var full = new List<Socket>();
        for (var i = 0; i < 4; i++)
        {
            var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            full.Add(one);
            try
            {
                one.Connect(hole.LocalEndPoint!);
            }
            catch (SocketException)
            {
                // It is on its way; that is all that is wanted.
            }
        }

        try
        {
            using var post = new PostOut(_loopback, TimeProvider.System,
                (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.4"), IPAddress.Parse("127.0.0.3")]));
            Assert.True((await post.Send(Message($"http://shop.example:{port}/"), Ct)).Succeeded);
        }
        finally
        {
            full.ForEach(one => one.Dispose());
        }
    }

    [Fact]
    public async Task Names_are_looked_up_beside_the_threads_that_answer_requests_and_once_for_all_who_ask()
    {
        using var answer = new ManualResetEventSlim();
        var (looks, onPool) = (0, 0);
        var names = new Names(_ =>
        {
            Interlocked.Increment(ref looks);
            if (Thread.CurrentThread.IsThreadPoolThread)
                Interlocked.Increment(ref onPool);
            answer.Wait(TimeSpan.FromSeconds(30));
            return [IPAddress.Loopback];
        });
        var asked = Enumerable.Range(0, 100).Select(i => names.Resolve($"{i % 50}.example", Ct)).ToList();
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => names.Resolve("0.example", impatient.Token));
        answer.Set();
        await Task.WhenAll(asked);
        Assert.Equal((50, 0), (looks, onPool));
        await names.Resolve("0.example", Ct);
        Assert.Equal(51, looks);
    }

    [Fact]
    public async Task A_name_that_cannot_be_found_can_be_asked_for_again()
    {
        var looks = 0;
        var names = new Names(_ => looks++ == 0 ? throw new SocketException((int)SocketError.HostNotFound) : [IPAddress.Loopback]);
        await Assert.ThrowsAsync<SocketException>(() => names.Resolve("shop.example", Ct));
        Assert.Equal([IPAddress.Loopback], await names.Resolve("shop.example", Ct));
    }

    private static X509Certificate2 Certificate(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private static Post Message(string url) => new(url, Mode.Test, "evt_1", TimeProvider.System.GetUtcNow(), "{}"u8.ToArray(), [new byte[32]]);

    /// <summary>Stands for the process's proxy, but only in the way of one host: other tests run beside this one.</summary>
    private sealed class ProxyOfOneHost(string host, Uri proxy) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => destination.Host == host ? proxy : null;

        public bool IsBypassed(Uri destination) => destination.Host != host;
    }
}
