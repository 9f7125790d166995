using Coffer.Tests.Ledger;
using Npgsql;

namespace Coffer.Tests.Sql;

/// <summary>What the tables themselves refuse, whoever asks: direct SQL around the writer.</summary>
public sealed class LedgerConstraintTests(TestCluster cluster)
{
    private const string Main = "wallet_id = '00000001-0002-0002-0000-000000000000' AND currency = 'ETH'";

    private const string Columns = "shard, kind, account_id, wallet_id, movement_id, version, effective_at, recorded_at, currency, "
        + "available, incoming, held, external, fee, transfer, deficit, available_after, incoming_after, held_after, hash";

    /// <summary>The constraint that must refuse, and what it must refuse.</summary>
    private static readonly (string Constraint, string Sql)[] Refused =
    [
        ("posting_sums_to_zero", $"INSERT INTO posting ({Columns}) {Copy("version + 100", "available + 1")}"),
        ("posting_key", $"INSERT INTO posting ({Columns}) {Copy("version", "available")}"),
        ("posting_is_possible", $"INSERT INTO posting ({Columns}) {Copy("version + 100", "available", after: "-1")}"),
        ("posting_is_possible", $"INSERT INTO posting ({Columns}) {Copy("version + 100", "available", incomingAfter: "-1")}"),
        ("posting_is_possible", $"INSERT INTO posting ({Columns}) {Copy("version + 100", "available", heldAfter: "-1")}"),
        ("posting_is_possible", $"INSERT INTO posting ({Columns}) {Copy("version + 100", "available", kind: "13")}"),
        ("posting_is_possible", $"INSERT INTO posting ({Columns}) {Copy("version + 100", "available", kind: "0")}"),
        ("posting_is_possible",
            $"INSERT INTO posting ({Columns}) {Copy("version + 100", "available", effective: "recorded_at + interval '1 s'")}"),
        ("balance_is_not_negative", $"UPDATE balance SET available = -1, deposited = deposited - available - 1 WHERE {Main}"),
        ("balance_is_not_negative", $"UPDATE balance SET incoming = -1, deposited = deposited - incoming - 1 WHERE {Main}"),
        ("balance_is_not_negative", $"UPDATE balance SET held = -1, deposited = deposited - held - 1 WHERE {Main}"),
        ("balance_is_not_negative", $"UPDATE balance SET deficit = -1 WHERE {Main}"),
        ("balance_is_not_negative", $"UPDATE balance SET withdrawn = -9, deposited = deposited - withdrawn - 9 WHERE {Main}"),
        ("balance_is_not_negative", $"UPDATE balance SET fees = withdrawn + 1 WHERE {Main}"),
        ("balance_is_not_negative", $"UPDATE balance SET fees = -1 WHERE {Main}"),
        ("total_is_deposited_less_withdrawn_plus_transferred", $"UPDATE balance SET available = available + 1 WHERE {Main}"),
        ("total_is_deposited_less_withdrawn_plus_transferred", $"UPDATE balance SET deposited = deposited + 1 WHERE {Main}"),
        ("total_is_deposited_less_withdrawn_plus_transferred", $"UPDATE balance SET transferred = transferred + 1 WHERE {Main}"),
        ("balance_is_not_negative", $"UPDATE balance SET version = 0 WHERE {Main}"),
        ("balance_key", $"INSERT INTO balance SELECT * FROM balance WHERE {Main}"),
        ("movement_happens_once", """
            INSERT INTO movement_made (shard, kind, state, sighting, account_id, id, wallet_id, to_wallet_id, reference, effective_at,
            updated_at, currency, amount, fee, reference_text, description)
            SELECT shard, kind, state, sighting, account_id, gen_random_uuid(), wallet_id, to_wallet_id, reference,
            effective_at, updated_at, currency, amount, fee, reference_text, description FROM movement WHERE reference_text = 'kept'
            """),
        ("movement_fits_its_kind", "UPDATE movement_made SET state = 5 WHERE reference_text = 'kept'"),
        ("movement_fits_its_kind", "UPDATE movement_made SET state = 3 WHERE reference_text = 'open'"),
        ("movement_fits_its_kind", "UPDATE movement_made SET state = 1 WHERE reference_text = 'gift'"),
        ("movement_fits_its_kind", "UPDATE movement_made SET amount = 0 WHERE reference_text = 'gift'"),
        ("movement_fits_its_kind", "UPDATE movement_made SET amount = -1 WHERE reference_text = 'kept'"),
        ("movement_fits_its_kind", "UPDATE movement_made SET fee = -1 WHERE reference_text = 'kept'"),
        ("movement_fits_its_kind", "UPDATE movement_made SET to_wallet_id = wallet_id WHERE reference_text = 'kept'"),
        ("movement_fits_its_kind", "UPDATE movement_made SET to_wallet_id = NULL WHERE reference_text = 'saved'"),
        ("movement_change_key", "INSERT INTO movement_change SELECT * FROM movement_change LIMIT 1"),
        ("movement_change_is_possible", "UPDATE movement_change SET state = 7"),
        ("movement_change_is_possible", "UPDATE movement_change SET state = 0"),
        ("movement_change_is_possible", "UPDATE movement_change SET amount = 0"),
        ("movement_change_is_possible", "UPDATE movement_change SET fee = -1"),
        ("flow_hour_key", "INSERT INTO flow_hour SELECT * FROM flow_hour LIMIT 1"),
    ];

