using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>Single statements outside a transaction.</summary>
internal static class DbStatements
{
    /// <summary>A statement with its parameters, to be executed and disposed by the caller.</summary>
    public static NpgsqlCommand Command(this Db db, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = db.Reads.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }
}
