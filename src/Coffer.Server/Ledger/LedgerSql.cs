using Coffer.Ledger;
using Coffer.Server.Events;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Ledger;

/// <summary>
/// The statements of the ledger writer, the only writer of balance, posting, movement_made, movement_change and flow_hour. Each takes the whole
/// batch as arrays; every condition starts with the shard. Each is written so that rows can only be found by key, in the order of the
/// arrays (LATERAL, ON CONFLICT): a plan that was made while the tables were empty is then as good as any later one.
/// What is written is unnested in the select list: in FROM each array would be a function scan that stores its rows before it gives them.
/// </summary>
internal static class LedgerSql
{
    private const string LockBalances = """
        SELECT k.i, b.*
        FROM unnest($2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY AS k(account_id, currency, wallet_id, i)
        CROSS JOIN LATERAL (
            SELECT available, incoming, held, deposited, withdrawn, fees, transferred, deficit, version, last_movement_at, head_hash
            FROM balance
            WHERE shard = $1 AND account_id = k.account_id AND wallet_id = k.wallet_id AND currency = k.currency
            FOR UPDATE) b
        """;

    private const string ReadMovements = """
        SELECT k.i, m.*
        FROM unnest($2::uuid[]) WITH ORDINALITY AS k(reference, i)
        CROSS JOIN LATERAL (
            SELECT id, kind, state, wallet_id, to_wallet_id, currency, amount, fee, sighting, effective_at, updated_at, description, changed
            FROM movement WHERE shard = $1 AND reference = k.reference OFFSET 0) m
        """;

    private const string InsertPostings = """
        INSERT INTO posting (shard, account_id, wallet_id, currency, version, movement_id, kind, effective_at, recorded_at,
            available, incoming, held, external, fee, transfer, deficit, available_after, incoming_after, held_after, hash)
        SELECT $1, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::bigint[]), unnest($6::uuid[]),
            unnest($7::smallint[]), unnest($8::timestamptz[]), unnest($9::timestamptz[]), unnest($10::numeric[]), unnest($11::numeric[]),
            unnest($12::numeric[]), unnest($13::numeric[]), unnest($14::numeric[]), unnest($15::numeric[]), unnest($16::numeric[]),
            unnest($17::numeric[]), unnest($18::numeric[]), unnest($19::numeric[]), unnest($20::bytea[])
        """;

    private const string InsertBalances = """
        INSERT INTO balance AS b (shard, account_id, currency, wallet_id, available, incoming, held, deposited, withdrawn, fees,
            transferred, deficit, version, last_movement_at, head_hash)
        SELECT $1, unnest($2::uuid[]), unnest($3::text[]), unnest($4::uuid[]), unnest($5::numeric[]), unnest($6::numeric[]),
            unnest($7::numeric[]), unnest($8::numeric[]), unnest($9::numeric[]), unnest($10::numeric[]), unnest($11::numeric[]),
            unnest($12::numeric[]), unnest($13::bigint[]), unnest($14::timestamptz[]), unnest($15::bytea[])
        """;

    // These rows are there. The condition is the last guard: no balance is ever written over a newer version.
    private const string UpdateBalances = $"""
        {InsertBalances}
        ON CONFLICT (shard, account_id, wallet_id, currency) DO UPDATE SET available = excluded.available,
            incoming = excluded.incoming, held = excluded.held, deposited = excluded.deposited, withdrawn = excluded.withdrawn,
            fees = excluded.fees, transferred = excluded.transferred, deficit = excluded.deficit, version = excluded.version,
            last_movement_at = excluded.last_movement_at, head_hash = excluded.head_hash
        WHERE b.version < excluded.version
        """;

    private const string InsertMovements = """
        INSERT INTO movement_made (shard, account_id, id, kind, state, sighting, wallet_id, to_wallet_id, currency, amount, fee,
            effective_at, updated_at, reference, reference_text, reference_hash, description)
        SELECT $1, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::smallint[]), unnest($5::smallint[]), unnest($6::smallint[]),
            unnest($7::uuid[]), unnest($8::uuid[]), unnest($9::text[]), unnest($10::numeric[]), unnest($11::numeric[]),
            unnest($12::timestamptz[]), unnest($13::timestamptz[]), unnest($14::uuid[]), unnest($15::text[]), unnest($16::bytea[]),
            unnest($17::text[])
        """;

    private const string InsertChanges = """
        INSERT INTO movement_change (shard, id, state, sighting, updated_at, effective_at, amount, fee)
        SELECT $1, unnest($2::uuid[]), unnest($3::smallint[]), unnest($4::smallint[]), unnest($5::timestamptz[]),
            unnest($6::timestamptz[]), unnest($7::numeric[]), unnest($8::numeric[])
        """;

