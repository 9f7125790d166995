using Coffer.Server.Host;
using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Tests.Sql;

public sealed class MigrationTests(TestCluster cluster)
{
    private static readonly Migration First = new(1, "first", "CREATE TABLE one (n integer); INSERT INTO one VALUES (1);");
    private static readonly Migration Second = new(2, "second", "INSERT INTO one VALUES (2);");
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fresh_database_gets_every_embedded_script_and_a_second_call_none()
    {
        var database = await cluster.NewEmptyDatabase();
        var applied = await Migrations.Apply(database, TimeProvider.System, Ct);
        var scripts = typeof(Migrations).Assembly.GetManifestResourceNames().Count(n => n.EndsWith(".sql", StringComparison.Ordinal));
        Assert.Equal(scripts, applied);
        Assert.Equal(scripts, await Scalar<long>(database, "SELECT count(*) FROM migration"));
        Assert.Equal(0, await Migrations.Apply(database, TimeProvider.System, Ct));
    }

    [Fact]
    public async Task Five_parallel_callers_apply_each_script_once()
    {
        var database = await cluster.NewEmptyDatabase();
        var slow = First with { Sql = First.Sql + "SELECT pg_sleep(0.2);" };
        var counts = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(() => Apply(database, slow, Second))));
        Assert.Equal(2, counts.Sum());
        Assert.Equal(3, await Scalar<long>(database, "SELECT sum(n) FROM one"));
    }

    [Fact]
    public async Task A_later_binary_applies_only_what_is_new()
    {
        var database = await cluster.NewEmptyDatabase();
        Assert.Equal(1, await Apply(database, First));
        Assert.Equal(1, await Apply(database, First, Second));
    }

    [Fact]
    public async Task A_database_newer_than_the_binary_is_refused_with_the_version_it_needs()
    {
        var database = await cluster.NewEmptyDatabase();
        await Apply(database, First, Second);
        await Scalar<object>(database, "UPDATE migration SET version = '9.9' WHERE number = 2 RETURNING number");
        var failure = await Assert.ThrowsAsync<SetupFailure>(() => Apply(database, First));
        Assert.StartsWith("The database needs Coffer 9.9 or later: it has migration 2 (second)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_script_is_refused()
    {
        var database = await cluster.NewEmptyDatabase();
        await Apply(database, First);
        var failure = await Assert.ThrowsAsync<SetupFailure>(() => Apply(database, First with { Sql = First.Sql + " " }, Second));
        Assert.Contains("Migration 1 (first)", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, await Scalar<long>(database, "SELECT count(*) FROM one"));
    }

    [Fact]
    public async Task A_failing_script_leaves_nothing_and_can_be_tried_again()
    {
        var database = await cluster.NewEmptyDatabase();
        var broken = Second with { Sql = "INSERT INTO one VALUES (2); SELECT 1/0;" };
        await Assert.ThrowsAsync<PostgresException>(() => Apply(database, First, broken));
        Assert.Equal(1, await Scalar<long>(database, "SELECT sum(n) FROM one"));
        Assert.Equal(1, await Apply(database, First, Second));
    }

    [Fact]
    public async Task An_unreachable_database_is_one_sentence_without_the_password()
    {
        const string nowhere = "Host=/nonexistent;Username=u;Password=hunter2;Database=d";
        var failure = await Assert.ThrowsAsync<SetupFailure>(() => Apply(nowhere, First));
        Assert.StartsWith("The database d at /nonexistent cannot be opened", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_string_that_is_none_is_one_sentence()
    {
        var failure = await Assert.ThrowsAsync<SetupFailure>(() => Apply("postgres://u:hunter2@somewhere/d", First));
        Assert.StartsWith("The connection string cannot be understood", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    private static Task<int> Apply(string database, params Migration[] scripts) =>
        Migrations.Apply(database, scripts, TimeProvider.System, Ct);

    private static async Task<T> Scalar<T>(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }
}
