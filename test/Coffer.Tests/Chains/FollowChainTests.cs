using System.Numerics;
using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Addresses;
using Coffer.Server.Chain;

namespace Coffer.Tests.Chains;

public sealed class FollowChainTests(TestCluster cluster) : IAsyncLifetime
{
    private ChainWorld _world = null!;
    private string _database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => (_world, _database) = await ChainWorld.New(cluster);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_deposit_is_incoming_from_its_block_and_available_with_its_last_confirmation()
    {
        await _world.Deposit("one", 500);
        await _world.Follow();
        Assert.Equal(default, await _world.Balance());
        for (var confirmations = 1; confirmations < ChainWorld.Tether.Confirmations; confirmations++)
        {
            await _world.Mine(1);
            await _world.Follow();
            Assert.Equal(new Parts(0, 500, 0, 500, 0, 0), await _world.Balance());
        }

        await _world.Mine(1);
        await _world.Follow();
        Assert.Equal(new Parts(500, 0, 0, 500, 0, 0), await _world.Balance());
        await _world.Mine(3);
        await _world.Follow();
        Assert.Equal(new Parts(500, 0, 0, 500, 0, 0), await _world.Balance());
    }

    [Theory]
    [InlineData("dropped")]
    [InlineData("returned")]
    [InlineData("replaced")]
    [InlineData("dropped and back")]
    public async Task A_reorged_deposit_takes_back_exactly_what_it_gave(string fate)
    {
        // Every depth across the threshold of 3 confirmations, one after the other on the same chain.
        Int128 all = 0;
        for (var depth = 1; depth <= 12; depth++)
            all += await Reorged(depth, fate);
        Assert.Equal(all, (await _world.Balance()).Available);
    }

    /// <summary>Twelve blocks with deposits, a reorg, and what becomes of it; answers what stays.</summary>
    private async Task<int> Reorged(int depth, string fate)
    {
        for (var i = 0; i < 12; i++)
        {
            await _world.Deposit($"{depth}/{i}", 100 + i);
            await _world.Deposit($"{depth}/{i} twice", 50, ChainWorld.OtherAddress);
            await _world.Mine(1);
        }

        await _world.Follow();
        await _world.Reorg(depth, returned: fate == "returned");
        if (fate == "replaced")
            await _world.Deposit($"{depth} instead", 777);
        await _world.Follow();
        await Check($"{fate}, depth {depth}, after the reorg");
        for (var i = 12 - depth; fate == "dropped and back" && i < 12; i++)
            await _world.Deposit($"{depth}/{i}", 100 + i);
        for (var i = 0; i < 4; i++)
        {
            await _world.Mine(1);
            await _world.Follow();
            await Check($"{fate}, depth {depth}, {i + 1} blocks after the reorg");
        }

        var lost = Enumerable.Range(12 - depth, depth).Sum(i => 100 + i);
        var given = Enumerable.Range(0, 12).Sum(i => 100 + i);
        return fate switch { "dropped" => given - lost, "replaced" => given - lost + 777, _ => given };
    }

    private async Task Check(string because)
    {
        var (own, other) = (await _world.Balance(), await _world.Balance(ChainWorld.Other));
        Assert.True(await _world.Expected(ChainWorld.Wallet, ChainWorld.Tether) == own, $"{because}: {own}");
        Assert.True(await _world.Expected(ChainWorld.Other, ChainWorld.Tether) == other, $"{because}: {other}");
    }