    [Fact]
    public async Task Direct_sql_that_would_break_an_identity_fails_by_name_even_for_a_superuser()
    {
        await using var ledger = await Filled();
        foreach (var (constraint, sql) in Refused)
        {
            var fault = await Assert.ThrowsAsync<PostgresException>(() => ledger.Scalar<object>(sql, superuser: true));
            Assert.Equal((constraint, sql), (fault.ConstraintName, sql));
        }

        Assert.Empty((await ledger.Verify(TestContext.Current.CancellationToken)).Findings);
    }

    [Fact]
    public async Task Every_constraint_of_the_ledger_is_seen_refusing()
    {
        await using var ledger = await Filled();
        var all = await ledger.Scalar<string[]>("""
            SELECT array_agg(conname::text) FROM pg_constraint WHERE contype IN ('c', 'p', 'u') AND conname <> 'movement_key'
            AND conrelid IN ('posting'::regclass, 'balance'::regclass, 'movement_made'::regclass, 'movement_change'::regclass, 'flow_hour'::regclass)
            """);
        Assert.Empty(all.Except(Refused.Select(refused => refused.Constraint)));
    }

    [Fact]
    public async Task More_than_38_digits_are_refused_not_rounded()
    {
        await using var ledger = await Filled();
        var fault = await Assert.ThrowsAsync<PostgresException>(() => ledger.Scalar<object>(
            $"UPDATE balance SET available = available + 1e38, deposited = deposited + 1e38 WHERE {Main}"));
        Assert.Equal(PostgresErrorCodes.NumericValueOutOfRange, fault.SqlState);
    }

    [Theory]
    [InlineData("UPDATE posting SET kind = kind")]
    [InlineData("DELETE FROM posting")]
    [InlineData("TRUNCATE posting")]
    [InlineData("UPDATE movement_made SET state = state")]
    [InlineData("DELETE FROM movement_made")]
    [InlineData("TRUNCATE movement_made")]
    [InlineData("DELETE FROM movement_change")]
    [InlineData("TRUNCATE movement_change")]
    public async Task The_application_cannot_change_what_was_posted_or_made(string sql)
    {
        await using var ledger = await Filled();
        Assert.Equal("coffer", await ledger.Scalar<string>("SELECT current_user::text"));
        Assert.False(await ledger.Scalar<bool>(
            "SELECT rolsuper OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = current_user"));
        var fault = await Assert.ThrowsAsync<PostgresException>(() => ledger.Scalar<object>(sql));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, fault.SqlState);
        Assert.True(await ledger.Scalar<long>("SELECT count(*) FROM posting") > 0);
    }

    private static string Copy(
        string version, string available, string kind = "kind", string effective = "effective_at", string after = "available_after",
        string incomingAfter = "incoming_after", string heldAfter = "held_after") => $"""
        SELECT shard, {kind}, account_id, wallet_id, movement_id, {version}, {effective}, recorded_at, currency, {available}, incoming, held,
        external, fee, transfer, deficit, {after}, {incomingAfter}, {heldAfter}, hash FROM posting WHERE {Main} AND version = 2
        """;

    private async Task<TestLedger> Filled()
    {
        var ledger = await TestLedger.Open(cluster, new FakeTime(TestLedger.Noon));
        await SampleLedger.Fill(ledger);
        return ledger;
    }
}
