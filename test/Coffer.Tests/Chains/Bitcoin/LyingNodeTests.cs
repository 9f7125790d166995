using System.Text;
using Coffer.Chains;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>Nodes that lie, are on another network or away: a fault, or the next node, and never an answer that is wrong.</summary>
public sealed class LyingNodeTests(SharedBcoin shared) : IClassFixture<SharedBcoin>
{

    private readonly Bcoin bcoin = shared.Node;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_payment_that_is_not_in_the_block_is_a_fault_and_the_next_node_is_asked()
    {
        await using var liar = await AnsweringNode.Start(bcoin);
        var a = await bcoin.Key();
        await bcoin.MinePayment((a, 1_000));
        var height = await bcoin.Height();
        liar.On("getblock", async parameters =>
        {
            var block = await bcoin.RawBlock(parameters[0].GetString()!);
            block[block.AsSpan().IndexOf(BitConverter.GetBytes(1_000L)) + 3] = 7;
            return Convert.ToHexStringLower(block);
        });
        using var alone = BitcoinChainTests.Chain([liar.Url], a);
        var fault = await Assert.ThrowsAsync<ChainFault>(() => alone.Blocks(height, 1, Ct));
        Assert.Contains("other transactions", fault.Message);
        Assert.True(fault.Retryable);

        using var both = BitcoinChainTests.Chain([liar.Url, bcoin.Url], a);
        var block = Assert.Single(await both.Blocks(height, 1, Ct));
        Assert.Equal(1_000, Assert.Single(block.Transfers).Amount);
        Assert.Contains(both.Nodes, node => node.Fault is not null);
    }

    [Fact]
    public async Task A_block_of_another_height_or_hash_is_a_fault()
    {
        await using var liar = await AnsweringNode.Start(bcoin);
        liar.On("getblock", async _ => Convert.ToHexStringLower(await bcoin.RawBlock(await bcoin.HashAt(5))));
        using var chain = BitcoinChainTests.Chain([liar.Url]);
        Assert.Equal(5, Assert.Single(await chain.Blocks(5, 1, Ct)).Height);
        Assert.Contains("that was asked for", (await Assert.ThrowsAsync<ChainFault>(() => chain.Blocks(6, 1, Ct))).Message);
    }

    [Fact]
    public async Task A_parent_that_does_not_fit_shows_in_the_block_whatever_the_node_says()
    {
        await using var liar = await AnsweringNode.Start(bcoin);
        // Of two blocks one is from elsewhere: the reader sees that its parent is another.
        liar.On("getblockhash", async parameters => await bcoin.HashAt(parameters[0].GetInt64() is 8 ? 3 : parameters[0].GetInt64()));
        using var chain = BitcoinChainTests.Chain([liar.Url]);
        var blocks = await chain.Blocks(7, 2, Ct);
        Assert.Equal([await bcoin.HashAt(6), await bcoin.HashAt(2)], blocks.Select(block => block.ParentHash));
    }

    [Fact]
    public async Task A_transaction_of_another_id_is_a_fault()
    {
        await using var liar = await AnsweringNode.Start(bcoin);
        var a = await bcoin.Key();
        var (real, other) = (await bcoin.Pay((a, 1_000)), await bcoin.Make(null, (a, 9_000)));
        liar.On("getrawtransaction", _ => other);
        using var chain = BitcoinChainTests.Chain([liar.Url], a);
        Assert.Contains(real, (await Assert.ThrowsAsync<ChainFault>(() => chain.Mempool(Ct))).Message);
        liar.On("getrawtransaction", _ => new { hex = other });
        Assert.Contains(real, (await Assert.ThrowsAsync<ChainFault>(() => chain.Transaction(real, Ct))).Message);
        await bcoin.Mine();
    }

    [Fact]
    public async Task A_node_of_another_network_is_never_used()
    {
        await using var main = await AnsweringNode.Start(bcoin);
        main.On("getblockhash", async parameters => parameters[0].GetInt64() == 0
            ? "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f" : await bcoin.HashAt(parameters[0].GetInt64()));
        using var alone = BitcoinChainTests.Chain([main.Url]);
        Assert.Contains("on the chain main, not regtest", (await Assert.ThrowsAsync<ChainFault>(() => alone.Tip(Ct))).Message);
        Assert.DoesNotContain("getblock", main.Asked);
        using var both = BitcoinChainTests.Chain([main.Url, bcoin.Url]);
        Assert.Equal(await bcoin.Height(), (await both.Tip(Ct)).Height);
    }

    [Fact]
    public async Task A_node_that_is_away_is_a_fault_for_later_and_the_next_one_answers()
    {
        await using var node = await AnsweringNode.Start(bcoin);
        node.Away = true;
        var nobody = new Uri("http://127.0.0.1:9/");
        using var alone = BitcoinChainTests.Chain([nobody, node.Url]);
        Func<Task>[] calls =
        [
            () => alone.Tip(Ct), () => alone.Blocks(0, 1, Ct), () => alone.Mempool(Ct), () => alone.Status(new string('1', 64), Ct),
            () => alone.Transaction(new string('1', 64), Ct), () => alone.Holdings(1, new string('1', 64), null, [], Ct),
            () => alone.FeeEstimate(null, Ct),
        ];
        foreach (var call in calls)
            Assert.True((await Assert.ThrowsAsync<ChainFault>(call)).Retryable);
        using var three = BitcoinChainTests.Chain([nobody, node.Url, bcoin.Url]);
        Assert.Equal(await bcoin.Height(), (await three.Tip(Ct)).Height);
    }

