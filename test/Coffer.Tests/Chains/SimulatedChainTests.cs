using Coffer.Chains;
using Coffer.Chains.Simulated;

namespace Coffer.Tests.Chains;

public sealed class SimulatedChainTests
{
    private static readonly DateTimeOffset Noon = new(2025, 1, 15, 12, 0, 0, TimeSpan.Zero);
    private static readonly AccountId Account = new(new Guid("11111111-1111-1111-1111-111111111111"));
    private static readonly WalletId Wallet = new(new Guid("22222222-2222-2222-2222-222222222222"));
    private static readonly string Address = SimulatedAddress.Make(Account, Wallet, "ETH", 0);

    private readonly MemoryLog log = new();
    private readonly SimulatedChain chain;

    public SimulatedChainTests() => chain = Open();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private SimulatedChain Open(string id = "sim:a") => new(id, log);

    private static SimulatedOutput Pay(Int128 amount, TransferKind kind = TransferKind.Token) => new(kind, Address, "USDTERC20", amount);

    [Fact]
    public async Task A_new_chain_is_its_genesis_block()
    {
        var tip = await chain.Tip(Ct);
        Assert.Equal(0, tip.Height);
        Assert.Matches("^[0-9a-f]{64}$", tip.Hash);
        var blocks = await chain.Blocks(0, 10, Ct);
        Assert.Empty(Assert.Single(blocks).Transfers);
        Assert.Null(await ((IChain)chain).BlockAt(1, Ct));
        Assert.Null(await ((IChain)chain).BlockAt(-1, Ct));
    }

    [Fact]
    public async Task A_deposit_waits_in_the_mempool_and_is_in_the_next_block_only()
    {
        var txId = await chain.Deposit("one", [Pay(5)], Ct);
        Assert.Equal(TransactionState.Mempool, (await chain.Status(txId, Ct)).State);
        Assert.Equal(txId, Assert.Single(await chain.Mempool(Ct)).TxId);

        await chain.Mine(2, Noon, 60, Ct);
        var blocks = await chain.Blocks(1, 10, Ct);
        Assert.Equal([1L, 2L], blocks.Select(block => block.Height));
        Assert.Equal(new ChainTransfer(txId, TransferKind.Token, 0, Address, "USDTERC20", 5), Assert.Single(blocks[0].Transfers));
        Assert.Empty(blocks[1].Transfers);
        Assert.Equal([Noon, Noon.AddSeconds(60)], blocks.Select(block => block.Time));
        Assert.Equal(new TransactionStatus(TransactionState.Included, 1, blocks[0].Hash), await chain.Status(txId, Ct));
        Assert.Empty(await chain.Mempool(Ct));
    }

    [Fact]
    public async Task Transfers_of_one_transaction_to_one_address_have_ordinals_of_their_own()
    {
        await chain.Deposit("many", [Pay(1), Pay(1), Pay(7, TransferKind.Internal), Pay(1)], Ct);
        await chain.Mine(1, Noon, 0, Ct);
        var transfers = (await chain.Blocks(1, 1, Ct))[0].Transfers;
        Assert.Equal([(TransferKind.Token, 0), (TransferKind.Token, 1), (TransferKind.Internal, 0), (TransferKind.Token, 2)],
            transfers.Select(transfer => (transfer.Kind, transfer.Ordinal)));
        Assert.Single(transfers.Select(transfer => transfer.TxId).Distinct());
    }

    [Fact]
    public async Task The_same_seed_is_the_same_payment_and_another_chain_has_other_hashes()
    {
        var first = await chain.Deposit("seed", [Pay(5)], Ct);
        await chain.Mine(1, Noon, 0, Ct);
        Assert.Equal(first, await chain.Deposit("seed", [Pay(5)], Ct));
        Assert.Empty(await chain.Mempool(Ct));
        Assert.NotEqual(first, await chain.Deposit("seed 2", [Pay(5)], Ct));

        using var other = new SimulatedChain("sim:b", new MemoryLog());
        Assert.NotEqual(first, await other.Deposit("seed", [Pay(5)], Ct));
        Assert.NotEqual((await chain.Blocks(0, 1, Ct))[0].Hash, (await other.Blocks(0, 1, Ct))[0].Hash);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(12)]
    public async Task A_reorg_replaces_its_depth_by_one_more_and_the_deposits_vanish(int depth)
    {
        await chain.Mine(2, Noon, 0, Ct);
        var txId = await chain.Deposit("one", [Pay(5)], Ct);
        await chain.Mine(depth, Noon, 0, Ct);
        var before = await chain.Blocks(0, 100, Ct);

        var tip = await chain.Reorg(depth, Noon.AddHours(1), returned: false, Ct);
        var after = await chain.Blocks(0, 100, Ct);
        Assert.Equal(2 + depth + 1, tip.Height);
        Assert.Equal(before.Take(3), after.Take(3));
        Assert.Empty(before.Skip(3).Select(block => block.Hash).Intersect(after.Select(block => block.Hash)));
        Assert.All(after, block => Assert.Empty(block.Transfers));
        Assert.Equal(TransactionState.Unknown, (await chain.Status(txId, Ct)).State);
        Assert.Empty(await chain.Mempool(Ct));
        // An empty block replaced by an empty block of the same time is another block all the same.
        await chain.Reorg(1, Noon.AddHours(1), returned: false, Ct);
        Assert.NotEqual(after[^1].Hash, (await chain.Blocks(tip.Height, 1, Ct))[0].Hash);
    }

