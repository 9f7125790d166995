using Coffer.Tests.Ledger;

namespace Coffer.Tests.Sql;

public sealed class VerifyTests(TestCluster cluster)
{
    private const string Row = "wallet_id = '00000001-0002-0002-0000-000000000000' AND currency = 'ETH'";
    private const string Place = "shard 0 wallet 00000001-0002-0002-0000-000000000000 ETH";
    private const string NoUser = "00000009-0000-0000-0000-000000000000";

    private const string PostingColumns = "shard, kind, account_id, wallet_id, movement_id, version, effective_at, recorded_at, currency, "
        + "available, incoming, held, external, fee, transfer, deficit, available_after, incoming_after, held_after, hash";
    private const string BalanceColumns = "shard, account_id, currency, wallet_id, available, incoming, held, deposited, withdrawn, fees, "
        + "transferred, deficit, version, last_movement_at, head_hash";
    private const string MovementColumns = "shard, kind, state, sighting, account_id, id, wallet_id, to_wallet_id, reference, "
        + "effective_at, updated_at, currency, amount, fee, reference_text, description";

    /// <summary>What is done to a clean ledger, the table it must be found in, words of the key, words of the problem.</summary>
    private static readonly (string Sql, string Table, string Key, string Problem)[] Tamperings =
    [
        ($"UPDATE posting SET available = available + 1 WHERE {Row} AND version = 2", "posting", $"{Place} version 2", "not to zero"),
        ($"UPDATE posting SET available = available + 1, fee = fee - 1 WHERE {Row} AND version = 2",
            "posting", $"{Place} version 2", "after-values"),
        ($"UPDATE posting SET available_after = available_after + 1 WHERE {Row} AND version = 7",
            "posting", $"{Place} version 7", "after-values"),
        ($"UPDATE posting SET recorded_at = recorded_at + interval '1 microsecond' WHERE {Row} AND version = 3",
            "posting", $"{Place} version 3", "hash"),
        ($"UPDATE posting SET effective_at = effective_at - interval '1 microsecond' WHERE {Row} AND version = 3",
            "posting", $"{Place} version 3", "hash"),
        ($"UPDATE posting SET recorded_at = recorded_at - interval '1 day' WHERE {Row} AND version = 9",
            "posting", $"{Place} version 9", "times"),
        ($"UPDATE posting SET movement_id = '{NoUser}' WHERE {Row} AND version = 3", "posting", $"{Place} version 3", "hash"),
        ($"UPDATE posting SET movement_id = '{NoUser}' WHERE {Row} AND version = 3", "posting", "version 3", "no movement"),
        ($"UPDATE posting SET kind = 10 WHERE {Row} AND version = 3", "posting", $"{Place} version 3", "CorrectionIn"),
        ($"UPDATE posting SET account_id = '{NoUser}' WHERE {Row} AND version = 3", "posting", $"{Place} version 3", "another account"),
        ($"UPDATE posting SET hash = sha256(hash) WHERE {Row} AND version = 3", "posting", $"{Place} version 3", "hash"),
        ($"UPDATE posting SET held = 'NaN' WHERE {Row} AND version = 3", "posting", $"{Place} version 3", "not an integer"),
        ($"UPDATE posting SET available = 9e37, external = 9e37, fee = 9e37 WHERE {Row} AND version = 3",
            "posting", $"{Place} version 3", "38 digits"),
        ($"DELETE FROM posting WHERE {Row} AND version = 1", "posting", $"{Place} version 2", "version 1 is missing"),
        ($"DELETE FROM posting WHERE {Row} AND version = 4", "posting", $"{Place} version 5", "after version 3 is missing"),
        ($"DELETE FROM posting WHERE {Row} AND version = (SELECT max(version) FROM posting WHERE {Row})", "balance", Place, "version"),
        ("DELETE FROM posting WHERE wallet_id = '00000003-0002-0002-0000-000000000000'",
            "balance", "shard 1 wallet 00000003", "no postings"),
        ($"""
         UPDATE posting SET version = -version WHERE {Row} AND version IN (5, 6);
         UPDATE posting SET version = 11 + version WHERE {Row} AND version < 0
         """, "posting", $"{Place} version 5", "after-values"),
        ($"""
         INSERT INTO posting ({PostingColumns})
         SELECT shard, 4, account_id, wallet_id, movement_id, version + 1, effective_at, recorded_at, currency,
           -1, 0, 0, 0, 0, 0, 1,
           available_after - 1, incoming_after, held_after, hash FROM posting WHERE {Row} ORDER BY version DESC LIMIT 1
         """, "posting", $"{Place} version 18", "negative"),
        ($"""
         INSERT INTO posting ({PostingColumns})
         SELECT shard, 10, account_id, wallet_id, movement_id, version + 1, effective_at, recorded_at, currency,
           1, 0, 0, -1, 0, 0, 0,
           available_after + 1, incoming_after, held_after, hash FROM posting WHERE {Row} ORDER BY version DESC LIMIT 1
         """, "posting", $"{Place} version 18", "hash"),
        ($"UPDATE balance SET available = available + 1, deposited = deposited + 1 WHERE {Row}", "balance", Place, "available is"),
        ($"UPDATE balance SET incoming = incoming + 1, held = held - 1 WHERE {Row}", "balance", Place, "incoming is"),
        ($"UPDATE balance SET deposited = deposited + 1, withdrawn = withdrawn + 1 WHERE {Row}", "balance", Place, "deposited is"),
        ($"UPDATE balance SET transferred = transferred + 1, withdrawn = withdrawn + 1 WHERE {Row}", "balance", Place, "withdrawn is"),
        ($"UPDATE balance SET fees = fees + 1 WHERE {Row}", "balance", Place, "fees is"),
        ($"UPDATE balance SET deficit = deficit + 1 WHERE {Row}", "balance", Place, "deficit is"),
        ($"UPDATE balance SET deposited = deposited + 1 WHERE {Row}", "balance", Place, "total is not"),
        ($"UPDATE balance SET held = -held WHERE {Row}", "balance", Place, "negative"),
        ($"UPDATE balance SET available = 'NaN', deposited = 'NaN' WHERE {Row}", "balance", Place, "not an integer"),
        ($"UPDATE balance SET version = version + 1 WHERE {Row}", "balance", Place, "version"),
        ($"UPDATE balance SET head_hash = sha256(head_hash) WHERE {Row}", "balance", Place, "hash"),
        ($"UPDATE balance SET last_movement_at = last_movement_at - interval '1 second' WHERE {Row}", "balance", Place, "last movement"),
        ($"DELETE FROM balance WHERE {Row}", "balance", Place, "missing"),
        ($"UPDATE balance SET account_id = '{NoUser}' WHERE {Row}", "balance", Place, "no postings"),
        ($"INSERT INTO balance ({BalanceColumns}) SELECT shard, account_id, 'BTC', wallet_id, 0, 0, 0, 0, 0, 0, 0, 0, 1, "
            + $"last_movement_at, head_hash FROM balance WHERE {Row}",
            "balance", "BTC", "no postings"),
        ($"UPDATE flow_hour SET deposits = deposits + 1 WHERE {Row} AND hour = '2025-01-15 08:00Z'",
            "flow_hour", $"{Place} hour 2025-01-15T08Z", "stored are 1072 in (2)"),
        ($"UPDATE flow_hour SET deposit_count = deposit_count + 1 WHERE {Row} AND hour = '2025-01-15 08:00Z'",
            "flow_hour", $"{Place} hour 2025-01-15T08Z", "stored"),
        ($"UPDATE flow_hour SET withdrawals = withdrawals + 1 WHERE {Row} AND hour = '2025-01-15 12:00Z'",
            "flow_hour", $"{Place} hour 2025-01-15T12Z", "stored"),
        ($"UPDATE flow_hour SET hour = hour - interval '1 hour' WHERE {Row} AND hour = '2025-01-12 12:00Z'",
            "flow_hour", "2025-01-12T11Z", "no posting made it"),
        ($"DELETE FROM flow_hour WHERE {Row} AND hour = '2025-01-15 08:00Z'", "flow_hour", $"{Place} hour 2025-01-15T08Z", "missing"),
        ($"UPDATE flow_hour SET account_id = '{NoUser}' WHERE {Row} AND hour = '2025-01-15 08:00Z'",
            "flow_hour", $"{Place} hour 2025-01-15T08Z", "no posting"),
        (Made("amount = amount + 1", "kept"), "movement", "id", "1001"),
        (Made("fee = fee + 1", "kept"), "movement", "id", "fee 4"),
        (Made("state = 1", "kept"), "movement", "id", "Seen"),
        (Made("state = 3", "waiting"), "movement", "id", "Reversed"),
        (Made("amount = amount + 1", "gone"), "movement", "id", "took back"),
        (Made("effective_at = effective_at - interval '1 hour'", "kept"),
            "movement", "id", "do not make"),
        (Made("state = 5", "open"), "movement", "id", "Settled"),
        (Made("state = 4", "done"), "movement", "id", "Requested"),
        (Made("state = 6", "done"), "movement", "id", "Failed"),
        (Made("amount = amount + 1, fee = fee - 1", "done"), "movement", "id", "201"),
        (Made("amount = amount - 1", "failed"), "movement", "id", "299"),
        (Made("amount = amount - 1", "saved"), "movement", "id", "39"),
        (Made("wallet_id = to_wallet_id, to_wallet_id = wallet_id", "saved"),
            "movement", "id", "Transfer"),
        (Made($"to_wallet_id = '{NoUser}'", "saved"), "movement", "id", "Transfer"),
        (Made("amount = -amount", "gift"), "movement", "id", "Correction"),
        (Made("currency = 'BTC'", "gift"), "movement", "id", "Correction"),
        (Made("kind = 2, state = 4", "gift"), "movement", "id", "Withdrawal"),
        (Made("reference_text = 'other'", "gift"), "movement", "id", "other"),
        (Made($"reference = '{NoUser}'", "gift"), "movement", "id", "gift"),
        (Made("amount = 'NaN'", "gift"), "movement", "id", "not an integer"),
        ("DELETE FROM movement_made WHERE reference_text = 'gift'", "posting", $"{Place} version", "no movement"),
        ($"""
         INSERT INTO movement_made ({MovementColumns})
         SELECT shard, kind, state, sighting, account_id, '{NoUser}', wallet_id, to_wallet_id, '{NoUser}', effective_at,
           updated_at, currency, amount, fee, 'twin', description FROM movement WHERE reference_text = 'gift'
         """, "movement", $"id {NoUser}", "no postings"),
        (Changed("state = 3", "kept"), "movement", "id", "took back"),
        (Changed("state = 5", "kept"), "movement_change", "id", "no movement"),
        (Changed("fee = NULL", "kept"), "movement", "id", "fee 0"),
        (Changed("amount = 999", "failed"), "movement", "id", "999"),
        (Changed("effective_at = updated_at - interval '1 hour'", "back"), "movement", "id", "do not make"),
        ($"DELETE FROM movement_change WHERE id = {Id("done")}", "movement", "id", "Requested"),
        (Changed($"id = '{NoUser}'", "done"), "movement_change", $"id {NoUser}", "no movement"),
        ($"INSERT INTO movement_change (shard, id, state, sighting, updated_at) SELECT 0, {Id("gift")}, 6, 0, now()",
            "movement_change", "id", "no movement"),
        ("UPDATE movement_made SET reference_hash = sha256(reference_hash) WHERE reference_hash IS NOT NULL", "movement", "id", "digest"),
    ];

