using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Coffer.Server.Outbound;
using Coffer.Tests.Webhooks;
using Microsoft.AspNetCore.Http;

namespace Coffer.Tests.Outbound;

/// <summary>One attempt against real receivers: what counts, what it costs at most, and whom it never reaches.</summary>
public sealed class PostOutTests
{
    private const string Name = "shop.example";
    private static readonly NetworkRules _second = new([IPNetwork.Parse("127.0.0.2/32")], []);
    private static readonly NetworkRules _loopback = new([IPNetwork.Parse("127.0.0.0/8")], []);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_that_changes_its_meaning_between_two_connections_is_stopped()
    {
        await using var open = await Receiver.Start("127.0.0.2");
        await using var secret = await Receiver.Start("127.0.0.1", new Uri(open.Url).Port);
        var asked = 0;
        using var post = new PostOut(_second, TimeProvider.System,
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(asked++ == 0 ? "127.0.0.2" : "127.0.0.1")]));
        open.Says(200, ("Connection", "close"));
        var url = $"http://{Name}:{new Uri(open.Url).Port}/";
        Assert.True((await post.Send(Message(url), Ct)).Succeeded);
        var second = await post.Send(Message(url), Ct);
        Assert.Equal((null, PostFault.PrivateAddress), (second.Status, second.Fault));
        Assert.Equal(2, asked);
        Assert.Empty(secret.All);
    }

    [Fact]
    public async Task One_private_address_among_others_refuses_the_name_and_the_judged_address_is_the_one_that_is_called()
    {
        await using var open = await Receiver.Start("127.0.0.2");
        await using var secret = await Receiver.Start("127.0.0.1", new Uri(open.Url).Port);
        IPAddress[] means = [IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.1")];
        var asked = 0;
        using var post = new PostOut(_second, TimeProvider.System, (_, _) =>
        {
            asked++;
            return Task.FromResult(means);
        });
        var url = $"http://{Name}:{new Uri(open.Url).Port}/";
        Assert.Equal(PostFault.PrivateAddress, (await post.Send(Message(url), Ct)).Fault);
        means = [IPAddress.Parse("127.0.0.2")];
        Assert.True((await post.Send(Message(url), Ct)).Succeeded);
        // Once for each connection: nobody is asked again between judging and calling.
        Assert.Equal(2, asked);
        Assert.Empty(secret.All);
        Assert.Single(open.All);
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(204, true)]
    [InlineData(299, true)]
    [InlineData(301, false)]
    [InlineData(307, false)]
    [InlineData(400, false)]
    [InlineData(500, false)]
    public async Task Only_2xx_counts_and_no_redirect_is_followed(int status, bool succeeded)
    {
        await using var other = await Receiver.Start();
        await using var receiver = await Receiver.Start();
        receiver.Says(status, ("Location", other.Url), ("Set-Cookie", "a=b"));
        using var post = new PostOut(_loopback, TimeProvider.System);
        var attempt = await post.Send(Message(receiver.Url), Ct);
        Assert.Equal((succeeded, status), (attempt.Succeeded, attempt.Status));
        Assert.Equal(status is 301 or 307 ? PostFault.Redirect : null, attempt.Fault);
        Assert.Empty(other.All);
        var cookies = new List<string>();
        receiver.Answer = (_, http) =>
        {
            cookies.Add(http.Request.Headers.Cookie.ToString());
            return Task.CompletedTask;
        };
        await post.Send(Message(receiver.Url), Ct);
        Assert.Equal([""], cookies);
    }

    [Fact]
    public async Task A_receiver_that_hangs_or_drips_costs_no_more_than_the_time_of_an_attempt()
    {
        await using var receiver = await Receiver.Start();
        using var post = new PostOut(_loopback, TimeProvider.System, timeMax: TimeSpan.FromSeconds(1));
        receiver.Answer = (_, http) => Task.Delay(TimeSpan.FromMinutes(1), http.RequestAborted);
        var watch = Stopwatch.StartNew();
        Assert.Equal(PostFault.Timeout, (await post.Send(Message(receiver.Url), Ct)).Fault);
        receiver.Answer = async (_, http) =>
        {
            for (var i = 0; i < 600; i++)
            {
                await http.Response.WriteAsync(".", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await Task.Delay(100, http.RequestAborted);
            }
        };
        Assert.Equal(200, (await post.Send(Message(receiver.Url), Ct)).Status);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task Of_an_endless_answer_a_little_is_read_and_kept_as_harmless_text()
    {
        // A bare socket: a server goes on writing to a connection that is gone until it is told, and counts that too.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var receiver = await listener.AcceptSocketAsync(Ct);
            var (chunk, written) = (new byte[64 * 1024], 0L);
            await receiver.ReceiveAsync(chunk, Ct);
            await receiver.SendAsync("HTTP/1.1 500 No\r\nContent-Length: 1073741824\r\n\r\nno\u001b[31m\0\nmore"u8.ToArray(), Ct);
            try
            {
                for (Array.Clear(chunk); written < 1L << 30; written += await receiver.SendAsync(chunk, Ct))
                {
                }
            }
            catch (SocketException)
            {
                // It hung up.
            }

            return written;
        }, Ct);
        using var post = new PostOut(_loopback, TimeProvider.System);
        var attempt = await post.Send(Message($"http://{listener.LocalEndpoint}/"), Ct);
        Assert.Equal(500, attempt.Status);
        Assert.Equal(PostOut.ExcerptMax, attempt.Excerpt!.Length);
        Assert.StartsWith("no [31m  more", attempt.Excerpt, StringComparison.Ordinal);
        Assert.DoesNotContain(attempt.Excerpt, char.IsControl);
        Assert.InRange(await answering, 0, 1L << 28);
    }

    [Fact]
    public async Task Nobody_there_no_such_name_and_no_http_are_told_apart()
    {
        await using var gone = await Receiver.Start();
        var url = gone.Url;
        await gone.DisposeAsync();
        using var post = new PostOut(_loopback, TimeProvider.System,
            (_, _) => throw new SocketException((int)SocketError.HostNotFound));
        Assert.Equal(PostFault.NoConnection, (await post.Send(Message(url), Ct)).Fault);
        Assert.Equal(PostFault.UnknownHost, (await post.Send(Message("http://shop.example/"), Ct)).Fault);
        await using var plain = await Receiver.Start();
        Assert.Equal(PostFault.Tls, (await post.Send(Message(plain.Url.Replace("http:", "https:", StringComparison.Ordinal)), Ct)).Fault);
    }

    [Fact]
    public async Task A_connection_that_is_closed_while_it_is_used_again_costs_no_attempt()
    {
        await using var receiver = await Receiver.Start();
        var (connections, closed) = (new HashSet<string>(), 0);
        using var post = new PostOut(_loopback, TimeProvider.System);
        receiver.Answer = (_, http) =>
        {
            if (!connections.Add(http.Connection.Id))
            {
                closed++;
                http.Abort();
            }

            return Task.CompletedTask;
        };
        var message = Message(receiver.Url);
        // The client need not take a kept connection each time.
        for (var i = 0; i < 50 && closed < 3; i++)
            Assert.True((await post.Send(message, Ct)).Succeeded);
        Assert.Equal(3, closed);
        Assert.Single(receiver.All.Distinct());
    }

    [Fact]
    public async Task Who_hangs_up_on_a_new_connection_is_not_asked_again()
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, http) =>
        {
            http.Abort();
            return Task.CompletedTask;
        };
        using var post = new PostOut(_loopback, TimeProvider.System);
        Assert.Equal(PostFault.BadAnswer, (await post.Send(Message(receiver.Url), Ct)).Fault);
        Assert.Single(receiver.All);
    }

    [Fact]
    public async Task A_url_is_judged_again_when_it_is_used()
    {
        await using var receiver = await Receiver.Start();
        using var strict = new PostOut(new NetworkRules([], []), TimeProvider.System);
        Assert.Equal(PostFault.BadUrl, (await strict.Send(Message(receiver.Url), Ct)).Fault);
        using var self = new PostOut(new NetworkRules([IPNetwork.Parse("127.0.0.0/8")], [], () => new Uri(receiver.Url).Port), TimeProvider.System);
        Assert.Equal(PostFault.BadUrl, (await self.Send(Message(receiver.Url), Ct)).Fault);
        Assert.Empty(receiver.All);
    }

    private static Post Message(string url) => new(url, Mode.Test, "evt_1", TimeProvider.System.GetUtcNow(), "{}"u8.ToArray(), [new byte[32]]);
}
