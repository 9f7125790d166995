using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Coffer.Server.Host;
using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>One numbered script of the schema.</summary>
internal sealed record Migration(int Number, string Name, string Sql)
{
    internal string Checksum => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql)));
}

/// <summary>
/// Brings a database to the schema of this binary: the embedded scripts `Sql/NNNN_name.sql` in order, each once, each in its own transaction
/// together with its own record. Called by every process at its start and by `coffer migrate`.
///
/// Any number of processes may call it at once: one at a time holds an advisory lock for the length of one script, the others then see
/// the record. If the process dies here, the script under way is rolled back and the next caller goes on with it. Never runs a script
/// on a database that a newer binary has changed.
/// </summary>
internal static class Migrations
{
    private const long Lock = 0x636f66666572; // "coffer"

    private const string CreateTable = """
        CREATE TABLE IF NOT EXISTS migration (
          number     integer     PRIMARY KEY,
          name       text        NOT NULL,
          checksum   text        NOT NULL,
          version    text        NOT NULL,
          applied_at timestamptz NOT NULL
        )
        """;

    private static readonly Assembly Home = typeof(Migrations).Assembly;

    internal static string Version { get; } =
        Home.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The number of the last script that this binary has.</summary>
    internal static int Newest { get; } = Embedded().Count;

    /// <summary>The number of the last script that the database has.</summary>
    internal static async Task<int> Applied(Db db, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT coalesce(max(number), 0) FROM migration");
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Returns how many scripts this call applied; 0, after a single query, when there was nothing to do.</summary>
    internal static Task<int> Apply(string connectionString, TimeProvider time, CancellationToken ct) =>
        Apply(connectionString, Embedded(), time, ct);

    internal static async Task<int> Apply(
        string connectionString, IReadOnlyList<Migration> scripts, TimeProvider time, CancellationToken ct)
    {
        await using var connection = await Open(connectionString, ct);
        var done = Check(await Applied(connection, ct), scripts);
        var count = 0;
        foreach (var script in scripts.Skip(done))
            if (await ApplyOne(connection, script, scripts, time, ct)) count++;
        return count;
    }

    private static async Task<bool> ApplyOne(
        NpgsqlConnection connection, Migration script, IReadOnlyList<Migration> scripts, TimeProvider time, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Execute(connection, $"SELECT pg_advisory_xact_lock({Lock})", ct);
        await Execute(connection, CreateTable, ct);
        if (Check(await Applied(connection, ct), scripts) >= script.Number) return false;

        await Execute(connection, script.Sql, ct);
        await using var record = new NpgsqlCommand(
            "INSERT INTO migration (number, name, checksum, version, applied_at) VALUES ($1, $2, $3, $4, $5)", connection)
        {
            Parameters =
            {
                new() { Value = script.Number },
                new() { Value = script.Name },
                new() { Value = script.Checksum },
                new() { Value = Version },
                new() { Value = time.GetUtcNow().UtcDateTime },
            },
        };
        await record.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>How many of the scripts the database has; a failure if it has others than these.</summary>
    private static int Check(List<(int Number, string Name, string Checksum, string Version)> applied, IReadOnlyList<Migration> scripts)
    {
        foreach (var (number, name, checksum, version) in applied)
        {
            if (number > scripts.Count)
            {
                var newest = applied[^1];
                throw new SetupFailure(
                    $"The database needs Coffer {newest.Version} or later: it has migration {newest.Number} ({newest.Name}), "
                    + $"this Coffer {Version} knows {scripts.Count}.");
            }
            if (checksum != scripts[number - 1].Checksum)
                throw new SetupFailure(
                    $"Migration {number} ({name}) was applied by Coffer {version} with another text than this Coffer {Version} has: "
                    + "use an unchanged build of Coffer for this database.");
        }
        return applied.Count;
    }

    private static async Task<List<(int Number, string Name, string Checksum, string Version)>> Applied(
        NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT number, name, checksum, version FROM migration ORDER BY number", connection);
        try
        {
            var rows = new List<(int, string, string, string)>();
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                rows.Add((reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetString(3)));
            return rows;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return [];
        }
    }

    private static async Task<NpgsqlConnection> Open(string connectionString, CancellationToken ct)
    {
        var connection = new NpgsqlConnection();
        try
        {
            connection.ConnectionString = connectionString;
            await connection.OpenAsync(ct);
        }
        catch (ArgumentException e)
        {
            throw new SetupFailure($"The connection string cannot be understood: {e.Message}");
        }
        catch (NpgsqlException e)
        {
            await connection.DisposeAsync();
            var named = new NpgsqlConnectionStringBuilder(connectionString);
            var place = $"{named.Database ?? named.Username} at {named.Host}";
            throw new SetupFailure($"The database {place} cannot be opened: {e.InnerException?.Message ?? e.Message}");
        }
        if (connection.PostgreSqlVersion.Major >= PostgresPrograms.OldestMajor) return connection;
        var version = connection.PostgreSqlVersion;
        await connection.DisposeAsync();
        throw new SetupFailure($"PostgreSQL {PostgresPrograms.OldestMajor} or later is needed, the database is version {version}: upgrade it.");
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        // Building an index on a large table, or waiting for another process that does, may take as long as it takes.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    internal static List<Migration> Embedded()
    {
        const string prefix = "Sql/";
        var scripts = new List<Migration>();
        foreach (var resource in Home.GetManifestResourceNames()
            .Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && n.EndsWith(".sql", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal))
        {
            var (number, name) = (int.Parse(resource.AsSpan(prefix.Length, 4)), resource[(prefix.Length + 5)..^4]);
            if (number != scripts.Count + 1) throw new InvalidOperationException($"{resource}: migrations are numbered without a gap.");
            using var text = new StreamReader(Home.GetManifestResourceStream(resource)!);
            scripts.Add(new Migration(number, name, text.ReadToEnd()));
        }
        return scripts;
    }
}
