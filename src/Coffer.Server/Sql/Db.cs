using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>
/// The one way to PostgreSQL. <see cref="Reads"/> multiplexes single statements of all requests over few connections;
/// <see cref="Transaction{T}"/> is the only way to begin and commit, over plain connections of its own; those of the ledger writers have theirs.
/// </summary>
internal sealed class Db : IAsyncDisposable
{
    /// <summary>Tries of one transaction before its fault is shown.</summary>
    public const int AttemptsMax = 16;

    private static readonly TimeSpan _waitMax = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Statements are prepared and planned once per connection, and all of them find their rows by key. A planner that is asked while a
    /// table is new and small would rather scan it, and the connection would go on scanning when it has millions of rows.
    /// No two rows of a batch ask for the same key, so remembering what was found would only cost.
    /// </summary>
    private static readonly string[] _byKey = ["plan_cache_mode=force_generic_plan", "enable_seqscan=off", "enable_memoize=off"];

    private readonly NpgsqlDataSource _writes;
    private readonly NpgsqlDataSource _ledger;
    private readonly NpgsqlDataSource _snapshots;
    private readonly TimeProvider _time;
    private int _opened;

    public Db(string connectionString, TimeProvider time)
    {
        _time = time;
        var byKey = ByKey(connectionString);
        Reads = Source(byKey, "coffer reads", multiplexing: true, poolMax: 8, seconds: 60);
        Lanes = Source(byKey, "coffer lanes", multiplexing: false, poolMax: 8, seconds: 60);
        _writes = Source(byKey, "coffer writes", multiplexing: false, poolMax: 24, seconds: 60);
        // A pool takes its connections in turn. Few of their own stay warm, each a process of PostgreSQL with its plans: a tenth of a posting.
        _ledger = Source(byKey, "coffer ledger", multiplexing: false, poolMax: 24, seconds: 60,
            opened: () => Interlocked.Increment(ref _opened));
        // Proofs read whole tables, for as long as that takes.
        _snapshots = Source(connectionString, "coffer snapshots", multiplexing: false, poolMax: 4, seconds: 0);
    }

    /// <summary>Rings for an account after a transaction of this process that asked for it (<see cref="Tx.RingFor"/>) has committed.</summary>
    public Bell Bell { get; } = new();

    /// <summary>
    /// How many connections were opened for the ledger. While it stays the same, <see cref="LedgerTransaction{T}"/> speaks to the same run of the
    /// same server as the ones before it: no connection outlives a restart, or a standby's promotion.
    /// </summary>
    public int Opened => Volatile.Read(ref _opened);

    /// <summary>For single statements outside a transaction; always current.</summary>
    public NpgsqlDataSource Reads { get; }

    /// <summary>For statements of which few run at a time, each for many callers: <see cref="ReadLanes{TKey, TAnswer}"/>.</summary>
    public NpgsqlDataSource Lanes { get; }

    /// <summary>
    /// Runs <paramref name="work"/> in one READ COMMITTED transaction. Serialization failures, deadlocks and connections lost
    /// before the commit are tried again, bounded and with jitter; so the work must have no effect outside the transaction.
    /// A connection lost during the commit is tried again only for <paramref name="repeatable"/> work, which finds out by itself
    /// whether it happened already; otherwise it surfaces as a fault of unknown outcome. Connections on which the driver has its prepared
    /// statements wrong are dropped, and the work is tried again (<see cref="SqlFaults.IsForgottenStatement"/>).
    /// </summary>
    public Task<T> Transaction<T>(Func<Tx, CancellationToken, Task<T>> work, CancellationToken ct, bool repeatable = false) =>
        Run(_writes, work, repeatable, ct);

    /// <inheritdoc cref="Transaction{T}"/>
    public Task Transaction(Func<Tx, CancellationToken, Task> work, CancellationToken ct, bool repeatable = false) =>
        Transaction(async (tx, token) =>
        {
            await work(tx, token);
            return true;
        }, ct, repeatable);

    /// <summary><see cref="Transaction{T}"/> for a ledger writer: repeatable, and no caller's to cancel.</summary>
    public Task<T> LedgerTransaction<T>(Func<Tx, CancellationToken, Task<T>> work) => Run(_ledger, work, repeatable: true, CancellationToken.None);