    [Theory]
    [InlineData("")]
    [InlineData("busy")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"result\":null,\"error\":{\"code\":\"x\",\"message\":\"\\ud800\"},\"id\":ID}")]
    [InlineData("{\"result\":null,\"error\":\"\\udc00\\ud800\",\"id\":ID}")]
    [InlineData("{\"result\":null,\"error\":{\"code\":1,\"message\":{\"\\ud800\":1}},\"id\":ID}")]
    [InlineData("{\"result\":\"\u00ff\u00fe\",\"error\":null,\"id\":ID}")]
    [InlineData("{\"result\":1,\"error\":null,\"id\":\"\\ud800\"}")]
    [InlineData("{\"result\":1,\"error\":null,\"id\":99999}")]
    [InlineData("{\"result\":1,\"error\":{},\"id\":ID}")]
    public async Task Whatever_a_node_writes_instead_of_an_answer_is_a_fault_for_later(string body)
    {
        await using var node = await AnsweringNode.Start(bcoin);
        node.Body = Encoding.Latin1.GetBytes(body);
        using var chain = BitcoinChainTests.Chain([node.Url]);
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct))).Retryable);
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => chain.Mempool(Ct))).Retryable);
    }

    [Fact]
    public async Task Escapes_that_are_text_are_read()
    {
        await using var node = await AnsweringNode.Start();
        node.Body = Encoding.Latin1.GetBytes(
            """{"result":null,"error":{"code":-1,"message":"a \\ud800 is not \ud83d\ude00 \u00e9"},"id":ID}""");
        using var chain = BitcoinChainTests.Chain([node.Url]);
        Assert.Contains("\\ud800 is not \ud83d\ude00 \u00e9", (await Assert.ThrowsAsync<ChainFault>(() => chain.Tip(Ct))).Message);
    }

    [Fact]
    public async Task Whatever_shape_an_answer_has_it_is_a_fault_or_an_answer()
    {
        string[] shapes =
        [
            "null", "0", "-1", "1e99", "18446744073709551616", "\"\"", "\"00\"", "\"zz\"", "\"\\ud800\"", "[]", "[null]", "[\"x\"]", "{}", "true",
            $"\"{new string('0', 64)}\"", $"[\"{new string('1', 64)}\"]", "{\"blocks\":-1,\"bestblockhash\":5}", "{\"hex\":\"\\ud800\"}",
            $"{{\"blocks\":9223372036854775807,\"bestblockhash\":\"{new string('1', 64)}\"}}", "{\"feerate\":-1}", "{\"feerate\":1e-5}",
            $"{{\"height\":9,\"bestblock\":\"{new string('1', 64)}\",\"unspents\":[{{}}]}}", "{\"hex\":\"00\",\"blockhash\":1}",
        ];
        string[] methods =
        [
            "getblockchaininfo", "getblockhash", "getblock", "getblockheader", "getrawmempool", "getrawtransaction", "gettxout",
            "getmempoolentry", "estimatesmartfee", "scantxoutset", "sendrawtransaction",
        ];
        var a = await bcoin.Key();
        var mined = await bcoin.MinePayment((a, 1_000_000));
        var payment = await bcoin.Pay((a, 1_000));
        var (height, hash) = (await bcoin.Height(), await bcoin.HashAt(await bcoin.Height()));
        var bytes = Convert.FromHexString(await bcoin.Make(a, (a, 10_000)));
        var faults = 0;
        await using var liar = await AnsweringNode.Start(bcoin);
        foreach (var method in methods)
        {
            foreach (var shape in shapes)
            {
                liar.On(method, shape);
                using var chain = BitcoinChainTests.ChainFrom(height - 2, [liar.Url], a);
                Func<Task>[] calls =
                [
                    () => chain.Tip(Ct), () => chain.Blocks(height - 1, 3, Ct), () => chain.Mempool(Ct), () => chain.Transaction(mined, Ct),
                    () => chain.Status(payment, Ct), () => chain.Holdings(height, hash, null, [a], Ct), () => chain.FeeEstimate(null, Ct),
                    () => chain.Broadcast(bytes, Ct),
                ];
                foreach (var call in calls)
                {
                    try
                    {
                        await call();
                    }
                    catch (ChainFault fault)
                    {
                        Assert.True(fault.Retryable, fault.Message);
                        faults++;
                    }
                }
            }

            liar.Off(method);
        }

        Assert.InRange(faults, methods.Length * shapes.Length / 2, methods.Length * shapes.Length * 8);
        await bcoin.Mine();
    }
}