    [Fact]
    public async Task A_returned_deposit_is_mined_again_at_another_place()
    {
        var lost = await chain.Deposit("one", [Pay(5)], Ct);
        await chain.Mine(1, Noon, 0, Ct);
        var later = await chain.Deposit("two", [Pay(6)], Ct);
        await chain.Reorg(1, Noon, returned: true, Ct);
        Assert.Equal(TransactionState.Mempool, (await chain.Status(lost, Ct)).State);
        await chain.Mine(1, Noon, 0, Ct);
        Assert.Equal([later, lost], (await chain.Blocks(3, 1, Ct))[0].Transfers.Select(transfer => transfer.TxId));
    }

    [Fact]
    public async Task A_dropped_deposit_can_come_back_under_its_own_id()
    {
        var txId = await chain.Deposit("one", [Pay(5)], Ct);
        await chain.Mine(1, Noon, 0, Ct);
        await chain.Reorg(1, Noon, returned: false, Ct);
        Assert.Equal(txId, await chain.Deposit("one", [Pay(5)], Ct));
        await chain.Mine(1, Noon, 0, Ct);
        Assert.Equal(3, (await chain.Status(txId, Ct)).Height);
    }

    [Fact]
    public async Task A_withdrawal_survives_every_reorg_and_sending_it_again_changes_nothing()
    {
        var bytes = new SimulatedTransaction("withdrawal 1", Pay(9)).ToBytes();
        var txId = await chain.Broadcast(bytes, Ct);
        Assert.Equal(SimulatedTransaction.Id(bytes), txId);
        await chain.Mine(1, Noon, 0, Ct);
        Assert.Equal(txId, await chain.Broadcast(bytes, Ct));
        await chain.Reorg(1, Noon, returned: false, Ct);
        Assert.Equal(TransactionState.Mempool, (await chain.Status(txId, Ct)).State);
        await chain.Mine(1, Noon, 0, Ct);
        Assert.Equal(3, (await chain.Status(txId, Ct)).Height);
        Assert.Single((await chain.Blocks(0, 100, Ct)).SelectMany(block => block.Transfers));
    }

    [Fact]
    public async Task Bytes_that_are_no_transaction_or_pay_a_mistyped_address_are_refused_for_ever()
    {
        var mistyped = new SimulatedTransaction("w", Pay(9) with { Address = Address[..^1] + (Address[^1] == '0' ? '1' : '0') });
        foreach (var bytes in new[] { "hello"u8.ToArray(), [], new byte[100_000], mistyped.ToBytes() })
        {
            var fault = await Assert.ThrowsAsync<ChainFault>(() => chain.Broadcast(bytes, Ct));
            Assert.False(fault.Retryable);
        }
        Assert.Empty(log.Operations);
    }

    [Fact]
    public async Task A_reorg_deeper_than_the_chain_and_calls_beyond_a_limit_are_refused_and_change_nothing()
    {
        await chain.Mine(3, Noon, 0, Ct);
        var tip = await chain.Tip(Ct);
        var tooDeep = await Assert.ThrowsAsync<Refused>(() => chain.Reorg(4, Noon, false, Ct));
        Assert.Contains("3 blocks", tooDeep.Refusal.Message);
        foreach (var count in new[] { int.MinValue, -1, 0, SimulatedLimits.BlocksPerCallMax + 1, int.MaxValue })
        {
            await Assert.ThrowsAsync<Refused>(() => chain.Mine(count, Noon, 0, Ct));
            await Assert.ThrowsAsync<Refused>(() => chain.Reorg(count, Noon, true, Ct));
        }
        await Assert.ThrowsAsync<Refused>(() => chain.Deposit("none", [], Ct));
        await Assert.ThrowsAsync<Refused>(() => chain.Deposit("less", [Pay(-1)], Ct));
        await Assert.ThrowsAsync<Refused>(() => chain.Deposit("", [Pay(1)], Ct));
        Assert.Equal(tip, await chain.Tip(Ct));
        Assert.Single(log.Operations);
        await chain.Reorg(3, Noon, false, Ct);
        Assert.Equal(4, (await chain.Tip(Ct)).Height);
    }

