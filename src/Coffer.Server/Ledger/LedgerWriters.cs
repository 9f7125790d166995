using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Ledger;

/// <summary>The ledger writers of this process, one per shard. The number of shards is fixed when the database is made.</summary>
internal sealed class LedgerWriters : IAsyncDisposable
{
    private readonly LedgerWriter[] _writers;

    /// <param name="shards">How many shards the database has.</param>
    /// <param name="db">The database.</param>
    /// <param name="ids">Ids for movements.</param>
    /// <param name="time">The clock.</param>
    /// <param name="guests">Who takes part in the transactions, in the order in which they take their locks.</param>
    public LedgerWriters(int shards, Db db, Ids ids, TimeProvider time, params IReadOnlyList<ILedgerGuest> guests) =>
        _writers = [.. Enumerable.Range(0, shards).Select(shard => new LedgerWriter((short)shard, db, ids, time, LedgerCache.ProcessMax / shards, guests))];

    /// <summary>How many shards, and so writers, there are.</summary>
    public int Shards => _writers.Length;

    /// <inheritdoc cref="LedgerWriter.Write"/>
    public Task<Outcome> Write(short shard, Command command) => _writers[shard].Write(command);

    /// <summary>Queues all commands at once, so that they share few batches, and waits for all outcomes, in the order given.</summary>
    public Task<Outcome[]> WriteAll(short shard, IEnumerable<Command> commands) =>
        Task.WhenAll(commands.Select(command => _writers[shard].Write(command)));

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in _writers)
            await writer.DisposeAsync();
    }
}
