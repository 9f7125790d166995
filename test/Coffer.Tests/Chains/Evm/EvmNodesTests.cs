using Coffer.Chains;
using Coffer.Chains.Rpc;
using Microsoft.AspNetCore.Http;

namespace Coffer.Tests.Chains.Evm;

/// <summary>Several nodes of one chain: which is asked, which is left alone, and what is said about them.</summary>
public sealed class EvmNodesTests(NodeFolder folder) : IAsyncLifetime
{
    private static readonly DateTimeOffset _noon = new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTime time = new(_noon);
    private EvmWorld world = null!;
    private FaultyRpc first = null!, second = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        world = await EvmWorld.Start(folder);
        first = await FaultyRpc.Start(world.Node.Url);
        second = await FaultyRpc.Start(world.Node.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await first.DisposeAsync();
        await second.DisposeAsync();
        await world.DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_breaks_off_is_rested_and_the_next_one_does_all_of_it()
    {
        var chain = world.Chain(time: time, nodes: [first.Url, second.Url]);
        await chain.Tip(Ct);
        var height = await world.Node.Height();
        first.Alter = (method, _, reply) => reply;
        first.Instead = Broken;
        Assert.Equal(3, (await chain.Blocks(height - 2, 3, Ct)).Count);
        Assert.True(second.Calls["eth_blockNumber"] > 0 && second.Calls["eth_getBlockByNumber"] >= 3);

        var before = first.Requests;
        await chain.Blocks(height, 1, Ct);
        Assert.Equal(before, first.Requests);
        Assert.Contains(chain.Nodes, state => state.Fault is not null && state.Node == $"127.0.0.1:{first.Url.Port}");

        first.Instead = _ => Task.FromResult(false);
        time.Now += RpcLimits.RestMax;
        before = second.Requests;
        await chain.Blocks(height, 1, Ct);
        Assert.All(chain.Nodes, state => Assert.Null(state.Fault));
        Assert.True(first.Requests > 1);
    }

    [Fact]
    public async Task A_node_on_another_chain_is_never_used_and_says_so()
    {
        first.Alter = (method, _, reply) => method == "eth_chainId" ? FaultyRpc.Result(reply, "0x38") : reply;
        var both = world.Chain(time: time, nodes: [first.Url, second.Url]);
        await both.Tip(Ct);
        await both.Blocks(1, 5, Ct);
        Assert.False(first.Calls.ContainsKey("eth_getBlockByNumber"));
        Assert.Contains(both.Nodes, state => state.Fault?.Contains("is on the chain 56, not 31337", StringComparison.Ordinal) == true);

        var fault = await Assert.ThrowsAsync<ChainFault>(() => world.Chain(time: time, nodes: first.Url).Tip(Ct));
        Assert.True(fault.Retryable);
        Assert.Contains("is on the chain 56, not 31337", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_moves_to_another_chain_is_found_out_in_time()
    {
        var chain = world.Chain(time: time, nodes: first.Url);
        await chain.Tip(Ct);
        first.Alter = (method, _, reply) => method == "eth_chainId" ? FaultyRpc.Result(reply, "0x38") : reply;
        time.Now += RpcLimits.CheckEvery;
        await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct));

        // A failure is reason enough to ask again, however short ago the last time was.
        first.Alter = (_, _, reply) => reply;
        await chain.Tip(Ct);
        first.Instead = Broken;
        await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct));
        first.Instead = _ => Task.FromResult(false);
        first.Alter = (method, _, reply) => method == "eth_chainId" ? FaultyRpc.Result(reply, "0x38") : reply;
        Assert.Contains("56", (await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    [InlineData(200)]
    public async Task A_busy_node_is_left_alone_as_long_as_it_says(int status)
    {
        var chain = world.Chain(time: time, nodes: first.Url);
        await chain.Tip(Ct);
        first.Instead = async context =>
        {
            context.Response.StatusCode = status;
            if (status == 429)
                context.Response.Headers.RetryAfter = "30";
            await context.Response.WriteAsync("Error: lack of computing resources");
            return true;
        };
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct))).Retryable);

        first.Instead = _ => Task.FromResult(false);
        var (before, rest) = (first.Requests, status == 429 ? TimeSpan.FromSeconds(30) : RpcLimits.BusyTime);
        time.Now += rest - TimeSpan.FromSeconds(1);
        await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct));
        Assert.Equal(before, first.Requests);
        time.Now += TimeSpan.FromSeconds(1);
        await chain.Tip(Ct);
    }

    [Fact]
    public async Task A_lone_node_that_failed_is_asked_again_at_once()
    {
        var chain = world.Chain(time: time, nodes: first.Url);
        first.Instead = Broken;
        await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct));
        first.Instead = _ => Task.FromResult(false);
        await chain.Tip(Ct);
    }

    [Fact]
    public async Task A_node_far_behind_its_fellows_is_asked_after_them()
    {
        await world.Node.Mine(RpcLimits.LagBlocksMax + 2);
        first.Alter = (method, _, reply) => method == "eth_blockNumber" ? FaultyRpc.Result(reply, "0x1") : reply;
        await world.Chain(time: time, nodes: [first.Url, second.Url]).Tip(Ct);

        Assert.False(first.Calls.ContainsKey("eth_getBlockByNumber"));
        Assert.True(second.Calls.ContainsKey("eth_getBlockByNumber"));
    }

    [Fact]
    public async Task What_one_node_refuses_another_may_know()
    {
        var chain = world.Chain(time: time, nodes: [first.Url, second.Url]);
        first.Alter = (method, _, reply) => method == "eth_getBalance" ? FaultyRpc.Error(reply, -32000, "missing trie node") : reply;
        var block = (await chain.Blocks(await world.Node.Height(), 1, Ct))[0];

        Assert.Equal(99, (int)((await chain.Holdings(block.Height, block.Hash, null, [world.Payer], Ct))[0] / EvmWorld.Coin) - 1);
        Assert.All(chain.Nodes, state => Assert.Null(state.Fault));
    }

    [Fact]
    public async Task The_second_node_goes_on_when_the_first_is_gone()
    {
        await using var fork = await Anvil.Start(folder, "--fork-url", world.Node.Url.ToString());
        await world.Node.Pay(EvmWorld.Ours, 5);
        await world.Node.Mine();
        await fork.Mine();
        await fork.Pay(EvmWorld.Ours, 7);
        await fork.Mine();
        var height = await world.Node.Height();
        var chain = world.Chain(nodes: [world.Node.Url, fork.Url]);
        var before = (await chain.Blocks(height, 1, Ct))[0];
        await world.Node.DisposeAsync();
        var after = await chain.Blocks(height, 2, Ct);

        Assert.NotEqual(before.Hash, after[0].Hash);
        Assert.Equal(before.ParentHash, after[0].ParentHash);
        Assert.Equal([5, 7], new[] { before, after[1] }.Select(block => (int)Assert.Single(block.Transfers).Amount));
    }

    [Fact]
    public async Task Credentials_are_sent_and_never_told()
    {
        string? sent = null;
        first.Instead = async context =>
        {
            sent = context.Request.Headers.Authorization;
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync($$$"""
                {"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no /v3/secretkey1 for alice:opens%40me opens@me {{{sent}}}"}}
                """);
            return true;
        };
        var url = new Uri($"http://alice:opens%40me@127.0.0.1:{first.Url.Port}/v3/secretkey1");
        var refused = await Assert.ThrowsAsync<ChainFault>(() => world.Chain(time: time, nodes: url).Status("0x" + new string('1', 64), Ct));
        var closed = await Assert.ThrowsAsync<ChainFault>(() => world.Chain(time: time,
            nodes: new Uri("http://alice:opens%40me@127.0.0.1:1/v3/secretkey1")).Tip(Ct));

        Assert.Equal("Basic YWxpY2U6b3BlbnNAbWU=", sent);
        foreach (var secret in new[] { "opens", "secretkey1", "YWxpY2U6" })
            Assert.DoesNotContain(secret, refused.ToString() + closed, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{first.Url.Port}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read()
    {
        var chain = world.Chain(time: time, nodes: first.Url);
        await chain.Tip(Ct);
        first.Instead = async context =>
        {
            context.Response.ContentLength = RpcLimits.AnswerBytesMax + 1L;
            await context.Response.StartAsync();
            await context.Response.WriteAsync("[");
            await context.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromSeconds(20), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };

        Assert.Contains("more than", (await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct))).Message, StringComparison.Ordinal);
    }

    private static Task<bool> Broken(HttpContext context)
    {
        context.Abort();
        return Task.FromResult(true);
    }
}
