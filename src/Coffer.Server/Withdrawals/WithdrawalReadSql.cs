using Coffer.Server.Auth;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>Who wants to pay, by the hash of his credential, and from which wallet; null for the default one.</summary>
internal readonly record struct PayerQuestion(byte[] Hash, Guid? Wallet);

/// <summary>What the database says about a credential and a wallet of its account; null when the account has no such wallet.</summary>
internal sealed record Payer(CredentialRow Credential, Guid? Wallet);

/// <summary>The statements that only read withdrawals, and what is asked before one is made.</summary>
internal static class WithdrawalReadSql
{
    private const string Payers = $"""
        SELECT k.i, w.id, {CredentialSql.Columns}
        FROM unnest($1::bytea[], $2::uuid[]) WITH ORDINALITY AS k(hash, wallet_id, i)
        CROSS JOIN LATERAL (SELECT * FROM credential WHERE hash = k.hash OFFSET 0) c
        LEFT JOIN LATERAL (
            SELECT id FROM wallet WHERE shard = c.shard AND account_id = c.account_id AND id = k.wallet_id
            UNION ALL
            SELECT id FROM wallet WHERE k.wallet_id IS NULL AND shard = c.shard AND account_id = c.account_id AND is_default) w ON true
        """;

    private const string Filter = """
        WHERE w.shard = $1 AND w.account_id = $2 AND w.id >= $3 AND w.id < $4 AND ($5::smallint IS NULL OR w.state = $5)
            AND ($6::text IS NULL OR w.currency = $6) AND ($7::text[] IS NULL OR w.currency = ANY ($7))
            AND ($8::text IS NULL OR w.custom_id = $8) AND ($9::uuid[] IS NULL OR w.wallet_id = ANY ($9))
        """;

    /// <summary>For each question the credential with that hash and the wallet; null where there is no such credential.</summary>
    public static async Task<Payer?[]> FindPayers(this Db db, IReadOnlyList<PayerQuestion> questions)
    {
        await using var command = db.Lanes.CreateCommand(Payers);
        command.Parameters.Add(P(questions, q => q.Hash));
        command.Parameters.Add(P(questions, q => q.Wallet));
        await using var row = await command.ExecuteReaderAsync();
        var payers = new Payer?[questions.Count];
        while (await row.ReadAsync())
            payers[row.GetInt64(0) - 1] = new Payer(CredentialSql.Read(row, 2), row.IsDBNull(1) ? null : row.GetGuid(1));
        return payers;
    }

    /// <summary>What is in one of these states on a chain, in the order of the ids after <paramref name="after"/>.</summary>
    public static Task<List<Withdrawal>> WithdrawalsOn(this Db db, string chain, IReadOnlyList<WithdrawalState> states, Guid after,
        int countMax, CancellationToken ct) => Rows(db, $"""
            {WithdrawalSql.Select} WHERE w.chain = $1 AND w.state = ANY ($2) AND w.state IN (1, 2, 3, 4, 5, 10) AND w.id > $3
            ORDER BY w.id LIMIT $4
            """, ct, P(chain), P(states, state => (short)state), P(after), P(countMax));

    /// <summary>The withdrawal with this id; null when it is nobody's or somebody else's.</summary>
    public static async Task<Withdrawal?> FindWithdrawal(this Db db, short shard, AccountId account, Guid id, CancellationToken ct)
    {
        var found = await Rows(db, $"{WithdrawalSql.Select} WHERE w.shard = $1 AND w.account_id = $2 AND w.id = $3", ct,
            P(shard), P(account.Value), P(id));
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>One page, by the order of the ids.</summary>
    public static Task<List<Withdrawal>> ListWithdrawals(this Db db, short shard, AccountId account, WithdrawalFilter filter, bool newestFirst,
        int limit, int offset, CancellationToken ct) =>
        Rows(db, $"{WithdrawalSql.Select} {Filter} ORDER BY w.id {(newestFirst ? "DESC" : "ASC")} LIMIT $10 OFFSET $11", ct,
            [.. Filters(shard, account, filter), P(limit), P(offset)]);

    public static async Task<long> CountWithdrawals(
        this Db db, short shard, AccountId account, WithdrawalFilter filter, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand($"SELECT count(*) FROM withdrawal w {Filter}");
        command.Parameters.AddRange(Filters(shard, account, filter));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>How high the follower of a chain is; null before it began.</summary>
    public static async Task<long?> HeightOf(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT height FROM chain_cursor WHERE chain = $1");
        command.Parameters.Add(P(chain));
        return (long?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>Blocks from this one up to where the follower is, both included; 0 when the follower knows no such block.</summary>
    public static async Task<long> ConfirmationsOf(this Db db, string chain, long height, string hash, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT c.height - b.height + 1 FROM chain_cursor c JOIN chain_block b ON b.chain = c.chain
            WHERE c.chain = $1 AND b.height = $2 AND b.hash = $3
            """);
        command.Parameters.Add(P(chain));
        command.Parameters.Add(P(height));
        command.Parameters.Add(P(hash));
        return (long?)await command.ExecuteScalarAsync(ct) ?? 0;
    }

    private static NpgsqlParameter[] Filters(short shard, AccountId account, WithdrawalFilter filter) =>
    [
        P(shard), P(account.Value), P(filter.From), P(filter.Before), Maybe((short?)filter.State, NpgsqlDbType.Smallint),
        Maybe(filter.Currency, NpgsqlDbType.Text), Maybe(filter.Currencies?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text),
        Maybe(filter.CustomId, NpgsqlDbType.Text), Maybe(filter.Wallets?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid),
    ];

    private static NpgsqlParameter Maybe(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    private static async Task<List<Withdrawal>> Rows(Db db, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = db.Reads.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        var found = new List<Withdrawal>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found.Add(WithdrawalSql.Read(row));
        return found;
    }
}
