using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>Statements that go to the server together, in one round trip and in their order, each with what is done with its rows.</summary>
internal sealed class Round(Tx tx) : IAsyncDisposable
{
    private readonly NpgsqlBatch _batch = new(tx.Connection, tx.Transaction);
    private readonly List<Action<NpgsqlDataReader>?> _readers = [];

    /// <summary>The transaction that the statements are part of.</summary>
    public Tx Tx => tx;

    /// <summary>Whether nothing was added.</summary>
    public bool IsEmpty => _readers.Count == 0;

    /// <summary>Adds a statement whose rows, if it has any, nobody wants.</summary>
    public void Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters) => Add(null, sql, parameters);

    /// <summary>Adds a statement; <paramref name="row"/> is called once for each of its rows, when the round has run.</summary>
    public void Add(Action<NpgsqlDataReader>? row, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        _batch.BatchCommands.Add(command);
        _readers.Add(row);
    }

    /// <summary>Sends all statements and hands out their rows. The first that fails makes the server skip those after it.</summary>
    public async Task Run(CancellationToken ct)
    {
        await using var rows = await _batch.ExecuteReaderAsync(ct);
        foreach (var reader in _readers)
        {
            // Statements that give no rows have no result of their own here.
            if (reader is null)
                continue;
            while (await rows.ReadAsync(ct))
                reader(rows);
            await rows.NextResultAsync(ct);
        }
    }

    /// <summary>Sends all statements, whose rows nobody wants.</summary>
    public Task Write(CancellationToken ct) => _batch.ExecuteNonQueryAsync(ct);

    public ValueTask DisposeAsync() => _batch.DisposeAsync();
}
