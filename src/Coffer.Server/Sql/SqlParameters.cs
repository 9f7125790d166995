using System.Numerics;
using Npgsql;
using NpgsqlTypes;

namespace Coffer.Server.Sql;

/// <summary>Positional parameters of statements; for <c>using static</c> in *Sql.cs files.</summary>
internal static class SqlParameters
{
    /// <summary>A parameter of the value's own type, without boxing.</summary>
    public static NpgsqlParameter P<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    /// <summary>A parameter that may be null; its type is named, because nothing else tells it then.</summary>
    public static NpgsqlParameter Maybe(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    /// <summary>One column of the rows as an array. Arrays of amounts must be told apart by hand: Npgsql does not infer them.</summary>
    public static NpgsqlParameter P<TRow, T>(IReadOnlyList<TRow> rows, Func<TRow, T> column)
    {
        var values = new T[rows.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = column(rows[i]);
        var parameter = new NpgsqlParameter<T[]> { TypedValue = values };
        if (typeof(T) == typeof(Int128) || typeof(T) == typeof(Int128?) || typeof(T) == typeof(BigInteger))
            parameter.NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Numeric;
        // It looks at the first value for the kind of time, and that may be null.
        if (typeof(T) == typeof(DateTime?))
            parameter.NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz;
        return parameter;
    }
}
