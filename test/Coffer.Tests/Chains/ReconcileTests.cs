using System.Text.Json;
using Coffer.Chains;
using Coffer.Server.Chain;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Chains;

/// <summary>Whatever is wrong between chain, books and ledger is found and named; what is merely under way is not.</summary>
public sealed class ReconcileTests(TestCluster cluster)
{
    private const string Small = "below_minimum";

    private const string Its = "WHERE id = (SELECT id FROM movement WHERE reference_text LIKE '%{0}%')";

    // The application's own role may not, but it may give itself the right.
    private const string Lose = "GRANT DELETE ON movement_made TO CURRENT_USER; DELETE FROM movement_made " + Its;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>What is done to sound books, by how much the address then differs, what is said of the deposit in the ledger.</summary>
    public static TheoryData<string, int, string?> Tamperings() => new()
    {
        { "UPDATE chain_deposit SET amount = amount + 1 WHERE tx_id = '{0}'", -1, "the ledger has 100 USDTERC20, not 101 USDTERC20" },
        { "DELETE FROM chain_deposit WHERE tx_id = '{0}'", 100, "the ledger counts 100 USDTERC20 that the books of the chain do not have" },
        { "DELETE FROM chain_deposit WHERE tx_id = '{0}'; " + Lose, 100, null },
        { Lose, 0, "the ledger does not have it" },
        { "UPDATE chain_deposit SET height = 100 WHERE tx_id = '{0}'", 100, null },
        { "UPDATE chain_deposit SET state = 3 WHERE tx_id = '{0}'", 100, "although its block does not count any more" },
        { "UPDATE chain_deposit SET state = 1, reason = 'by hand' WHERE tx_id = '{0}'", 0, "although it is kept for by hand" },
        { "UPDATE chain_deposit SET sighting = 2 WHERE tx_id = '{0}'", 0, "the ledger knows sighting 1, not 2" },
        { "UPDATE chain_deposit SET wallet_id = '{1}' WHERE tx_id = '{0}'", 0, "the ledger gave it to wallet" },
        { "UPDATE chain_deposit SET currency = 'ETH' WHERE tx_id = '{0}'", 100, "the ledger has 100 USDTERC20, not 100 ETH" },
        { "UPDATE movement_change SET state = 3 " + Its, 0, "took it back although its block counts" },
        { "UPDATE movement_change SET state = 1 " + Its, 0, "not made it available" },
        { "UPDATE movement_change SET amount = 1000 " + Its, 0, "the ledger has 1000 USDTERC20, not 100" },
        {
            """
            INSERT INTO movement_made (shard, kind, state, sighting, account_id, id, wallet_id, reference, effective_at, updated_at, currency,
                amount, fee, reference_text)
            SELECT shard + 1, kind, state, sighting, account_id, '{1}', wallet_id, '{1}', effective_at, updated_at, currency, amount, fee,
                reference_text FROM movement WHERE reference_text LIKE '%{0}%'
            """, 0, "the ledger has it 2 times"
        },
        {
            """
            INSERT INTO chain_deposit SELECT chain, 'again', kind, ordinal, state, sighting, posted, height, block_hash, block_time, address,
                shard, account_id, wallet_id, asset, currency, amount, reason FROM chain_deposit WHERE tx_id = '{0}'
            """, -100, "the ledger does not have it"
        },
    };

    [Fact]
    public async Task Books_with_deposits_in_every_state_are_equal_and_what_is_kept_is_listed_apart()
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        await World(world);
        // Gone for good, back again, and still waiting.
        await world.Deposit("gone", 700);
        await world.Mine(1);
        await world.Follow();
        await world.Reorg(1);
        await world.Deposit("waits", 50);
        await world.Mine(1);
        await world.Follow();