    /// <summary>As if a movement had been made as it stands now, and then tampered with.</summary>
    private static string Made(string set, string reference) =>
        $"{MovementMigrationTests.Fold} UPDATE movement_made SET {set} WHERE reference_text = '{reference}'";

    /// <summary>Tampers with what a movement has become.</summary>
    private static string Changed(string set, string reference) => $"UPDATE movement_change SET {set} WHERE id = {Id(reference)}";

    private static string Id(string reference) => $"(SELECT id FROM movement_made WHERE reference_text = '{reference}')";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ledger_in_which_everything_happened_is_clean_and_counted()
    {
        await using var ledger = await Filled();
        var report = await ledger.Verify(Ct);
        Assert.Empty(report.Findings);
        Assert.True(report.Clean);
        Assert.Equal(await ledger.Scalar<long>("SELECT count(*) FROM posting"), report.Postings);
        Assert.Equal(await ledger.Scalar<long>("SELECT count(*) FROM movement"), report.Movements);
        Assert.Equal(await ledger.Scalar<long>("SELECT count(*) FROM flow_hour"), report.FlowHours);
        Assert.Equal(await ledger.Scalar<long>("SELECT count(*) FROM balance"), report.Balances);
        Assert.Equal(11, await ledger.Scalar<long>("SELECT count(DISTINCT kind) FROM posting"));
        Assert.Equal(7, await ledger.Scalar<long>("SELECT count(DISTINCT state) FROM movement"));
    }

