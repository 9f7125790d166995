using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>The chain as it is read from a real node, through everything that strangers and miners do to it.</summary>
public sealed class BitcoinChainTests(SharedBcoin shared) : IClassFixture<SharedBcoin>
{
    private readonly Bcoin bcoin = shared.Node;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_output_to_our_addresses_is_a_transfer_of_its_own_with_its_number()
    {
        var (a, b, stranger) = (await bcoin.Key(), await bcoin.Key(), await bcoin.Key());
        using var chain = Chain(a, b);
        var twice = await bcoin.Pay((a, 1_000), (stranger, 2_000), (a, 1_000), (b, 3_000));
        var once = await bcoin.Pay((stranger, 4_000), (b, 5_000));
        var hash = await bcoin.Mine();

        var block = await BlockAt(chain, await bcoin.Height());
        Assert.Equal((hash, await bcoin.HashAt(block.Height - 1)), (block.Hash, block.ParentHash));
        Assert.Equal(
            new[] { (twice, 0, a, 1_000L), (twice, 2, a, 1_000L), (twice, 3, b, 3_000L), (once, 1, b, 5_000L) }.OrderBy(t => t),
            block.Transfers.Select(t => (t.TxId, t.Ordinal, t.Address, (long)t.Amount)).OrderBy(t => t));
        Assert.All(block.Transfers, transfer => Assert.Equal((TransferKind.Native, null), (transfer.Kind, transfer.Asset)));
    }

    [Fact]
    public async Task Every_form_of_address_is_found_by_its_script_and_nothing_else_is()
    {
        var regtest = BitcoinNetwork.Regtest;
        string[] scripts =
        [
            $"76a914{new string('1', 40)}88ac", $"a914{new string('2', 40)}87", $"0014{new string('3', 40)}", $"0020{new string('4', 64)}",
            $"5120{new string('5', 64)}",
        ];
        string[] addresses = [.. scripts.Select(script => BitcoinAddress.OfScript(Convert.FromHexString(script), regtest)!)];
        using var chain = Chain(addresses);
        // A bare key, a bare multisignature with our hash in it, a return of data, a witness version without a meaning.
        string[] foreign =
        [
            $"2102{new string('3', 64)}ac", $"512102{new string('3', 64)}2102{new string('4', 64)}52ae", $"6a14{new string('3', 40)}",
            $"5214{new string('3', 40)}",
        ];
        var txId = await bcoin.MinePayment([.. scripts.Concat(foreign).Select(script => (script, 1_000L))]);
        var block = await BlockAt(chain, await bcoin.Height());
        Assert.Equal(addresses, block.Transfers.Select(transfer => transfer.Address));
        Assert.All(block.Transfers, transfer => Assert.Equal(txId, transfer.TxId));
    }

    [Fact]
    public async Task A_miner_cannot_pay_himself_into_a_wallet()
    {
        var a = await bcoin.Key();
        using var chain = Chain(a);
        await bcoin.Mine(2, a);
        Assert.Empty((await BlockAt(chain, await bcoin.Height())).Transfers);
    }

    [Fact]
    public async Task A_payment_is_in_the_mempool_then_in_its_block_and_back_after_a_reorg_or_gone()
    {
        var a = await bcoin.Key();
        using var chain = Chain(a);
        var txId = await bcoin.Pay((a, 1_000), (a, 2_000));
        Assert.Equal([(txId, 0), (txId, 1)], (await chain.Mempool(Ct)).Select(t => (t.TxId, t.Ordinal)));
        Assert.Equal(TransactionState.Mempool, (await chain.Status(txId, Ct)).State);

        var hash = await bcoin.Mine();
        var height = await bcoin.Height();
        Assert.Empty(await chain.Mempool(Ct));
        Assert.Equal(new TransactionStatus(TransactionState.Included, height, hash), await chain.Status(txId, Ct));
        Assert.Equal(2, (await BlockAt(chain, height)).Transfers.Count);

        // Deeper than the payment: it waits again, is mined elsewhere, and is the same transfer.
        await bcoin.Reorg(1);
        Assert.Equal(2, (await chain.Mempool(Ct)).Count);
        Assert.Equal(TransactionState.Mempool, (await chain.Status(txId, Ct)).State);
        Assert.Empty((await BlockAt(chain, height)).Transfers);
        await bcoin.Mine();
        Assert.Equal([(txId, 0), (txId, 1)], (await BlockAt(chain, height + 2)).Transfers.Select(t => (t.TxId, t.Ordinal)));
        Assert.Equal(height + 2, (await chain.Status(txId, Ct)).Height);

        await bcoin.Reorg(1, drop: true);
        Assert.Empty(await chain.Mempool(Ct));
        Assert.Equal(default, await chain.Status(txId, Ct));
        Assert.Null(await chain.Transaction(txId, Ct));
    }

