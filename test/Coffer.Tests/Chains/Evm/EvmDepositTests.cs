using System.Numerics;
using Coffer.Chains;
using Coffer.Chains.Evm;

namespace Coffer.Tests.Chains.Evm;

/// <summary>What a real node's blocks say to us: every way to pay, and every way that only looks like one.</summary>
public sealed class EvmDepositTests(NodeFolder folder)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Coin_and_tokens_that_arrive_are_told_with_their_exact_amounts()
    {
        await using var world = await EvmWorld.Start(folder);
        var coin = await world.Node.Pay(EvmWorld.Ours, EvmWorld.Coin + 1);
        var token = await world.Transfer(world.Token, EvmWorld.AlsoOurs, 7);
        var tether = await world.Transfer(world.Tether, EvmWorld.Ours, 8_000_001);
        await world.Node.Pay(EvmWorld.Stranger, 5);
        await world.Transfer(world.Token, EvmWorld.Stranger, 6);
        var block = await world.Mined();

        Assert.Equal([
            new ChainTransfer(coin, TransferKind.Native, 0, EvmWorld.Ours, null, EvmWorld.Coin + 1),
            new ChainTransfer(token, TransferKind.Token, 0, EvmWorld.AlsoOurs, world.Token, 7),
            new ChainTransfer(tether, TransferKind.Token, 0, EvmWorld.Ours, world.Tether, 8_000_001),
        ], block.Transfers.OrderBy(one => one.Kind).ThenBy(one => one.Amount));
        Assert.Equal(await world.Node.Height(), block.Height);
    }

    [Fact]
    public async Task Several_transfers_in_one_transaction_each_have_an_identity()
    {
        await using var world = await EvmWorld.Start(folder);
        var same = await world.Pay("tokens(address,address,uint256,uint256)", world.Token, EvmWorld.Ours, 10, 3);
        var two = await world.Pay("two(address,address,address,uint256)", world.Token, EvmWorld.Stranger, EvmWorld.AlsoOurs, 4);
        var block = await world.Mined();

        Assert.Equal([(same, 0), (same, 1), (same, 2), (two, 1)],
            block.Transfers.Select(one => (one.TxId, one.Ordinal)).OrderBy(one => one.TxId == two).ThenBy(one => one.Ordinal));
        Assert.Equal(34, block.Transfers.Sum(one => (int)one.Amount));
    }

    [Fact]
    public async Task A_transfer_mined_again_elsewhere_keeps_its_identity()
    {
        await using var world = await EvmWorld.Start(folder);
        await world.Transfer(world.Token, world.Node.Accounts[1], 10);
        await world.Node.Mine();
        var paid = await world.Pay("two(address,address,address,uint256)", world.Token, EvmWorld.Stranger, EvmWorld.Ours, 4);
        var raw = await world.Node.Raw(paid);
        var before = await world.Mined();
        var indexBefore = await LogIndex();

        // In the block that replaces it, somebody else's transfer comes first.
        await world.Node.Rollback(1);
        await world.Node.Call("eth_sendTransaction", new
        {
            from = world.Node.Accounts[1],
            to = world.Token,
            input = Abi.Call("transfer(address,uint256)", EvmWorld.Stranger, 1),
            maxPriorityFeePerGas = Anvil.Hex(50_000_000_000),
            maxFeePerGas = Anvil.Hex(100_000_000_000),
        });
        await world.Node.Call("eth_sendRawTransaction", raw);
        var after = await world.Mined();

        Assert.NotEqual(before.Hash, after.Hash);
        Assert.NotEqual(indexBefore, await LogIndex());
        Assert.Equal(new ChainTransfer(paid, TransferKind.Token, 1, EvmWorld.Ours, world.Token, 4), Assert.Single(before.Transfers));
        Assert.Equal(before.Transfers, after.Transfers);

        async Task<string> LogIndex() => (await world.Node.Receipt(paid)).GetProperty("logs")[1].GetProperty("logIndex").GetString()!;
    }

    [Fact]
    public async Task What_only_looks_like_a_deposit_is_none()
    {
        await using var world = await EvmWorld.Start(folder);
        await world.Transfer(world.LookAlike, EvmWorld.Ours, 1_000);
        await world.Transfer(world.Token, EvmWorld.Ours, 0);
        await world.Node.Pay(EvmWorld.Ours, 0);
        await world.Transfer(world.Odd, EvmWorld.Ours, 1_000);
        await world.Node.Send(world.Odd, Abi.Call("fourTopics(address,uint256)", EvmWorld.Ours, 3));
        await world.Node.Send(world.Odd, Abi.Call("fourTopicsAndData(address)", EvmWorld.Ours));
        await world.Node.Send(world.Odd, Abi.Call("threeTopics(address,uint256)", EvmWorld.Ours, 0));
        await world.Node.Send(world.Odd, Abi.Call("threeTopics(address,uint256)", EvmWorld.Ours, 64));
        await world.Node.Send(world.Odd, Abi.Call("dirtyReceiver(uint256)",
            (BigInteger.One << 160) + BigInteger.Parse("0" + EvmWorld.Ours[2..], System.Globalization.NumberStyles.HexNumber)));

        Assert.Empty((await world.Mined()).Transfers);
    }

    [Fact]
    public async Task What_failed_moved_nothing()
    {
        await using var world = await EvmWorld.Start(folder);
        await world.Node.Send(world.Tether, Abi.Call("setPaused(bool)", 1));
        await world.Node.Mine();
        var paused = await world.Transfer(world.Tether, EvmWorld.Ours, 5);
        var tooMuch = await world.Transfer(world.Token, EvmWorld.Ours, EvmWorld.Supply * 2);
        var refused = await world.Node.Send(world.Tether, "0x", 1_000);
        var block = await world.Mined(TraceKind.Debug);

        Assert.Empty(block.Transfers);
        foreach (var hash in new[] { paused, tooMuch, refused })
            Assert.Equal(TransactionState.Failed, (await world.Chain().Status(hash, Ct)).State);
    }

    [Fact]
    public async Task Coin_sent_along_with_a_failed_call_to_us_is_not_credited()
    {
        await using var world = await EvmWorld.Start(folder);

        // Whoever can put code at a watched address (or run out of gas there) makes the transaction fail with its value in the block.
        await world.Node.Call("anvil_setCode", EvmWorld.Ours, "0xfe");
        var paid = await world.Node.Pay(EvmWorld.Ours, EvmWorld.Coin);
        var block = await world.Mined(TraceKind.Debug);

        Assert.Equal("0x0", (await world.Node.Receipt(paid)).GetProperty("status").GetString());
        Assert.Empty(block.Transfers);
    }

    [Fact]
    public async Task A_token_that_keeps_a_fee_is_credited_as_it_arrived()
    {
        await using var world = await EvmWorld.Start(folder);
        await world.Node.Send(world.Tether, Abi.Call("setFee(uint256)", 10));
        await world.Node.Mine();
        var paid = await world.Transfer(world.Tether, EvmWorld.Ours, 100_000);

        Assert.Equal([new ChainTransfer(paid, TransferKind.Token, 1, EvmWorld.Ours, world.Tether, 99_900)], (await world.Mined()).Transfers);
    }

    [Fact]
    public async Task An_amount_wider_than_the_ledger_arrives_whole()
    {
        await using var world = await EvmWorld.Start(folder);
        var huge = (BigInteger.One << 256) - 1;
        var code = await Contracts.Compiled(folder);
        var token = await world.Node.Deploy(code["StandardToken"], huge);
        await world.Transfer(token, EvmWorld.Ours, huge);
        await world.Node.Mine();
        using var chain = new EvmChain(new EvmOptions("ethereum", EvmWorld.ChainId, [token]), [world.Node.Url],
            (addresses, _) => Task.FromResult<IReadOnlySet<string>>(addresses.ToHashSet()), TimeProvider.System);

        var block = await ((IChain)chain).BlockAt(await world.Node.Height(), Ct);
        Assert.Equal(huge, Assert.Single(block!.Transfers).Amount);
    }
}