        var found = await Run(world);
        Assert.True(found.Equal, JsonSerializer.Serialize(found.Ledger));
        var tether = Of(found, "USDTERC20");
        Assert.Equal((2, 364, 355, 9, 0), (tether.Addresses, (int)tether.OnChain, (int)tether.Credited, (int)tether.Kept, tether.Differences));
        Assert.Equal((0, 0), ((int)Of(found, "ETH").OnChain, (int)Of(found, "TRX").Credited));
        Assert.Equal((await world.Chain.Tip(Ct)).Hash, found.BlockHash);
    }

    [Theory]
    [MemberData(nameof(Tamperings))]
    public async Task What_was_changed_is_named_by_address_and_transaction(string sql, int difference, string? inLedger)
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        var txId = await World(world);
        Assert.True((await Run(world)).Equal);
        await world.Execute(string.Format(sql, txId, ChainWorld.Other));

        var found = await Run(world);
        Assert.False(found.Equal);
        var tether = Of(found, "USDTERC20");
        Assert.Equal(difference, (int)tether.Difference);
        if (difference != 0)
        {
            var address = Assert.Single(tether.Different);
            Assert.Equal((ChainWorld.Address, ChainWorld.Wallet), (address.Address.Address, address.Address.Wallet));
            Assert.Contains(address.Deposits, deposit => deposit.Reason == Small);
            Assert.Equal(difference < 0, address.Deposits.Any(deposit => deposit.TxId == txId && deposit.Reason is null));
        }

        if (inLedger is null)
            Assert.Empty(found.Ledger);
        else
            Assert.Contains(inLedger, Assert.Single(found.Ledger).Problem);
    }

    [Fact]
    public async Task A_payment_that_was_never_noticed_and_coins_that_left_an_address_differ()
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        await World(world);
        var swept = await Run(world, new Node(world.Chain) { Held = held => [.. held.Select((one, i) => i == 0 ? 0 : one + 7)] });
        Assert.False(swept.Equal);
        Assert.Equal(2, Of(swept, "USDTERC20").Differences);
        var first = new[] { ChainWorld.Address, ChainWorld.OtherAddress }.Min(StringComparer.Ordinal);
        Assert.All(Of(swept, "USDTERC20").Different, address => Assert.Equal(address.Address.Address == first, address.Difference < 0));
        Assert.Equal(7, (int)Assert.Single(Of(swept, "ETH").Different).Difference);
        Assert.Empty(Of(swept, "ETH").Different[0].Deposits);
        Assert.Empty(swept.Ledger);
    }

    [Fact]
    public async Task At_a_lower_block_only_what_was_paid_by_then_counts()
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        await World(world);
        var tops = new List<int>();
        for (var height = 0; height <= 3; height++)
        {
            var found = await Run(world, height: height);
            Assert.True(found.Equal);
            tops.Add((int)Of(found, "USDTERC20").OnChain);
        }

        Assert.Equal([0, 109, 314, 314], tops);
        Assert.Null((await Run(world, height: 77)).Equal);
        Assert.Contains("was not followed", (await Run(world, height: 77)).Why);
    }

    [Fact]
    public async Task What_cannot_be_told_is_not_called_equal()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        Assert.Contains("never followed", (await Run(world)).Why);
        await World(world);
        var away = await Run(world, new Node(world.Chain) { Held = _ => throw new ChainFault("The node is away.", retryable: true) });
        Assert.Equal((null, "The node is away"), (away.Equal, away.Why));
        Assert.Null((await Run(world, new Node(world.Chain) { Held = held => [.. held.Skip(1)] })).Equal);

        // Undone while the node was asked.
        var replaced = new Node(world.Chain);
        replaced.Held = held =>
        {
            world.Execute("UPDATE chain_block SET hash = 'other' WHERE height = 3").GetAwaiter().GetResult();
            return held;
        };
        Assert.Contains("was replaced meanwhile", (await Run(world, replaced, height: 3)).Why);
        // The node has other blocks than those that were followed.
        Assert.Contains("does not have block", (await Run(world)).Why);

        // What the ledger tells differently is known without a node.
        await world.Execute("UPDATE movement_change SET amount = 1 + (SELECT amount FROM movement m WHERE m.id = movement_change.id)");
        Assert.False((await Run(world)).Equal);
    }

    [Fact]
    public async Task A_node_that_knows_only_its_last_block_is_asked_again_until_the_follower_is_there()
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        await World(world);
        await world.Mine(1);
        var asked = 0;
        var ahead = new Node(world.Chain);
        ahead.Held = held =>
        {
            if (++asked == 2)
                world.Follow().GetAwaiter().GetResult();
            return asked > 2 ? held : throw new ChainFault("It is at block 4 by now.", retryable: true);
        };
        var found = await Run(world, ahead);
        Assert.Equal((true, 4), (found.Equal, found.Height));
    }

    [Fact]
    public async Task A_deposit_that_the_ledger_was_not_told_of_yet_is_under_way_and_no_difference()
    {
        var (world, _) = await ChainWorld.New(cluster);
        await using var end = world;
        await World(world);
        await world.Deposit("more", 70);
        await world.Mine(1);
        await using (var mortal = world.Mortal(point => point == "added" ? throw new OperationCanceledException() : Task.CompletedTask))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(mortal.Follow);
        Assert.True((await Run(world)).Equal);
        await world.Follow();
        Assert.True((await Run(world)).Equal);
    }

    [Fact]
    public async Task The_command_says_it_in_words_json_and_its_exit_status()
    {
        var (world, database) = await ChainWorld.New(cluster);
        await using var end = world;
        var chain = world.Chain.Id;
        var unknown = await Binary.Run("reconcile", "--database", database, "--chain", chain);
        Assert.Equal(2, unknown.Status);
        Assert.Contains("CANNOT TELL: it was never followed", unknown.Output);

        var txId = await World(world);
        var equal = await Binary.Run("reconcile", "--database", database, "--chain", chain);
        Assert.Equal((0, ""), (equal.Status, equal.Error));
        Assert.Contains("All equal.", equal.Output);
        await world.Execute($"DELETE FROM chain_deposit WHERE tx_id = '{txId}'");
        var differs = await Binary.Run("reconcile", "--database", database, "--chain", chain);
        Assert.Equal(1, differs.Status);
        Assert.Contains("0.0001 MORE than the books say", differs.Output);
        Assert.Contains($"{chain}:{txId}:token:0: the ledger counts 100 USDTERC20", differs.Output);

        var json = await Binary.Run("reconcile", "--database", database, "--chain", chain, "--json");
        Assert.Equal(1, json.Status);
        var said = JsonElement.Parse(json.Output);
        Assert.False(said.GetProperty("equal").GetBoolean());
        var tether = said.GetProperty("chains")[0].GetProperty("currencies").EnumerateArray()
            .Single(one => one.GetProperty("currency").GetString() == "USDTERC20");
        Assert.Equal("0.0001", tether.GetProperty("difference").GetString());
        Assert.Equal(ChainWorld.Address, tether.GetProperty("different")[0].GetProperty("address").GetString());
        Assert.Equal(Small, tether.GetProperty("different")[0].GetProperty("deposits")[0].GetProperty("not_credited_because").GetString());
        Assert.Equal(1, said.GetProperty("chains")[0].GetProperty("ledger_differences").GetInt32());

        Assert.Equal(2, (await Binary.Run("reconcile", "--database", database)).Status);
        Assert.Equal(2, (await Binary.Run("reconcile", "--database", database, "--height", "x")).Status);
    }

    /// <summary>A chain with a confirmed payment of 100, whose id is the answer, one too small, one to the other wallet.</summary>
    private static async Task<string> World(ChainWorld world)
    {
        var txId = await world.Deposit("one", 100);
        await world.Deposit("small", 9);
        await world.Mine(1);
        await world.Deposit("two", 205, ChainWorld.OtherAddress);
        await world.Mine(2);
        await world.Follow();
        return txId;
    }

    private static Task<ReconciledChain> Run(ChainWorld world, IChain? instead = null, long? height = null) =>
        new Reconcile(world.Db, TimeProvider.System, TimeSpan.Zero).Run(world.Followed(instead), height, Ct);

    private static ReconciledCurrency Of(ReconciledChain found, string code) => found.Currencies.Single(one => one.Currency.Code == code);
}