    [Fact]
    public async Task Every_kind_of_tampering_is_found_and_names_the_row()
    {
        await using var ledger = await Filled();
        await ledger.Scalar<object>(DropChecks + Keep, superuser: true);
        var missed = new List<string>();
        foreach (var (sql, table, key, problem) in Tamperings)
        {
            await ledger.Scalar<object>(sql, superuser: true);
            var report = await ledger.Verify(Ct);
            if (report.Clean || report.BadRows < 1 || !report.Findings.Any(f => f.Table == table
                && f.Key.Contains(key, StringComparison.Ordinal) && f.Problem.Contains(problem, StringComparison.Ordinal)))
                missed.Add($"{sql}\n  -> {string.Join("\n     ", report.Findings)}");
            await ledger.Scalar<object>(Restore, superuser: true);
        }

        Assert.True(missed.Count == 0, string.Join('\n', missed));
        Assert.Empty((await ledger.Verify(Ct)).Findings);
    }

    [Fact]
    public async Task One_edited_row_is_one_finding_and_more_than_can_be_named_are_counted()
    {
        await using var ledger = await Filled();
        await ledger.Scalar<object>(DropChecks, superuser: true);
        await ledger.Scalar<object>(
                $"UPDATE posting SET effective_at = effective_at + interval '1 microsecond' WHERE {Row} AND version = 2", superuser: true);
        Assert.Equal(1, (await ledger.Verify(Ct)).BadRows);
        await ledger.Scalar<object>(
            "INSERT INTO flow_hour (shard, account_id, currency, hour, wallet_id, deposits, withdrawals, deposit_count, withdrawal_count) "
            + "SELECT 0, gen_random_uuid(), 'ETH', now(), gen_random_uuid(), 1, 0, 1, 0 FROM generate_series(1, 300)");
        var report = await ledger.Verify(Ct);
        Assert.Equal(301, report.BadRows);
        Assert.Equal(Server.Ledger.Verify.FindingsMax, report.Findings.Count);
    }