    [Fact]
    public async Task A_reversed_deposit_that_was_spent_leaves_a_deficit_and_its_return_pays_it()
    {
        await _world.Deposit("one", 500);
        await _world.Mine(3);
        await _world.Follow();
        (await _world.Write(new Transfer(
            ChainWorld.Account, ChainWorld.Wallet, ChainWorld.Tether, Reference.Of("spend"), ChainWorld.Other, 400, null))).Accepted();
        await _world.Reorg(3, returned: true);
        await _world.Follow();
        // Deposited keeps what the wallet still owes: total = deposited - withdrawn + transferred holds at every instant.
        Assert.Equal(new Parts(0, 0, 0, 400, 0, 400), await _world.Balance());

        await _world.Mine(3);
        await _world.Follow();
        Assert.Equal(new Parts(100, 0, 0, 500, 0, 0), await _world.Balance());
        Assert.Equal(400, (await _world.Balance(ChainWorld.Other)).Available);
    }

    [Fact]
    public async Task Every_transfer_of_one_transaction_is_credited_also_to_one_address()
    {
        SimulatedOutput[] outputs =
        [
            new(TransferKind.Token, ChainWorld.Address, "USDTERC20", 100),
            new(TransferKind.Token, ChainWorld.Address, "USDTERC20", 100),
            new(TransferKind.Internal, ChainWorld.Address, "ETH", 7),
            new(TransferKind.Native, ChainWorld.Address, "ETH", 8),
            new(TransferKind.Token, ChainWorld.OtherAddress, "USDTERC20", 30),
            new(TransferKind.Token, SimulatedAddress.Make(ChainWorld.Account, ChainWorld.Wallet, "ETH", 99), "USDTERC20", 1_000),
        ];
        await _world.Chain.Deposit("many", outputs, Ct);
        await _world.Mine(5);
        await _world.Follow();
        Assert.Equal(200, (await _world.Balance()).Available);
        Assert.Equal(15, (await _world.Balance(currency: "ETH")).Available);
        Assert.Equal(30, (await _world.Balance(ChainWorld.Other)).Available);
        Assert.Equal(5, await _world.Scalar<long>("SELECT count(*) FROM chain_deposit"));
    }

    [Fact]
    public async Task What_cannot_be_credited_is_kept_with_its_reason_and_never_reaches_the_ledger()
    {
        await _world.Deposit("dust", 9);
        await _world.Deposit("zero", 0);
        await _world.Deposit("stranger", 500, currency: "SCAM");
        await _world.Deposit("network", 500, currency: "TRX");
        await _world.Deposit("huge", Int128.MaxValue);
        await _world.Deposit("minimum", 10);
        await _world.Mine(3);
        await _world.Follow();
        Assert.Equal(new Parts(10, 0, 0, 10, 0, 0), await _world.Balance());
        Assert.Equal("amount_too_large,below_minimum,other_network,unknown_currency,zero_amount",
            await _world.Scalar<string>("SELECT string_agg(reason, ',' ORDER BY reason) FROM chain_deposit"));
        Assert.Equal((decimal)500, await _world.Scalar<decimal>("SELECT amount FROM chain_deposit WHERE reason = 'other_network'"));

        await _world.Reorg(3, returned: true);
        await _world.Mine(3);
        await _world.Follow();
        Assert.Equal(new Parts(10, 0, 0, 10, 0, 0), await _world.Balance());
        Assert.Equal(1, await _world.Scalar<long>("SELECT count(*) FROM movement"));
        Assert.Equal(6, await _world.Scalar<long>("SELECT count(*) FROM chain_deposit WHERE sighting = 2"));
    }

    [Fact]
    public async Task A_deposit_that_the_balance_has_no_room_for_waits_for_a_human_and_stops_nothing()
    {
        await _world.Deposit("full", Amount.Max - 5);
        await _world.Deposit("more", 10);
        await _world.Deposit("other", 50, ChainWorld.OtherAddress);
        await _world.Mine(3);
        await _world.Follow();
        Assert.Equal("balance_too_large", await _world.Scalar<string>("SELECT reason FROM chain_deposit WHERE reason IS NOT NULL"));
        Assert.Equal(50, (await _world.Balance(ChainWorld.Other)).Available);
    }

