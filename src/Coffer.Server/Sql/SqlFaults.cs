using System.Net.Sockets;
using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>
/// Which database errors mean what; by SQLSTATE and constraint name, never by text.
/// </summary>
internal static class SqlFaults
{
    /// <summary>Another transaction was in the way; the same work may succeed when it is done again.</summary>
    public static bool IsConflict(Exception fault, bool keysToo) => fault is PostgresException sql && (sql.SqlState
        is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable
        || (keysToo && sql.SqlState == PostgresErrorCodes.UniqueViolation));

    /// <summary>
    /// The driver takes a statement for prepared that the connection does not have: when a statement fails after its first rows, Npgsql 10.0.0
    /// does not take back that those after it in the same round were to be prepared. Nothing was done; the connection is of no use any more.
    /// </summary>
    public static bool IsForgottenStatement(Exception fault) => fault is PostgresException { SqlState: PostgresErrorCodes.InvalidSqlStatementName };

    /// <summary>The server is away, restarting, full, or the connection broke; says nothing about what was asked.</summary>
    public static bool IsConnectionLoss(Exception fault) => fault switch
    {
        PostgresException sql => sql.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.ConnectionFailure
            or PostgresErrorCodes.ConnectionException or PostgresErrorCodes.ConnectionDoesNotExist,
        NpgsqlException => true,
        IOException or SocketException or TimeoutException => true,
        ObjectDisposedException or InvalidOperationException => fault.StackTrace?.Contains("Npgsql", StringComparison.Ordinal) == true,
        _ => false,
    };

    /// <summary>Whether a unique constraint of this name refused a row.</summary>
    public static bool IsDuplicate(Exception fault, string constraint) =>
        fault is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } sql && sql.ConstraintName == constraint;

    /// <summary>The database user lacks a right.</summary>
    public static bool IsRefusedAccess(Exception fault) =>
        fault is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege };

    /// <summary>Disk full, out of memory: the server refuses writes for now, whatever they are.</summary>
    public static bool IsOutOfResources(Exception fault) => fault is PostgresException { SqlState: ['5', '3', ..] };
}