    [Fact]
    public async Task A_ledger_that_is_being_written_is_proved_on_one_snapshot()
    {
        await using var ledger = await Filled();
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                await ledger.Do(0, new Coffer.Ledger.Correct(SampleLedger.Owner, SampleLedger.Main, TestLedger.Eth,
                    Coffer.Ledger.Reference.Of($"more {i}"), 1, TestLedger.Noon.AddHours(-i % 50), "more"));
        }, Ct);
        long least = 0, most = 0;
        for (var i = 0; i < 20; i++)
        {
            var report = await ledger.Verify(Ct);
            Assert.Empty(report.Findings);
            (least, most) = (i == 0 ? report.Postings : least, report.Postings);
        }

        await stop.CancelAsync();
        await writing;
        Assert.True(most > least, "nothing was written meanwhile");
    }

    private const string DropChecks = """
        DO $$ DECLARE c record; BEGIN
          FOR c IN SELECT conname, conrelid::regclass AS t FROM pg_constraint WHERE contype = 'c' AND conrelid IN
            ('posting'::regclass, 'balance'::regclass, 'movement_made'::regclass, 'movement_change'::regclass, 'flow_hour'::regclass)
          LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; END $$;
        """;

    private const string Keep = """
        CREATE TABLE kept_posting AS TABLE posting; CREATE TABLE kept_balance AS TABLE balance;
        CREATE TABLE kept_movement AS TABLE movement_made; CREATE TABLE kept_change AS TABLE movement_change; CREATE TABLE kept_flow AS TABLE flow_hour;
        """;

    private const string Restore = """
        DELETE FROM posting; INSERT INTO posting TABLE kept_posting; DELETE FROM balance; INSERT INTO balance TABLE kept_balance;
        DELETE FROM movement_made; INSERT INTO movement_made TABLE kept_movement;
        DELETE FROM movement_change; INSERT INTO movement_change TABLE kept_change; DELETE FROM flow_hour; INSERT INTO flow_hour TABLE kept_flow;
        """;

    private async Task<TestLedger> Filled()
    {
        var ledger = await TestLedger.Open(cluster, new FakeTime(TestLedger.Noon));
        await SampleLedger.Fill(ledger);
        return ledger;
    }
}