    [Fact]
    public async Task A_transfer_of_256_bits_is_kept_to_the_last_digit()
    {
        var amount = (BigInteger.One << 256) - 1;
        var node = new Node(_world.Chain)
        {
            Answer = blocks => [.. blocks.Select(block => block with
            {
                Transfers = [.. block.Transfers.Select(transfer => transfer with { Amount = amount })],
            })],
        };
        await _world.Deposit("one", 500);
        await _world.Mine(3);
        await _world.Follower.CatchUp(_world.Followed(node), Ct);
        var kept = await _world.Scalar<string>("SELECT amount::text FROM chain_deposit WHERE reason = 'amount_too_large'");
        Assert.Equal(amount.ToString(), kept);
        Assert.Equal(default, await _world.Balance());
    }

    [Fact]
    public async Task An_address_of_another_account_is_a_strangers_on_this_chain()
    {
        var stranger = new AccountId(new Guid("44444444-4444-4444-8444-444444444444"));
        var address = SimulatedAddress.Make(stranger, ChainWorld.Wallet, "ETH", 0);
        await _world.Db.Transaction((tx, ct) => tx.Watch(
            IssuedAddress.FirstSimulated(stranger.Value, ChainWorld.Shard, stranger, ChainWorld.Wallet, "ETH", ChainWorld.Noon), ct), Ct);
        await _world.Deposit("one", 500, address);
        await _world.Mine(3);
        await _world.Follow();
        Assert.Equal(0, await _world.Scalar<long>("SELECT count(*) FROM chain_deposit"));
    }

    [Fact]
    public async Task A_deposit_that_comes_back_for_another_wallet_is_kept_for_a_human()
    {
        var swap = false;
        var node = new Node(_world.Chain)
        {
            Answer = blocks => !swap ? blocks : [.. blocks.Select(block => block with
            {
                Transfers = [.. block.Transfers.Select(transfer => transfer with { Address = ChainWorld.OtherAddress })],
            })],
        };
        await _world.Deposit("one", 500);
        await _world.Mine(3);
        await _world.Follower.CatchUp(_world.Followed(node), Ct);
        swap = true;
        await _world.Reorg(3, returned: true);
        await _world.Mine(3);
        await _world.Follower.CatchUp(_world.Followed(node), Ct);
        Assert.Equal(default, await _world.Balance() with { Deficit = 0 });
        Assert.Equal(default, await _world.Balance(ChainWorld.Other));
        Assert.Equal("receiver_changed", await _world.Scalar<string>("SELECT reason FROM chain_deposit"));
    }

    [Fact]
    public async Task The_same_transfer_in_two_blocks_of_a_lying_node_counts_once()
    {
        ChainTransfer? repeated = null;
        var node = new Node(_world.Chain)
        {
            Answer = blocks => [.. blocks.Select(block =>
            {
                repeated ??= block.Transfers.FirstOrDefault();
                return repeated is null ? block : block with { Transfers = [repeated, repeated] };
            })],
        };
        await _world.Deposit("one", 500);
        await _world.Mine(1);
        await _world.Follower.CatchUp(_world.Followed(node), Ct);
        await _world.Mine(5);
        await _world.Follower.CatchUp(_world.Followed(node), Ct);
        Assert.Equal(new Parts(500, 0, 0, 500, 0, 0), await _world.Balance());
    }

