using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Bench;

/// <summary>
/// One transaction per posting as a service without a batching writer has it: lock the balance, look for the reference, decide, then posting,
/// balance, movement and hour, each a prepared statement of plain values by key, one after the other; commit. The same tables, the same decision,
/// the same driver with its default pool. Only deposits into balances that exist, which is all that the measurement sends.
/// </summary>
internal sealed class PlainTransactions : IAsyncDisposable
{
    /// <summary>Npgsql's default.</summary>
    public const int Connections = 100;

    private const int WaitSeconds = 60;

    private const string LockBalance = """
        SELECT available, incoming, held, deposited, withdrawn, fees, transferred, deficit, version, last_movement_at, head_hash
        FROM balance WHERE shard = $1 AND account_id = $2 AND wallet_id = $3 AND currency = $4 FOR UPDATE
        """;

    private const string ReadMovement = """
        SELECT id, state, sighting, amount, fee, effective_at, updated_at FROM movement WHERE shard = $1 AND reference = $2
        """;

    private const string InsertPosting = """
        INSERT INTO posting (shard, account_id, wallet_id, currency, version, movement_id, kind, effective_at, recorded_at,
            available, incoming, held, external, fee, transfer, deficit, available_after, incoming_after, held_after, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
        """;

    private const string UpdateBalance = """
        UPDATE balance SET available = $5, incoming = $6, deposited = $7, version = $8, last_movement_at = $9, head_hash = $10
        WHERE shard = $1 AND account_id = $2 AND wallet_id = $3 AND currency = $4
        """;

    private const string InsertMovement = """
        INSERT INTO movement_made (shard, account_id, id, kind, state, sighting, wallet_id, currency, amount, fee, effective_at, updated_at,
            reference, reference_text, reference_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        """;

    private const string InsertChange = """
        INSERT INTO movement_change (shard, id, state, sighting, updated_at) VALUES ($1, $2, $3, $4, $5)
        """;

    private const string AddFlow = """
        INSERT INTO flow_hour AS f (shard, account_id, currency, hour, wallet_id, deposits, withdrawals, deposit_count, withdrawal_count)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (shard, account_id, currency, hour, wallet_id) DO UPDATE SET deposits = f.deposits + excluded.deposits,
            withdrawals = f.withdrawals + excluded.withdrawals, deposit_count = f.deposit_count + excluded.deposit_count,
            withdrawal_count = f.withdrawal_count + excluded.withdrawal_count
        """;

    private readonly NpgsqlDataSource _source;
    private readonly Ids _ids;

    public PlainTransactions(Rig rig)
    {
        _ids = rig.Ids;
        _source = Db.Source(Db.ByKey(rig.ConnectionString), "plain transactions", multiplexing: false, Connections, WaitSeconds, WaitSeconds);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    /// <summary>Runs one command in a transaction of its own and waits for its commit.</summary>
    public async Task<Outcome> Run(short shard, Command command)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var key = new BalanceKey(command.Account, command.Currency.Code, command.Wallet);
        var digest = command.Reference.DigestIn(command.Account);
        NpgsqlParameter[] Place() => [P(shard), P(key.Account.Value), P(key.Wallet.Value), P(key.Currency)];
        var own = await One(connection, LockBalance, row => LedgerSql.ReadBalance(row, 0), Place())
            ?? throw new InvalidOperationException("The balance is not there.");
        var existing = await One(connection, ReadMovement, row => Read(row, command), P(shard), P(digest));
        var decision = Decide.On(command, existing, own, null, Now(), _ids.Movement());
        if (decision.Refusal is not null)
            return new Outcome(decision.Refusal, null, false);
        var (movement, after) = (decision.Movement!, decision.Own!);
        foreach (var posting in decision.Postings)
        {
            await Execute(connection, InsertPosting, P(shard), P(key.Account.Value), P(key.Wallet.Value), P(key.Currency), P(posting.Version),
                P(posting.Movement.Value), P((short)posting.Kind), P(posting.EffectiveAt.UtcDateTime), P(posting.RecordedAt.UtcDateTime),
                P(posting.Available), P(posting.Incoming), P(posting.Held), P(posting.External), P(posting.Fee), P(posting.Transfer),
                P(posting.Deficit), P(posting.AvailableAfter), P(posting.IncomingAfter), P(posting.HeldAfter), P(posting.Hash));
        }

        await Execute(connection, UpdateBalance, [.. Place(), P(after.Available), P(after.Incoming), P(after.Deposited), P(after.Version),
            P(after.LastMovementAt.UtcDateTime), P(after.HeadHash)]);
        if (decision.IsNew)
        {
            var stored = StoredReference.Of(movement.Reference);
            await Execute(connection, InsertMovement, P(shard), P(key.Account.Value), P(movement.Id.Value), P((short)movement.Kind),
                P((short)movement.State), P((short)movement.Sighting), P(key.Wallet.Value), P(key.Currency), P(movement.Amount), P(movement.Fee),
                P(movement.EffectiveAt.UtcDateTime), P(movement.UpdatedAt.UtcDateTime), P(digest), P(stored.Text), P(stored.Hash!));
        }
        else
        {
            await Execute(connection, InsertChange, P(shard), P(movement.Id.Value), P((short)movement.State), P((short)movement.Sighting),
                P(movement.UpdatedAt.UtcDateTime));
        }

        foreach (var posting in decision.Postings)
        {
            var flow = posting.Flow;
            if (flow == default)
                continue;
            await Execute(connection, AddFlow, P(shard), P(key.Account.Value), P(key.Currency), P(posting.Hour.UtcDateTime), P(key.Wallet.Value),
                P(flow.Deposits), P(flow.Withdrawals), P(flow.DepositCount), P(flow.WithdrawalCount));
        }

        await transaction.CommitAsync();
        return new Outcome(null, movement, false);
    }

    /// <summary>Whole microseconds, as the database keeps them.</summary>
    private static DateTimeOffset Now() =>
        new(DateTime.UtcNow.Ticks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    private static Movement Read(NpgsqlDataReader row, Command command) => new()
    {
        Account = command.Account,
        Reference = command.Reference,
        Id = new MovementId(row.GetGuid(0)),
        Kind = MovementKind.Deposit,
        State = (MovementState)row.GetInt16(1),
        Sighting = row.GetInt16(2),
        Wallet = command.Wallet,
        Currency = command.Currency.Code,
        Amount = row.GetFieldValue<Int128>(3),
        Fee = row.GetFieldValue<Int128>(4),
        EffectiveAt = row.GetFieldValue<DateTime>(5),
        UpdatedAt = row.GetFieldValue<DateTime>(6),
    };

    private static async Task<T?> One<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, params NpgsqlParameter[] parameters)
        where T : class
    {
        await using var command = Command(connection, sql, parameters);
        await using var row = await command.ExecuteReaderAsync();
        return await row.ReadAsync() ? read(row) : null;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        if (await command.ExecuteNonQueryAsync() != 1)
            throw new InvalidOperationException("A row was not written.");
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }
}
