using Coffer.Chains.Simulated;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;

namespace Coffer.Server.Chain;

/// <summary>A test account whose simulated chain or withdrawals need attention.</summary>
internal readonly record struct SimulatedAccount(AccountId Account, short Shard);

/// <summary>The log of one account's simulated chain in the database.</summary>
internal sealed class SimulatedLog(Db db, AccountId account, TimeProvider time) : ISimulatedLog
{
    public Task<IReadOnlyList<SimulatedOperation>> After(long sequence, int countMax, CancellationToken ct) =>
        db.Operations(account, sequence, countMax, ct);

    // Not repeatable: when the reply to the commit is lost, the number is taken, perhaps by ourselves. The caller is told so.
    public Task<bool> Append(long sequence, SimulatedOperation operation, CancellationToken ct) =>
        db.Transaction((tx, token) => tx.Append(account, sequence, operation, time.GetUtcNow(), token), ct);
}

/// <summary>The statements of the simulated chains, the only writer of simulated_chain and simulated_operation.</summary>
internal static class SimulatedSql
{
    public static async Task<IReadOnlyList<SimulatedOperation>> Operations(
        this Db db, AccountId account, long after, int countMax, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT operation::text FROM simulated_operation WHERE account_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = countMax });
        var operations = new List<SimulatedOperation>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            operations.Add(SimulatedOperation.FromJson(row.GetString(0)));
        return operations;
    }

    /// <summary>False, and nothing written, when the number is taken.</summary>
    public static async Task<bool> Append(
        this Tx tx, AccountId account, long sequence, SimulatedOperation operation, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            WITH appended AS (
                INSERT INTO simulated_operation (account_id, sequence, operation, recorded_at) VALUES ($1, $2, $3, $4)
                ON CONFLICT DO NOTHING RETURNING account_id, sequence)
            INSERT INTO simulated_chain (account_id, operations, followed) SELECT account_id, sequence, 0 FROM appended
            ON CONFLICT (account_id) DO UPDATE SET operations = excluded.operations
            """, tx.Connection, tx.Transaction);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = sequence });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = operation.ToJson(), NpgsqlDbType = NpgsqlDbType.Jsonb });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now.UtcDateTime });
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>How many operations an account's chain has; 0 before the first.</summary>
    public static async Task<long> OperationCount(this Db db, AccountId account, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT operations FROM simulated_chain WHERE account_id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account.Value });
        return (long?)await command.ExecuteScalarAsync(ct) ?? 0;
    }

    /// <summary>The follower has seen that many operations through to the end.</summary>
    public static async Task MarkFollowed(this Tx tx, AccountId account, long operations, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "UPDATE simulated_chain SET followed = $2 WHERE account_id = $1 AND followed < $2", tx.Connection, tx.Transaction);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = operations });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Accounts whose chain has moved since it was last followed, or that have a withdrawal to send.</summary>
    public static async Task<List<SimulatedAccount>> Unfollowed(this Db db, int countMax, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT a.id, a.shard FROM simulated_chain s JOIN account a ON a.id = s.account_id WHERE s.followed < s.operations
            UNION
            SELECT account_id, shard FROM withdrawal WHERE chain >= 'sim:' AND chain < 'sim;' AND state IN (1, 2, 3, 10) AND NOT (state = 1 AND needs_approval)
            LIMIT $1
            """);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = countMax });
        var accounts = new List<SimulatedAccount>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            accounts.Add(new SimulatedAccount(new AccountId(row.GetGuid(0)), row.GetInt16(1)));
        return accounts;
    }
}
