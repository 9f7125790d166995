using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>Single statements inside a transaction.</summary>
internal static class TxStatements
{
    /// <summary>A statement with its parameters, to be executed and disposed by the caller.</summary>
    public static NpgsqlCommand Command(this Tx tx, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlCommand(sql, tx.Connection, tx.Transaction);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    /// <summary>Runs a statement without rows; answers how many it changed.</summary>
    public static async Task<int> Do(this Tx tx, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = tx.Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(ct);
    }
}
