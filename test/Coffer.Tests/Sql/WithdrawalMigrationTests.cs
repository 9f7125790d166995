using Coffer.Ledger;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Ledger;
using Npgsql;

namespace Coffer.Tests.Sql;

/// <summary>What 0011 makes of the withdrawals of a server that ran before it.</summary>
public sealed class WithdrawalMigrationTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_withdrawal_keeps_its_facts_its_state_and_its_bytes_and_refused_requests_go()
    {
        var database = await cluster.NewEmptyDatabase();
        var scripts = Migrations.Embedded();
        await Migrations.Apply(database, [.. scripts.Where(script => script.Number < 11)], TimeProvider.System, Ct);
        await using var ledger = TestLedger.On(database);
        // The ledger's statements are those of today.
        await ledger.Scalar<object>(MovementMigrationTests.Script.Sql);
        var (account, wallet) = (TestLedger.Account(1), TestLedger.Wallet(1));
        await ledger.Do(0, new Correct(account, wallet, TestLedger.Usdt, Reference.Of("money"), 1_000, null, "money"));
        var made = new Dictionary<string, RequestWithdrawal>();
        foreach (var name in new[] { "new", "kept", "sent", "settled", "failed", "custom:c" })
        {
            made[name] = new RequestWithdrawal(account, wallet, TestLedger.Usdt, Reference.Of($"withdrawal:{name}"), 10, 3, $"to {name}");
            await ledger.Do(0, made[name]);
        }

        await ledger.Do(0, new SettleWithdrawal(account, wallet, TestLedger.Usdt, made["settled"].Reference));
        await ledger.Do(0, new FailWithdrawal(account, wallet, TestLedger.Usdt, made["failed"].Reference));
        await ledger.Scalar<object>(MovementMigrationTests.Undo);
        await using (var connection = new NpgsqlConnection(database))
        {
            await connection.OpenAsync(Ct);
            foreach (var (name, command) in made)
                await Old(connection, command, name);
            // Another request under the same reference, which the ledger refused.
            await Old(connection, made["new"] with { Amount = 11 }, "refused");
        }

        await Migrations.Apply(database, scripts, TimeProvider.System, Ct);
        Assert.Equal("completed,failed,pending,pending,processing,submitted", string.Join(',', (await Rows(ledger)).Select(w => w.State.Word()).Order()));
        foreach (var row in await Rows(ledger))
        {
            var name = row.Reference.Text["withdrawal:".Length..];
            Assert.Equal((made[name].Destination, (Int128)10, (Int128)2, (Int128)1, $"sim:{account}", "https://example.com"),
                (row.Address, row.Amount, row.NetworkFee, row.TransactionFee, row.Chain, row.CallbackUrl));
            Assert.Equal(name is "kept" or "sent" or "settled", row.TxId == $"tx {name}");
            Assert.Equal(name == "custom:c" ? "c" : null, row.CustomId);
            // The key was used twice, days apart; the later one answers to it.
            Assert.Equal(name == "custom:c" ? "again" : null, name is "new" or "custom:c" ? row.IdempotencyKey : null);
            Assert.Equal(name == "settled", row.CompletedAt is not null);
        }

        // What is on its way goes on with the same bytes.
        Assert.Equal("kept false,sent true", await ledger.Scalar<string>("""
            SELECT string_agg(convert_from(a.signed, 'UTF8') || ' ' || (a.sent_at IS NOT NULL), ',' ORDER BY a.signed)
            FROM payout p JOIN payout_attempt a ON a.payout_id = p.id JOIN payout_withdrawal l ON l.payout_id = p.id AND l.live
            JOIN withdrawal w ON w.id = l.withdrawal_id AND w.tx_id = a.tx_id AND w.chain = p.chain
            """));
        Assert.True((await ledger.Verify(Ct)).Clean);
    }

    private static async Task<List<Withdrawal>> Rows(TestLedger ledger)
    {
        var filter = new WithdrawalFilter(null, null, null, null, null, Guid.Empty, Guid.AllBitsSet);
        return await ledger.Db.ListWithdrawals(0, TestLedger.Account(1), filter, newestFirst: true, 100, 0, Ct);
    }

    private static async Task Old(NpgsqlConnection connection, RequestWithdrawal command, string name)
    {
        var sent = name is "sent" or "settled";
        await using var insert = new NpgsqlCommand("""
            INSERT INTO withdrawal (shard, account_id, reference, request, created_at, wallet_id, currency, amount, network_fee,
                transaction_fee, address, custom_id, callback_url, idempotency_key, tx_id, tx_bytes, sent_at, finished)
            VALUES (0, $1, $2, gen_random_uuid(), now(), $3, $4, $5::numeric, 2, 1, $6, $7, 'https://example.com', $8, $9, $10, $11, $12)
            """, connection);
        object?[] values = [command.Account.Value, command.Reference.DigestIn(command.Account), command.Wallet.Value, command.Currency.Code,
            (long)command.Amount, command.Destination, name == "custom:c" ? "c" : null, name is "new" or "custom:c" ? "again" : null,
            sent || name == "kept" ? $"tx {name}" : null, sent || name == "kept" ? System.Text.Encoding.UTF8.GetBytes(name) : null,
            sent ? TestLedger.Noon.UtcDateTime : null, name is "settled" or "failed"];
        foreach (var value in values)
            insert.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        await insert.ExecuteNonQueryAsync(Ct);
    }
}