    [Fact]
    public async Task The_height_has_a_limit()
    {
        for (var height = 0; height < SimulatedLimits.HeightMax; height += SimulatedLimits.BlocksPerCallMax)
            await chain.Mine(SimulatedLimits.BlocksPerCallMax, Noon, 1, Ct);
        var full = await Assert.ThrowsAsync<Refused>(() => chain.Mine(1, Noon, 0, Ct));
        Assert.Equal(RefusalCode.LimitExceeded, full.Refusal.Code);
        await Assert.ThrowsAsync<Refused>(() => chain.Reorg(1, Noon, false, Ct));
    }

    [Fact]
    public async Task A_block_is_never_older_than_its_parent()
    {
        await chain.Mine(1, Noon, 0, Ct);
        await chain.Mine(1, Noon.AddDays(-30), 0, Ct);
        Assert.Equal(Noon, (await chain.Blocks(2, 1, Ct))[0].Time);
    }

    [Fact]
    public async Task Two_writers_on_one_log_lose_and_repeat_nothing()
    {
        using var second = Open();
        var writers = new[] { chain, second }.Select((writer, w) => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await writer.Deposit($"{w}/{i}", [Pay(1)], Ct);
                if (i % 7 == 0)
                    await writer.Mine(1, Noon, 0, Ct);
                await writer.Deposit($"both/{i}", [Pay(1)], Ct);
            }
        }, Ct));
        await Task.WhenAll(writers);
        await chain.Mine(1, Noon, 0, Ct);

        using var third = Open();
        var blocks = await third.Blocks(0, 1_000, Ct);
        Assert.Equal(31, blocks.Count - 1);
        Assert.Equal(300, blocks.SelectMany(block => block.Transfers).Select(transfer => transfer.TxId).Distinct().Count());
        Assert.Equal(300, blocks.Sum(block => block.Transfers.Count));
        Assert.Equal(await chain.Tip(Ct), await third.Tip(Ct));
        Assert.Equal(await second.Tip(Ct), await third.Tip(Ct));
    }

    [Fact]
    public async Task A_stored_log_means_the_same_chain_for_ever()
    {
        string[] stored =
        [
            """{"txId":"aa","do":"deposit","outputs":[{"kind":1,"address":"x","currency":"USDTERC20","amount":"5"}]}""",
            """{"do":"mine","count":3,"time":"2025-01-15T12:00:00+00:00","stepSeconds":"60"}""",
            """{"do":"broadcast","txId":"bb","output":{"kind":0,"address":"y","currency":"E","amount":"170141183460469231731687303715884105727"}}""",
            """{"do":"mine","count":1,"time":"2025-01-15T13:00:00+00:00","stepSeconds":0}""",
            """{"do":"reorg","depth":2,"time":"2025-01-15T14:00:00+00:00","returned":true}""",
            """{"do":"mine","count":1,"time":"2025-01-15T15:00:00+00:00","stepSeconds":0}""",
        ];
        for (var i = 0; i < stored.Length; i++)
            Assert.True(await log.Append(i + 1, SimulatedOperation.FromJson(stored[i]), Ct));
        var tip = await chain.Tip(Ct);
        Assert.Equal(new ChainTip(6, "f4ad21aaf5d141d6bcaa37dfc1553b2415d2b05ad7c252dae40ccede41a8e53e", null), tip);
        Assert.Equal(Int128.MaxValue, (Int128)Assert.Single((await chain.Blocks(6, 1, Ct))[0].Transfers).Amount);
    }

    [Fact]
    public async Task A_transaction_tells_where_it_is_and_whom_it_pays()
    {
        var txId = await chain.Deposit("one", [Pay(5)], Ct);
        Assert.Equal(TransactionState.Mempool, (await chain.Transaction(txId, Ct))!.Status.State);
        await chain.Mine(1, Noon, 0, Ct);
        var found = (await chain.Transaction(chain.ReadTxId(txId.ToUpperInvariant())!, Ct))!;
        Assert.Equal((TransactionState.Included, 1L, Noon), (found.Status.State, found.Status.Height, found.BlockTime));
        Assert.Equal(5, Assert.Single(found.Transfers).Amount);
        await chain.Reorg(1, Noon, returned: false, Ct);
        Assert.Null(await chain.Transaction(txId, Ct));
        Assert.Null(chain.ReadTxId("0x" + txId));
    }

    [Fact]
    public async Task Holdings_are_those_after_the_named_block()
    {
        await chain.Deposit("one", [Pay(5)], Ct);
        var first = await chain.Mine(1, Noon, 0, Ct);
        await chain.Deposit("two", [Pay(7)], Ct);
        var second = await chain.Mine(1, Noon, 0, Ct);
        Assert.Equal([5, 0], await chain.Holdings(1, first.Hash, "USDTERC20", [Address, "nobody"], Ct));
        Assert.Equal([12], await chain.Holdings(2, second.Hash, "USDTERC20", [Address], Ct));
        Assert.Equal([0], await chain.Holdings(2, second.Hash, "ETH", [Address], Ct));
        await chain.Reorg(1, Noon, returned: false, Ct);
        await Assert.ThrowsAsync<ChainFault>(() => chain.Holdings(2, second.Hash, "USDTERC20", [Address], Ct));
    }
}
