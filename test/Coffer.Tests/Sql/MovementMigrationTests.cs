using Coffer.Ledger;
using Coffer.Server.Sql;
using Coffer.Tests.Ledger;

namespace Coffer.Tests.Sql;

/// <summary>What 0025 makes of the movements of a server that ran before it.</summary>
public sealed class MovementMigrationTests(TestCluster cluster)
{
    /// <summary>Writes what movements have become into the rows of their making, so that each is one row.</summary>
    public const string Fold = """
        UPDATE movement_made m SET state = v.state, sighting = v.sighting, effective_at = v.effective_at, updated_at = v.updated_at,
            amount = v.amount, fee = v.fee, reference_text = v.reference_text
        FROM movement v WHERE v.shard = m.shard AND v.id = m.id;
        DELETE FROM movement_change;
        """;

    /// <summary>The movements as they were kept before 0025: one row, which was updated. Names no other table, so that it fits every older one.</summary>
    public const string Undo = $"""
        GRANT UPDATE, DELETE, TRUNCATE ON movement_made TO CURRENT_USER;
        GRANT DELETE, TRUNCATE ON movement_change TO CURRENT_USER;
        {Fold}
        DROP VIEW movement;
        DROP TABLE movement_change;
        ALTER TABLE movement_made DROP COLUMN reference_hash;
        ALTER TABLE movement_made RENAME TO movement;
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The script that <see cref="Undo"/> undoes.</summary>
    internal static Migration Script => Migrations.Embedded().Single(script => script.Number == 25);

    [Fact]
    public async Task A_ledger_in_which_everything_happened_reads_as_before_and_goes_on()
    {
        await using var ledger = await TestLedger.Open(cluster, new FakeTime(TestLedger.Noon));
        await SampleLedger.Fill(ledger);
        const string rows = "SELECT array_agg(m::text ORDER BY id) FROM (SELECT * FROM movement) m";
        const string facts = """
            SELECT array_agg(concat_ws('|', shard, kind, state, sighting, account_id, id, wallet_id, to_wallet_id, reference, effective_at, updated_at,
                currency, amount, fee, reference_text, description) ORDER BY id) FROM movement
            """;
        var before = await ledger.Scalar<string[]>(facts);
        await ledger.Scalar<object>(Undo + "DELETE FROM migration WHERE number = 25");
        Assert.Equal(before, await ledger.Scalar<string[]>(facts));

        Assert.Equal(1, await Migrations.Apply(ledger.Database, Migrations.Embedded(), TimeProvider.System, Ct));
        Assert.Equal(before, await ledger.Scalar<string[]>(facts));
        Assert.DoesNotContain(await ledger.Scalar<string[]>(rows), row => row.EndsWith(",t)", StringComparison.Ordinal));
        Assert.Empty((await ledger.Verify(Ct)).Findings);

        await using var later = TestLedger.On(ledger.Database);
        await later.Do(0, new DepositConfirmed(SampleLedger.Owner, SampleLedger.Main, TestLedger.Eth, Reference.Of("waiting"), 0, 1));
        await later.Do(0, new SettleWithdrawal(SampleLedger.Owner, SampleLedger.Main, TestLedger.Eth, Reference.Of("open"), 1));
        await later.Do(0, new DepositSeen(SampleLedger.Owner, SampleLedger.Main, TestLedger.Eth, Reference.Of("gone"), 61, TestLedger.Noon, 2));
        await later.Do(0, new DepositReversed(SampleLedger.Owner, SampleLedger.Main, TestLedger.Eth, Reference.Of("gone"), 2));
        Assert.Equal("gone 3 2 61 0,open 5 0 100 1,waiting 2 1 50 0", await later.Scalar<string>("""
            SELECT string_agg(concat_ws(' ', reference_text, state, sighting, amount, fee), ',' ORDER BY reference_text) FROM movement WHERE changed
            """));
        Assert.Empty((await later.Verify(Ct)).Findings);
    }
}