    [Fact]
    public async Task A_look_at_the_mempool_reads_only_what_no_look_before_has_read()
    {
        await using var counting = await AnsweringNode.Start(bcoin);
        var a = await bcoin.Key();
        using var chain = Chain(counting.Url, a);
        var first = await bcoin.Pay((a, 1_000));
        var foreign = await bcoin.Pay((await bcoin.Key(), 1_000));
        Assert.Single(await chain.Mempool(Ct));
        var second = await bcoin.Pay((a, 2_000));
        Assert.Equal(new[] { first, second }.Order(), (await chain.Mempool(Ct)).Select(t => t.TxId).Order());
        Assert.Equal(2, (await chain.Mempool(Ct)).Count);
        Assert.Equal(3, counting.Asked.Count(method => method == "getrawtransaction"));

        // A node that fails is no sign that a payment is gone.
        counting.On("getrawmempool", _ => throw new Refusal(-1, "busy"));
        await Assert.ThrowsAsync<ChainFault>(() => chain.Mempool(Ct));
        counting.Off("getrawmempool");
        await bcoin.Forget(second);
        Assert.Equal([first], (await chain.Mempool(Ct)).Select(t => t.TxId));
        Assert.Equal(3, counting.Asked.Count(method => method == "getrawtransaction"));
        await bcoin.Forget();
        await bcoin.Forget(foreign);
    }

    [Fact]
    public async Task Any_run_of_blocks_is_read_whole_and_linked()
    {
        var a = await bcoin.Key();
        using var chain = Chain(a);
        var start = await bcoin.Height();
        for (var i = 1; i <= 5; i++)
            await bcoin.MinePayment((a, 1_000 * i));
        var blocks = new List<ChainBlock>();
        for (IReadOnlyList<ChainBlock> run; (run = await chain.Blocks(blocks.Count, 1_000, Ct)).Count > 0;)
            blocks.AddRange(run);
        Assert.Equal(start + 6, blocks.Count);
        for (var i = 0; i < blocks.Count; i++)
        {
            Assert.Equal(i, blocks[i].Height);
            Assert.Equal(i == 0 ? new string('0', 64) : blocks[i - 1].Hash, blocks[i].ParentHash);
        }

        Assert.Equal([1_000, 2_000, 3_000, 4_000, 5_000], blocks.SelectMany(block => block.Transfers).Select(t => (long)t.Amount));
        Assert.Equal(new ChainTip(blocks.Count - 1, blocks[^1].Hash, null), await chain.Tip(Ct));
        Assert.Equal(blocks[7].Hash, Assert.Single(await chain.Blocks(7, 1, Ct)).Hash);
        Assert.Empty(await chain.Blocks(blocks.Count, 10, Ct));
        Assert.Empty(await chain.Blocks(blocks.Count + 100, 10, Ct));
    }

    [Fact]
    public async Task A_transaction_tells_where_it_is_and_everyone_it_pays()
    {
        var (a, stranger) = (await bcoin.Key(), await bcoin.Key());
        using var chain = Chain(a);
        var txId = await bcoin.MinePayment((a, 1_000), (stranger, 2_000));
        var found = (await chain.Transaction(chain.ReadTxId(txId.ToUpperInvariant())!, Ct))!;
        Assert.Equal((txId, TransactionState.Included, $"127.0.0.1:{bcoin.Port}"), (found.TxId, found.Status.State, found.Node));
        Assert.Equal((await BlockAt(chain, await bcoin.Height())).Time, found.BlockTime);
        Assert.Equal([a, stranger], found.Transfers.Take(2).Select(t => t.Address));
        Assert.Null(await chain.Transaction(new string('0', 64), Ct));
        foreach (var none in new[] { "", "0x" + txId, txId[1..], txId + "0", new string('g', 64) })
            Assert.Null(chain.ReadTxId(none));
    }

