using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Withdrawals;

namespace Coffer.Tests.Chains;

public sealed class SimulatedPayoutsTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly string Payee = SimulatedAddress.Make(ChainWorld.Account, ChainWorld.Wallet, "ETH", 77);

    private ChainWorld _world = null!;
    private string _database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (_world, _database) = await ChainWorld.New(cluster);
        await _world.Deposit("money", 1_000);
        await _world.Mine(3);
        await _world.Follow();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task It_settles_with_its_last_confirmation_and_a_reorg_before_that_starts_the_count_again()
    {
        await Request("w", 100, Payee);
        await _world.Follow();
        var held = new Parts(897, 0, 103, 1_000, 0, 0);
        for (var confirmations = 1; confirmations < ChainWorld.Tether.Confirmations; confirmations++)
        {
            await _world.Mine(1);
            await _world.Follow();
            Assert.Equal(held, await _world.Balance());
        }

        // Mined in the second block below the tip; now it waits again, under a longer chain.
        await _world.Reorg(2);
        await _world.Follow();
        Assert.Equal(held, await _world.Balance());
        for (var confirmations = 1; confirmations < ChainWorld.Tether.Confirmations; confirmations++)
        {
            await _world.Mine(1);
            await _world.Follow();
            Assert.Equal(held, await _world.Balance());
        }

        await _world.Mine(1);
        await _world.Follow();
        Assert.Equal(new Parts(897, 0, 0, 1_000, 103, 0), await _world.Balance());
        Assert.Equal(100, Assert.Single(await Paid()));
    }

    [Fact]
    public async Task What_the_chain_will_never_take_fails_and_gives_everything_back()
    {
        await Request("w", 100, "no address of this chain");
        Assert.Equal(103, (await _world.Balance()).Held);
        await _world.Follow();
        Assert.Equal(new Parts(1_000, 0, 0, 1_000, 0, 0), await _world.Balance());
        Assert.Equal((short)WithdrawalState.Failed, await _world.Scalar<short>("SELECT state FROM withdrawal"));
        Assert.Empty(await _world.Chain.Mempool(Ct));
    }

    [Fact]
    public async Task What_has_failed_already_is_never_sent()
    {
        var command = await Request("w", 100, Payee);
        (await _world.Write(new FailWithdrawal(command.Account, command.Wallet, command.Currency, command.Reference))).Accepted();
        await _world.Follow();
        Assert.Empty(await _world.Chain.Mempool(Ct));
        Assert.Equal(new Parts(1_000, 0, 0, 1_000, 0, 0), await _world.Balance());
    }

    [Fact]
    public async Task What_waits_for_approval_is_not_sent_before_it()
    {
        await Request("w", 100, Payee, needsApproval: true);
        await _world.Follow();
        Assert.Empty(await _world.Chain.Mempool(Ct));
        Assert.Equal("1 approval", await _world.Scalar<string>("SELECT concat_ws(' ', state, waits_for) FROM withdrawal"));
        await _world.Execute("UPDATE withdrawal SET state = 2, decided_by = 'operator', decided_at = now()");
        await _world.Follow();
        Assert.Equal(100, (int)Assert.Single(await _world.Chain.Mempool(Ct)).Amount);
    }

    [Fact]
    public async Task Sent_again_after_the_mark_was_lost_it_is_still_paid_once()
    {
        await Request("w", 100, Payee);
        for (var i = 0; i < 4; i++)
        {
            await _world.Follow();
            await _world.Mine(1);
            await _world.Execute("UPDATE withdrawal SET state = 3 WHERE state = 4");
        }

        await _world.Follow();
        Assert.Equal(100, Assert.Single(await Paid()));
        Assert.Equal(new Parts(897, 0, 0, 1_000, 103, 0), await _world.Balance());
    }

    [Fact]
    public async Task Two_processes_at_once_pay_each_withdrawal_once()
    {
        await using var second = ChainWorld.On(_database);
        await _world.Deposit("more money", 1_000);
        await _world.Mine(3);
        await _world.Follow();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 25; i++)
                await Request($"{round}/{i}", 1 + i, Payee);
            await Task.WhenAll(_world.Follow(), second.Follow(), _world.Follow(), second.Follow());
        }

        await _world.Mine(3);
        await Task.WhenAll(_world.Follow(), second.Follow());
        Assert.Equal(Enumerable.Range(0, 75).Select(i => 1 + (i / 3)), (await Paid()).Order());
        Assert.Equal(new Parts(800, 0, 0, 2_000, 1_200, 0), await _world.Balance());
    }

    /// <summary>What the canonical chain has paid, in its order.</summary>
    private async Task<int[]> Paid() => [.. (await _world.Chain.Blocks(0, 100, Ct)).SelectMany(block => block.Transfers)
        .Where(transfer => transfer.Address == Payee).Select(transfer => (int)transfer.Amount)];

    private async Task<RequestWithdrawal> Request(string name, Int128 amount, string address, bool needsApproval = false)
    {
        var command = new RequestWithdrawal(
            ChainWorld.Account, ChainWorld.Wallet, ChainWorld.Tether, Reference.Of($"withdrawal:{name}"), amount, 3, address)
        {
            Companion = new WithdrawalOrder(_world.Chain.Id, 2, FeesOnTop: true) { NeedsApproval = needsApproval },
        };
        (await _world.Write(command)).Accepted();
        return command;
    }
}
