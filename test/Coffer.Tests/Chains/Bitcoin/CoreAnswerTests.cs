using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>
/// What only Bitcoin Core answers, in its shapes (developer documentation of RPC, versions 25 to 29): a replaced transaction, a block that
/// counts no more, an estimate, a search through the unspent outputs, a node without an index. The chain behind it is made here.
/// </summary>
public sealed class CoreAnswerTests
{
    private const string Regtest = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
    private static readonly byte[] Script = Convert.FromHexString("0014" + new string('3', 40));
    private static readonly string Address = BitcoinAddress.OfScript(Script, BitcoinNetwork.Regtest)!;
    private static readonly string Best = Hash(9), Stale = Hash(8);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_payment_that_was_replaced_vanishes_and_its_replacement_is_shown()
    {
        await using var core = await Core();
        var (first, second) = (Payment(1_000, 1), Payment(1_100, 2));
        using var chain = BitcoinChainTests.Chain([core.Url], Address);
        core.On("getrawmempool", _ => new[] { first.Id }).On("getrawtransaction", _ => first.Hex);
        Assert.Equal((first.Id, 1_000), Assert.Single(await chain.Mempool(Ct)) is var seen ? (seen.TxId, (int)seen.Amount) : default);
        core.On("getrawmempool", _ => new[] { second.Id }).On("getrawtransaction", _ => second.Hex);
        Assert.Equal((second.Id, 1_100), Assert.Single(await chain.Mempool(Ct)) is var now ? (now.TxId, (int)now.Amount) : default);
        // Gone between the list and the question for it: without an index the node does not find it any more.
        core.On("getrawmempool", _ => new[] { Hash(77) }).On("getrawtransaction",
            _ => throw new Refusal(-5, "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries."));
        Assert.Empty(await chain.Mempool(Ct));
    }

    [Fact]
    public async Task A_transaction_of_a_block_that_counts_no_more_is_not_included()
    {
        await using var core = await Core();
        var paid = Payment(1_000, 1);
        using var chain = BitcoinChainTests.Chain([core.Url], Address);
        core.On("getrawtransaction", _ => new { hex = paid.Hex, blockhash = Stale, confirmations = 3 })
            .On("getblockheader", $$"""{"hash":"{{Stale}}","height":120,"time":1736942400,"confirmations":-1}""")
            .On("getmempoolentry", _ => throw new Refusal(-5, "Transaction not in mempool"));
        Assert.Equal(default, await chain.Status(paid.Id, Ct));
        core.On("getmempoolentry", """{"vsize":141}""");
        Assert.Equal(TransactionState.Mempool, (await chain.Status(paid.Id, Ct)).State);
        core.On("getblockhash", parameters => parameters[0].GetInt64() == 0 ? Regtest : Stale);
        Assert.Equal(new TransactionStatus(TransactionState.Included, 120, Stale), await chain.Status(paid.Id, Ct));
        // The best chain is lower by now.
        core.On("getblockhash", parameters => parameters[0].GetInt64() == 0 ? Regtest : throw new Refusal(-8, "Block height out of range"))
            .On("getmempoolentry", _ => throw new Refusal(-5, "Transaction not in mempool"));
        Assert.Equal(default, await chain.Status(paid.Id, Ct));
    }

    [Fact]
    public async Task Without_an_index_a_transaction_is_found_by_an_output_that_is_not_spent()
    {
        await using var core = await Core();
        var paid = Payment(1_000, 1);
        using var chain = BitcoinChainTests.Chain([core.Url], Address);
        core.On("getrawtransaction", parameters => parameters.GetArrayLength() == 3 && parameters[2].GetString() == Best
                ? new { hex = paid.Hex, blockhash = Best, in_active_chain = true }
                : throw new Refusal(-5, "No such mempool transaction. Use -txindex or provide a block hash."))
            .On("gettxout", parameters => parameters[1].GetInt32() == 3
                ? JsonElement.Parse($$"""{"bestblock":"{{Best}}","confirmations":6,"value":0.00001,"coinbase":false}""") : (object?)null)
            .On("getblockheader", parameters => new { height = parameters[0].GetString() == Best ? 125 : 0, time = 1736942400 })
            .On("getblockhash", parameters => parameters[0].GetInt64() is 0 ? Regtest : Best);
        Assert.Equal(new TransactionStatus(TransactionState.Included, 125, Best), await chain.Status(paid.Id, Ct));
        core.On("gettxout", "null");
        Assert.Equal(default, await chain.Status(paid.Id, Ct));
    }