    private const string UpdateChanges = $"""
        {InsertChanges}
        ON CONFLICT (shard, id) DO UPDATE SET state = excluded.state, sighting = excluded.sighting, updated_at = excluded.updated_at,
            effective_at = excluded.effective_at, amount = excluded.amount, fee = excluded.fee
        """;

    private const string AddFlows = """
        INSERT INTO flow_hour AS f (shard, account_id, currency, hour, wallet_id, deposits, withdrawals, deposit_count,
            withdrawal_count)
        SELECT $1, unnest($2::uuid[]), unnest($3::text[]), unnest($4::timestamptz[]), unnest($5::uuid[]), unnest($6::numeric[]),
            unnest($7::numeric[]), unnest($8::bigint[]), unnest($9::bigint[])
        ON CONFLICT (shard, account_id, currency, hour, wallet_id) DO UPDATE SET deposits = f.deposits + excluded.deposits,
            withdrawals = f.withdrawals + excluded.withdrawals, deposit_count = f.deposit_count + excluded.deposit_count,
            withdrawal_count = f.withdrawal_count + excluded.withdrawal_count
        """;

    /// <summary>
    /// Round trip 1: locks the balances that must be read in the order given (the same for every writer, so no two can wait for each other),
    /// then reads the movements. Two statements in this order: what a movement says is read after its balance is locked. The guests' come
    /// last. No round trip when all is remembered and no guest wants to know anything.
    /// </summary>
    public static async Task Load(this Tx tx, short shard, LedgerBatch batch, LedgerVisit[] visits, CancellationToken ct)
    {
        await using var round = new Round(tx);
        var (balances, movements) = (batch.ToLock, batch.ToRead);
        if (balances.Count > 0)
        {
            round.Add(row => balances[(int)row.GetInt64(0) - 1].Loaded(ReadBalance(row, 1)), LockBalances,
                P(shard), P(balances, b => b.Key.Account.Value), P(balances, b => b.Key.Currency), P(balances, b => b.Key.Wallet.Value));
        }

        if (movements.Count > 0)
        {
            round.Add(row =>
            {
                var movement = movements[(int)row.GetInt64(0) - 1];
                movement.Loaded(ReadMovement(row, 1, movement.Account, movement.Reference), row.GetBoolean(13));
            }, ReadMovements, P(shard), P(movements, m => m.Digest));
        }

        foreach (var visit in visits)
            visit.Load(round);
        if (!round.IsEmpty)
            await round.Run(ct);
    }

    /// <summary>
    /// Round trip 2: everything the batch decided, one statement per table, sent with the COMMIT. Nothing need be counted: a balance that
    /// was not as it was decided on has a posting of the same version already, and its key refuses ours.
    /// </summary>
    public static void Store(this Tx tx, short shard, LedgerBatch batch, LedgerVisit[] visits)
    {
        var round = new Round(tx);
        if (batch.Postings.Count > 0)
            Add(round, shard, batch);
        foreach (var visit in visits)
            visit.Store(round);
        round.Write(shard, batch.Events);
        if (!round.IsEmpty)
            tx.Last = round;
    }

    private static void Add(Round round, short shard, LedgerBatch batch)
    {
        void Add<T>(string sql, IReadOnlyList<T> rows, params ReadOnlySpan<NpgsqlParameter> columns)
        {
            if (rows.Count > 0)
                round.Add(sql, [P(shard), .. columns]);
        }

        var (newBalances, balances) = batch.ChangedBalances();
        Add(InsertBalances, newBalances, BalanceColumns(newBalances));
        Add(UpdateBalances, balances, BalanceColumns(balances));
        var postings = batch.Postings;
        Add(InsertPostings, postings, P(postings, p => p.Key.Account.Value), P(postings, p => p.Key.Wallet.Value),
            P(postings, p => p.Key.Currency), P(postings, p => p.Version), P(postings, p => p.Movement.Value),
            P(postings, p => (short)p.Kind), P(postings, p => p.EffectiveAt.UtcDateTime), P(postings, p => p.RecordedAt.UtcDateTime),
            P(postings, p => p.Available), P(postings, p => p.Incoming), P(postings, p => p.Held), P(postings, p => p.External),
            P(postings, p => p.Fee), P(postings, p => p.Transfer), P(postings, p => p.Deficit), P(postings, p => p.AvailableAfter),
            P(postings, p => p.IncomingAfter), P(postings, p => p.HeldAfter), P(postings, p => p.Hash));
        var (made, changed, changedAgain) = batch.ChangedMovements();
        Add(InsertMovements, made, MovementColumns(made));
        Add(InsertChanges, changed, ChangeColumns(changed));
        Add(UpdateChanges, changedAgain, ChangeColumns(changedAgain));
        var flows = batch.Flows();
        Add(AddFlows, flows, P(flows, f => f.Key.Account.Value), P(flows, f => f.Key.Currency), P(flows, f => f.Hour.UtcDateTime),
            P(flows, f => f.Key.Wallet.Value), P(flows, f => f.Flow.Deposits), P(flows, f => f.Flow.Withdrawals),
            P(flows, f => f.Flow.DepositCount), P(flows, f => f.Flow.WithdrawalCount));
    }