    /// <summary>Runs read-only statements on one snapshot of the database.</summary>
    public async Task<T> Snapshot<T>(Func<Tx, CancellationToken, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await _snapshots.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        return await work(new Tx(connection, transaction), ct);
    }

    public async ValueTask DisposeAsync()
    {
        await Reads.DisposeAsync();
        await Lanes.DisposeAsync();
        await _writes.DisposeAsync();
        await _ledger.DisposeAsync();
        await _snapshots.DisposeAsync();
    }

    private async Task<T> Run<T>(NpgsqlDataSource source, Func<Tx, CancellationToken, Task<T>> work, bool repeatable, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var committing = false;
            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                var tx = new Tx(connection, transaction);
                var result = await work(tx, ct);
                await tx.End(ct);
                committing = true;
                await (tx.Last is { } last ? Commit(last) : transaction.CommitAsync(CancellationToken.None));
                foreach (var account in tx.Rings)
                    Bell.Ring(account);
                return result;
            }
            catch (Exception fault) when (attempt < AttemptsMax && MayRepeat(fault, committing, repeatable))
            {
                if (SqlFaults.IsForgottenStatement(fault))
                    source.Clear();
                await Task.Delay(Wait(attempt), _time, ct);
            }
        }
    }

    /// <summary>One round trip for the last statements and the COMMIT: when one of them fails, the server skips those after it.</summary>
    private static async Task Commit(Round last)
    {
        await using (last)
        {
            last.Add("COMMIT");
            await last.Write(CancellationToken.None);
        }
    }

    private static bool MayRepeat(Exception fault, bool committing, bool repeatable) =>
        SqlFaults.IsConflict(fault, repeatable) || SqlFaults.IsForgottenStatement(fault) || (SqlFaults.IsConnectionLoss(fault) && (repeatable || !committing));

    /// <summary>Doubling from 2 ms, half of it by chance, so that those who collided do not meet again.</summary>
    private static TimeSpan Wait(int attempt)
    {
        var full = Math.Min(_waitMax.TotalMilliseconds, Math.Pow(2, attempt));
        return TimeSpan.FromMilliseconds((full / 2) + (Random.Shared.NextDouble() * full / 2));
    }

    /// <summary>The connection string with the planner settings under which statements find their rows by key.</summary>
    internal static string ByKey(string connectionString) => _byKey.Aggregate(connectionString, DatabaseUrl.WithSetting);

    /// <summary>Connections that prepare what they repeat and know <see cref="Int128"/>.</summary>
    internal static NpgsqlDataSource Source(string connectionString, string name, bool multiplexing, int poolMax, int seconds, int waitSeconds = 5,
        Action? opened = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = name,
            Multiplexing = multiplexing,
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,
            MaxPoolSize = poolMax,
            Timeout = waitSeconds,
            CommandTimeout = seconds,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
#pragma warning disable NPG9001 // see Int128Numeric
        builder.AddTypeInfoResolverFactory(new Int128Numeric());
#pragma warning restore NPG9001
        if (opened is not null)
        {
            builder.UsePhysicalConnectionInitializer(_ => opened(), _ =>
            {
                opened();
                return Task.CompletedTask;
            });
        }

        return builder.Build();
    }
}

/// <summary>A running transaction: what a statement needs to run in it.</summary>
internal sealed record Tx(NpgsqlConnection Connection, NpgsqlTransaction Transaction)
{
    /// <summary>
    /// Statements whose results nobody waits for: they go to the server together with the COMMIT, after the work is done. Null for none.
    /// </summary>
    public Round? Last { get; set; }

    /// <summary>For whom <see cref="Db.Bell"/> rings when this has committed.</summary>
    public IReadOnlyCollection<AccountId> Rings => _rings ?? [];

    private HashSet<AccountId>? _rings;
    private List<Func<CancellationToken, Task>>? _atEnd;

    /// <summary>Lets <see cref="Db.Bell"/> ring for the account after the commit.</summary>
    public void RingFor(AccountId account) => (_rings ??= []).Add(account);

    /// <summary>Lets <paramref name="write"/> run after all other work of the transaction: what takes the locks that come last.</summary>
    public void AtEnd(Func<CancellationToken, Task> write) => (_atEnd ??= []).Add(write);

    /// <summary>Runs what was kept for the end, in its order.</summary>
    public async Task End(CancellationToken ct)
    {
        foreach (var write in _atEnd ?? [])
            await write(ct);
    }
}
