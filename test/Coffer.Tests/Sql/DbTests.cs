using Coffer.Server.Sql;
using Coffer.Tests.Ledger;
using Npgsql;

namespace Coffer.Tests.Sql;

/// <summary>Transactions over connections that somebody has used before.</summary>
public sealed class DbTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_statement_that_fails_after_its_first_rows_does_not_spoil_the_connection_for_those_behind_it()
    {
        await using var ledger = await TestLedger.Open(cluster);
        // The second time is when the driver prepares; then the third row divides by zero.
        Assert.Equal([1, 1, 7], await Read(ledger.Db, 0));
        var fault = await Assert.ThrowsAsync<PostgresException>(() => Read(ledger.Db, 3));
        Assert.Equal(PostgresErrorCodes.DivisionByZero, fault.SqlState);
        for (var i = 0; i < 3; i++)
            Assert.Equal([1, 1, 7], await Read(ledger.Db, 0));
    }

    private static Task<List<long>> Read(Db db, int fatal) => db.LedgerTransaction(async (tx, ct) =>
    {
        var rows = new List<long>();
        await using var round = new Server.Sql.Round(tx);
        round.Add(row => rows.Add(row.GetInt64(0)), "SELECT CASE WHEN n = $1 THEN 1 / (n - n) ELSE 1 END::bigint FROM generate_series(1, 2 + sign($1)::int) n",
            new NpgsqlParameter<int> { TypedValue = fatal });
        round.Add(row => rows.Add(row.GetInt64(0)), "SELECT 7::bigint");
        await round.Run(ct);
        return rows;
    });
}