    /// <summary>Reads the balance whose columns start at <paramref name="at"/> in the order of the lock statement.</summary>
    public static Balance ReadBalance(NpgsqlDataReader row, int at) => new()
    {
        Available = row.GetFieldValue<Int128>(at),
        Incoming = row.GetFieldValue<Int128>(at + 1),
        Held = row.GetFieldValue<Int128>(at + 2),
        Deposited = row.GetFieldValue<Int128>(at + 3),
        Withdrawn = row.GetFieldValue<Int128>(at + 4),
        Fees = row.GetFieldValue<Int128>(at + 5),
        Transferred = row.GetFieldValue<Int128>(at + 6),
        Deficit = row.GetFieldValue<Int128>(at + 7),
        Version = row.GetInt64(at + 8),
        LastMovementAt = row.GetFieldValue<DateTime>(at + 9),
        HeadHash = row.GetFieldValue<byte[]>(at + 10),
    };

    private static Movement ReadMovement(NpgsqlDataReader row, int at, AccountId account, Reference reference) => new()
    {
        Account = account,
        Reference = reference,
        Id = new MovementId(row.GetGuid(at)),
        Kind = (MovementKind)row.GetInt16(at + 1),
        State = (MovementState)row.GetInt16(at + 2),
        Wallet = new WalletId(row.GetGuid(at + 3)),
        ToWallet = row.IsDBNull(at + 4) ? null : new WalletId(row.GetGuid(at + 4)),
        Currency = row.GetString(at + 5),
        Amount = row.GetFieldValue<Int128>(at + 6),
        Fee = row.GetFieldValue<Int128>(at + 7),
        Sighting = row.GetInt16(at + 8),
        EffectiveAt = row.GetFieldValue<DateTime>(at + 9),
        UpdatedAt = row.GetFieldValue<DateTime>(at + 10),
        Description = row.IsDBNull(at + 11) ? null : row.GetString(at + 11),
    };

    private static NpgsqlParameter[] BalanceColumns(IReadOnlyList<BatchBalance> rows) =>
    [
        P(rows, b => b.Key.Account.Value), P(rows, b => b.Key.Currency), P(rows, b => b.Key.Wallet.Value),
        P(rows, b => b.Balance.Available), P(rows, b => b.Balance.Incoming), P(rows, b => b.Balance.Held),
        P(rows, b => b.Balance.Deposited), P(rows, b => b.Balance.Withdrawn), P(rows, b => b.Balance.Fees),
        P(rows, b => b.Balance.Transferred), P(rows, b => b.Balance.Deficit), P(rows, b => b.Balance.Version),
        P(rows, b => b.Balance.LastMovementAt.UtcDateTime), P(rows, b => b.Balance.HeadHash),
    ];

    private static NpgsqlParameter[] MovementColumns(List<BatchMovement> rows)
    {
        var references = rows.ConvertAll(static row => StoredReference.Of(row.Reference));
        return
        [
            P(rows, m => m.Movement!.Account.Value), P(rows, m => m.Movement!.Id.Value), P(rows, m => (short)m.Movement!.Kind),
            P(rows, m => (short)m.Movement!.State), P(rows, m => (short)m.Movement!.Sighting), P(rows, m => m.Movement!.Wallet.Value),
            P(rows, m => m.Movement!.ToWallet?.Value), P(rows, m => m.Movement!.Currency), P(rows, m => m.Movement!.Amount),
            P(rows, m => m.Movement!.Fee), P(rows, m => m.Movement!.EffectiveAt.UtcDateTime),
            P(rows, m => m.Movement!.UpdatedAt.UtcDateTime), P(rows, m => m.Digest), P(references, r => r.Text),
            P(references, r => r.Hash!), P(rows, m => m.Movement!.Description!),
        ];
    }

    private static NpgsqlParameter[] ChangeColumns(IReadOnlyList<BatchMovement> rows) =>
    [
        P(rows, m => m.Movement!.Id.Value), P(rows, m => (short)m.Movement!.State), P(rows, m => (short)m.Movement!.Sighting),
        P(rows, m => m.Movement!.UpdatedAt.UtcDateTime), P(rows, m => m.Changed(x => x.EffectiveAt)?.UtcDateTime),
        P(rows, m => m.Changed(x => x.Amount)), P(rows, m => m.Changed(x => x.Fee)),
    ];
}
