using System.Data;
using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Server.Auth;

/// <summary>A customer of the operator, as the table <c>account</c> has it. Shard and mode are given once and never change.</summary>
internal sealed record Account(AccountId Id, short Shard, Mode Mode, string Name, DateTimeOffset CreatedAt);

/// <summary>The statements on the table <c>account</c>: its only writer.</summary>
internal static class AccountSql
{
    /// <summary>Adds an account; its maker adds the default wallet in the same transaction.</summary>
    public static async Task Insert(this Tx tx, Account account, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO account (id, shard, mode, name, created_at) VALUES ($1, $2, $3, $4, $5)", tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = account.Id.Value },
                new NpgsqlParameter<short> { TypedValue = account.Shard },
                new NpgsqlParameter<short> { TypedValue = (short)account.Mode },
                new NpgsqlParameter<string> { TypedValue = account.Name },
                new NpgsqlParameter<DateTime> { TypedValue = account.CreatedAt.UtcDateTime },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Holds the account to the end of the transaction, so that what it may have only so many of is counted by one at a time.</summary>
    public static Task LockAccount(this Tx tx, AccountId id, CancellationToken ct) =>
        tx.Do("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", ct, new NpgsqlParameter<Guid> { TypedValue = id.Value });

    /// <summary>The account with this id, or null.</summary>
    public static async Task<Account?> AccountById(this Db db, AccountId id, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT shard, mode, name, created_at FROM account WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id.Value });
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await row.ReadAsync(ct)
            ? new Account(id, row.GetInt16(0), (Mode)row.GetInt16(1), row.GetString(2), row.GetDateTime(3))
            : null;
    }

    /// <summary>Which of these wallets are not the account's.</summary>
    public static async Task<List<Guid>> WalletsNotOf(this Db db, AccountId account, short shard, IReadOnlyList<Guid> wallets,
        CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT u.id FROM unnest($3::uuid[]) AS u(id)
            WHERE NOT EXISTS (SELECT FROM wallet w WHERE w.shard = $1 AND w.account_id = $2 AND w.id = u.id)
            """);
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = shard });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. wallets] });
        await using var row = await command.ExecuteReaderAsync(ct);
        var missing = new List<Guid>();
        while (await row.ReadAsync(ct))
            missing.Add(row.GetGuid(0));
        return missing;
    }
}