    [Theory]
    [InlineData("""{"feerate":0.00012345,"blocks":3}""", 1_741)]
    [InlineData("""{"feerate":0.00001000,"blocks":3}""", 141)]
    [InlineData("""{"feerate":0.00000100,"blocks":3}""", 141)]
    [InlineData("""{"feerate":0.05000000,"blocks":3}""", 705_000)]
    [InlineData("""{"feerate":0.05000001,"blocks":3}""", 2_820)]
    [InlineData("""{"errors":["Insufficient data or no feerate found"],"blocks":0}""", 2_820)]
    [InlineData("""{"feerate":null}""", 2_820)]
    public async Task A_fee_is_the_estimate_of_the_node_within_sane_bounds_rounded_up(string said, int fee)
    {
        await using var core = await Core();
        using var chain = BitcoinChainTests.Chain([core.On("estimatesmartfee", said).Url]);
        Assert.Equal((Int128)fee, await chain.FeeEstimate(null, Ct));
    }

    [Theory]
    [InlineData(-22, "TX decode failed. Make sure the tx has at least one input.", false)]
    [InlineData(-25, "bad-txns-inputs-missingorspent", true)]
    [InlineData(-26, "mandatory-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)", false)]
    [InlineData(-26, "bad-txns-in-belowout, value in (0.00001) < value out (0.00002)", false)]
    [InlineData(-26, "non-mandatory-script-verify-flag (Non-canonical signature)", true)]
    [InlineData(-26, "min relay fee not met, 10 < 141", true)]
    [InlineData(-26, "mempool full", true)]
    [InlineData(-26, "txn-mempool-conflict", true)]
    [InlineData(-26, "insufficient fee, rejecting replacement", true)]
    [InlineData(-26, "non-final", true)]
    [InlineData(-28, "Loading block index", true)]
    public async Task A_refusal_is_for_ever_only_when_no_block_may_hold_the_bytes(int code, string words, bool retryable)
    {
        await using var core = await Core();
        var paid = Payment(1_000, 1);
        core.On("sendrawtransaction", _ => throw new Refusal(code, words));
        core.On("getrawtransaction", _ => throw new Refusal(-5, "No such mempool transaction."));
        core.On("gettxout", "null");
        using var chain = BitcoinChainTests.Chain([core.Url]);
        var fault = await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(Convert.FromHexString(paid.Hex), Ct));
        Assert.Equal(retryable, fault.Retryable);
        Assert.Contains(words[..9], fault.Message);
    }

    [Theory]
    [InlineData(-27, "Transaction outputs already in utxo set", false)]
    [InlineData(-26, "txn-already-in-mempool", true)]
    [InlineData(-25, "bad-txns-inputs-missingorspent", true)]
    public async Task Bytes_that_the_chain_has_are_no_fault(int code, string words, bool asks)
    {
        await using var core = await Core();
        var paid = Payment(1_000, 1);
        core.On("sendrawtransaction", _ => throw new Refusal(code, words)).On("getrawtransaction", _ => new { hex = paid.Hex });
        using var chain = BitcoinChainTests.Chain([core.Url]);
        Assert.Equal(paid.Id, await chain.Broadcast(Convert.FromHexString(paid.Hex), Ct));
        Assert.Equal(asks, core.Asked.Contains("getrawtransaction"));
    }

    [Fact]
    public async Task Holdings_come_from_the_search_of_the_node_and_blocks_above_are_taken_back()
    {
        await using var core = await Core();
        var script = Convert.ToHexStringLower(Script);
        object[] spent = [Spends(119, "0.00005000", script), Spends(121, "0.00007000", script), Spends(9, "1.00000000", "6a")];
        // The tip is at 122, the question at 120: an output of 121 was not there yet, one of 119 was spent in 122.
        core.On("getblockchaininfo", $$"""{"chain":"regtest","blocks":122,"bestblockhash":"{{Hash(122)}}"}""")
            .On("getblockhash", parameters => parameters[0].GetInt64() is 0 ? Regtest : Hash((int)parameters[0].GetInt64()))
            .On("scantxoutset", _ => JsonElement.Parse($$$"""
                {"success":true,"txouts":9,"height":122,"bestblock":"{{{Hash(122)}}}","total_amount":0.00030000,"unspents":[
                 {"txid":"{{{Hash(1)}}}","vout":0,"scriptPubKey":"{{{script}}}","amount":0.00010000,"coinbase":false,"height":100},
                 {"txid":"{{{Hash(2)}}}","vout":1,"scriptPubKey":"{{{script}}}","amount":20.99999999,"coinbase":true,"height":120},
                 {"txid":"{{{Hash(3)}}}","vout":1,"scriptPubKey":"{{{script}}}","amount":0.00020000,"coinbase":false,"height":121}]}
                """))
            .On("getblock", parameters => parameters[1].GetInt32() == 3 && parameters[0].GetString() == Hash(122)
                ? new { tx = new object[] { new { vin = new object[] { new { coinbase = "00" } } }, new { vin = spent } } }
                : (object)new { tx = new[] { new { vin = new[] { new { coinbase = "00" } } } } });
        using var chain = BitcoinChainTests.Chain([core.Url]);
        Assert.Equal([2_099_999_999 + 10_000 + 5_000], await chain.Holdings(120, Hash(120), null, [Address], Ct));
        Assert.Equal([2_099_999_999 + 10_000 + 20_000], await chain.Holdings(122, Hash(122), null, [Address], Ct));

        // A reorg during the search, or more than there is: no answer is better than a wrong one.
        core.On("scantxoutset", $$"""{"success":true,"height":122,"bestblock":"{{Stale}}","unspents":[]}""");
        await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(120, Hash(120), null, [Address], Ct));
        core.On("scantxoutset", $$"""
            {"success":true,"height":122,"bestblock":"{{Hash(122)}}","unspents":[
             {"scriptPubKey":"{{script}}","amount":21000000.00000000,"height":100},{"scriptPubKey":"{{script}}","amount":0.00000001,"height":100}]}
            """);
        await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(120, Hash(120), null, [Address], Ct));
        // Another search is under way in the node.
        core.On("scantxoutset", _ => throw new Refusal(-8, "Scan already in progress, use action \"abort\" or \"status\""));
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(122, Hash(122), null, [Address], Ct))).Retryable);
    }

    private static Task<AnsweringNode> Core() => CoreAt(120);

    private static async Task<AnsweringNode> CoreAt(int height) => (await AnsweringNode.Start())
        .On("getblockchaininfo", $$"""{"chain":"regtest","blocks":{{height}},"headers":{{height}},"bestblockhash":"{{Best}}"}""")
        .On("getblockhash", parameters => parameters[0].GetInt64() == 0 ? Regtest : Best);

    private static object Spends(int height, string value, string script) => new
    {
        txid = Hash(4),
        vout = 0,
        prevout = new { generated = false, height, value = JsonElement.Parse(value), scriptPubKey = new { hex = script } },
    };

    private static string Hash(int number) => number.ToString("x64");

    /// <summary>A transaction that pays the address; the number of its input tells it from others.</summary>
    private static (string Id, string Hex) Payment(long value, int number)
    {
        var hex = $"0200000001{Hash(number)}0000000000ffffffff01{Convert.ToHexStringLower(BitConverter.GetBytes(value))}16"
            + Convert.ToHexStringLower(Script) + "00000000";
        return (RawTransaction.Parse(Convert.FromHexString(hex)).Id.ToString(), hex);
    }
}