    [Fact]
    public async Task Bytes_are_handed_over_any_number_of_times_and_refused_for_ever_only_when_they_can_never_be_mined()
    {
        var (a, stranger) = (await bcoin.Key(), await bcoin.Key());
        using var chain = Chain(a);
        await bcoin.MinePayment((a, 1_000_000));
        var bytes = Convert.FromHexString(await bcoin.Make(a, (stranger, 500_000)));
        var rival = Convert.FromHexString(await bcoin.Make(a, (stranger, 600_000)));
        var txId = await chain.Broadcast(bytes, Ct);
        Assert.Equal(TransactionState.Mempool, (await chain.Status(txId, Ct)).State);
        Assert.Equal(txId, await chain.Broadcast(bytes, Ct));
        await bcoin.Mine();
        Assert.Equal(txId, await chain.Broadcast(bytes, Ct));

        // What spends the same coins waits for a reorg that may still come.
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(rival, Ct))).Retryable);
        // Mined and spent on: the node knows the bytes no more as unspent, and still nothing failed.
        await bcoin.Sweep(stranger, await bcoin.Key());
        await bcoin.Mine();
        Assert.Equal(txId, await chain.Broadcast(bytes, Ct));
        foreach (var broken in new[] { [], bytes[..^1], [.. bytes, 0], "hello"u8.ToArray() })
            Assert.False((await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(broken, Ct))).Retryable);
    }

    [Fact]
    public async Task Holdings_are_what_was_received_and_not_yet_spent_after_the_named_block()
    {
        var (a, b, stranger) = (await bcoin.Key(), await bcoin.Key(), await bcoin.Key());
        using var chain = Chain(a, b);
        await bcoin.MinePayment((a, 1_000_000), (a, 2_000_000), (b, 40_000));
        var (first, firstHash) = (await bcoin.Height(), await bcoin.HashAt(await bcoin.Height()));
        await bcoin.PayFrom(a, (stranger, 500_000));
        await bcoin.MinePayment((b, 10_000));
        var (second, secondHash) = (await bcoin.Height(), await bcoin.HashAt(await bcoin.Height()));
        await bcoin.Sweep(a, stranger);
        await bcoin.Mine();
        var (third, thirdHash) = (await bcoin.Height(), await bcoin.HashAt(await bcoin.Height()));

        Assert.Equal([3_000_000, 40_000, 0], await chain.Holdings(first, firstHash, null, [a, b, await bcoin.Key()], Ct));
        Assert.Equal([50_000, 2_480_000], await chain.Holdings(second, secondHash, null, [b, a], Ct));
        Assert.Equal([0, 50_000, 0], await chain.Holdings(third, thirdHash, null, [a, b, a], Ct));
        await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(third, firstHash, null, [a], Ct));
        await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(third + 1, thirdHash, null, [a], Ct));
        foreach (var none in new[] { "nobody", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" })
            Assert.False((await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(third, thirdHash, null, [none], Ct))).Retryable);
        Assert.False((await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(third, thirdHash, "0x1", [a], Ct))).Retryable);
    }

    [Fact]
    public async Task A_node_without_an_estimate_costs_the_fallback()
    {
        using var chain = Chain();
        Assert.Equal((Int128)(20 * 141), await chain.FeeEstimate(null, Ct));
    }

    internal static BitcoinChain Chain(IReadOnlyList<Uri> nodes, params string[] ours) => ChainFrom(0, nodes, ours);

    internal static BitcoinChain ChainFrom(long height, IReadOnlyList<Uri> nodes, params string[] ours)
    {
        var set = ours.ToHashSet();
        var options = new BitcoinOptions { Network = BitcoinNetwork.Regtest, Nodes = nodes, HoldingsFrom = height };
        return new BitcoinChain("bitcoin", options,
            (addresses, _) => Task.FromResult<IReadOnlySet<string>>(addresses.Where(set.Contains).ToHashSet()), TimeProvider.System);
    }

    private static BitcoinChain Chain(Uri node, params string[] ours) => Chain([node], ours);

    private BitcoinChain Chain(params string[] ours) => Chain([bcoin.Url], ours);

    private static async Task<ChainBlock> BlockAt(IChain chain, long height) => (await chain.BlockAt(height, Ct))!;
}