    [Fact]
    public async Task A_node_that_lags_answers_nothing_or_contradicts_itself_moves_nothing_and_nothing_is_skipped()
    {
        await _world.Deposit("one", 500);
        await _world.Mine(2);
        await _world.Follow();
        var before = await _world.Balance();
        var cursor = await _world.Db.Cursor(_world.Chain.Id, Ct);
        await _world.Deposit("two", 600);
        await _world.Mine(5);

        var empty = new Node(_world.Chain) { Answer = _ => [] };
        await _world.Follower.CatchUp(_world.Followed(empty), Ct);
        var away = new Node(_world.Chain) { Answer = _ => throw new ChainFault("away", retryable: true) };
        await Assert.ThrowsAsync<ChainFault>(() => _world.Follower.CatchUp(_world.Followed(away), Ct));
        var lagging = new Node(_world.Chain) { Answer = blocks => [.. blocks.Where(block => block.Height < cursor!.Height)] };
        await _world.Follower.CatchUp(_world.Followed(lagging), Ct);
        var skipping = new Node(_world.Chain) { Answer = blocks => [.. blocks.Where(block => block.Height != 3)] };
        await Assert.ThrowsAsync<ChainFault>(() => _world.Follower.CatchUp(_world.Followed(skipping), Ct));
        var unlinked = new Node(_world.Chain)
        {
            Answer = blocks => [.. blocks.Select(block => block.Height > 2 ? block with { ParentHash = "no such block" } : block)],
        };
        await Assert.ThrowsAsync<ChainFault>(() => _world.Follower.CatchUp(_world.Followed(unlinked), Ct));
        Assert.Equal(before, await _world.Balance());
        Assert.Equal(cursor, await _world.Db.Cursor(_world.Chain.Id, Ct));

        await _world.Follow();
        Assert.Equal(1_100, (await _world.Balance()).Available);
    }

    [Fact]
    public async Task A_chain_that_was_replaced_below_its_first_followed_block_stops_and_says_so()
    {
        await _world.Mine(1);
        await _world.Follow();
        var other = new SimulatedChain("sim:other", new MemoryLog());
        await other.Mine(5, ChainWorld.Noon, 0, Ct);
        var node = new Node(other) { Id = _world.Chain.Id };
        var fault = await Assert.ThrowsAsync<ChainFault>(() => _world.Follower.CatchUp(_world.Followed(node), Ct));
        Assert.False(fault.Retryable);
    }

    [Fact]
    public async Task A_long_catch_up_skips_nothing()
    {
        for (var i = 0; i < 30; i++)
        {
            await _world.Deposit($"{i}", 100);
            await _world.Mine(i * 7 % 50 + 1);
        }

        await _world.Mine(900);
        await _world.Follow();
        Assert.Equal(3_000, (await _world.Balance()).Available);
        var tip = await _world.Chain.Tip(Ct);
        Assert.Equal(tip.Height + 1, await _world.Scalar<long>("SELECT count(*) FROM chain_block"));
        Assert.Equal(new ChainCursor(tip.Height, tip.Hash), await _world.Db.Cursor(_world.Chain.Id, Ct));
    }

    [Fact]
    public async Task Two_followers_at_once_credit_each_deposit_once()
    {
        await using var second = ChainWorld.On(_database);
        for (var round = 0; round < 15; round++)
        {
            for (var i = 0; i < 20; i++)
                await _world.Deposit($"{round}/{i}", 10 + i, i % 3 == 0 ? ChainWorld.OtherAddress : null);
            await _world.Mine(1 + (round % 3));
            if (round % 4 == 3)
                await _world.Reorg(1 + (round % 5), returned: round % 8 == 3);
            await Task.WhenAll(_world.Follow(), second.Follow(), _world.Follow(), second.Follow());
            Assert.Equal(await _world.Expected(ChainWorld.Wallet, ChainWorld.Tether), await _world.Balance());
            Assert.Equal(await _world.Expected(ChainWorld.Other, ChainWorld.Tether), await _world.Balance(ChainWorld.Other));
        }
    }

    [Fact]
    public async Task The_worker_finds_what_a_process_that_died_has_left_undone_and_then_rests()
    {
        await _world.Deposit("one", 500);
        await _world.Mine(3);
        await using var second = ChainWorld.On(_database);
        Assert.True(await second.RunWorker());
        Assert.Equal(500, (await second.Balance()).Available);
        Assert.False(await second.RunWorker());
        Assert.False(await _world.RunWorker());
    }
}
