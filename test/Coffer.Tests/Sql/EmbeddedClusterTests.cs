using System.Net.Sockets;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Tests.Sql;

public sealed class EmbeddedClusterTests : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("coffer-cluster-").FullName;
    private static CancellationToken Ct => TestContext.Current.CancellationToken;
    private Postmaster Postmaster => new(Path.Combine(data, "cluster"));

    public void Dispose()
    {
        foreach (var pid in Postmaster.Processes()) Postmaster.Signal(pid, Postmaster.Kill);
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task A_restart_keeps_the_data_and_a_stop_leaves_no_process()
    {
        await using (var first = await Start()) await Execute(first, "CREATE TABLE kept (n integer)", "INSERT INTO kept VALUES (7)");
        Assert.Empty(Postmaster.Processes());
        await using var second = await Start();
        Assert.Equal(7, await Scalar(second, "SELECT n FROM kept"));
    }

    [Fact]
    public async Task Commits_are_durable_and_no_port_is_open()
    {
        await using var cluster = await Start();
        Assert.Equal("on on on -", await Scalar(cluster, """
            SELECT concat_ws(' ', current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
              current_setting('listen_addresses') || '-')
            """));
        Assert.Equal("on", await Scalar(cluster, "SHOW data_checksums"));
    }

    [Fact]
    public async Task The_application_owns_its_database_without_being_a_superuser_so_postings_cannot_be_changed()
    {
        await using var cluster = await Start();
        await Migrations.Apply(cluster.ConnectionString, TimeProvider.System, Ct);
        Assert.Equal("off", await Scalar(cluster, "SHOW is_superuser"));
        var refused = await Assert.ThrowsAsync<PostgresException>(() => Execute(cluster, "DELETE FROM posting"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task What_was_committed_survives_the_death_of_every_process()
    {
        var first = await Start();
        await Execute(first, "CREATE TABLE kept (n integer)", "INSERT INTO kept VALUES (7)");
        foreach (var pid in Postmaster.Processes()) Postmaster.Signal(pid, Postmaster.Kill);
        await first.DisposeAsync();
        Assert.True(File.Exists(Path.Combine(data, "cluster", "postmaster.pid")));
        await using var second = await Start();
        Assert.Equal(7, await Scalar(second, "SELECT n FROM kept"));
    }

    [Fact]
    public async Task Children_of_a_killed_postmaster_are_ended_before_a_new_one_starts()
    {
        var first = await Start();
        await Execute(first, "CREATE TABLE kept (n integer)");
        // A backend that computes does not notice that its postmaster is gone.
        var busy = Execute(first, "DO $$ BEGIN LOOP END LOOP; END $$");
        var postmaster = Postmaster;
        while ((long)(await Scalar(first, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"))! == 0) ;
        Postmaster.Signal(postmaster.Running()!.Value.Pid, Postmaster.Kill);
        while (postmaster.Running() is not null) await Task.Delay(5, Ct);
        Assert.NotEmpty(postmaster.Processes());
        await first.DisposeAsync();
        await using var second = await Start();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => busy);
        Assert.Equal(0L, await Scalar(second, "SELECT count(*) FROM kept"));
    }

    [Fact]
    public async Task A_postmaster_that_outlived_its_server_is_taken_over_and_the_old_connections_cut()
    {
        await using (await Start()) { }
        var first = await StartAndForget();
        var pid = Postmaster.Running()!.Value.Pid;
        await using var old = new NpgsqlConnection(first + ";Pooling=false");
        await old.OpenAsync(Ct);
        await using (var second = await Start())
        {
            Assert.Equal(pid, Postmaster.Running()!.Value.Pid);
            await using var command = new NpgsqlCommand("SELECT 1", old);
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => command.ExecuteNonQueryAsync(Ct));
            Assert.Equal(1, await Scalar(second, "SELECT 1"));
        }
        Assert.Empty(Postmaster.Processes());
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused_and_a_command_joins_the_first()
    {
        await using var first = await Start();
        var failure = await Assert.ThrowsAsync<SetupFailure>(Start);
        Assert.StartsWith("Another Coffer server runs on the data folder", failure.Message, StringComparison.Ordinal);
        await using (var joined = await EmbeddedCluster.Join(data, TimeProvider.System, Ct))
            Assert.Equal(first.ConnectionString, joined.ConnectionString);
        Assert.Equal(1, await Scalar(first, "SELECT 1"));
    }

    [Fact]
    public async Task A_first_start_that_died_in_the_middle_is_begun_again()
    {
        var half = Directory.CreateDirectory(Path.Combine(data, "cluster.new-1-1"));
        await File.WriteAllTextAsync(Path.Combine(half.FullName, "PG_VERSION"), "15", Ct);
        var cluster = await Start();
        Assert.False(Directory.Exists(half.FullName));
        Assert.Equal(1, await Scalar(cluster, "SELECT 1"));
        await cluster.DisposeAsync();
        // What an initdb that outlived its server wrote after that goes at a later start.
        half.Create();
        await using (await Start()) Assert.False(Directory.Exists(half.FullName));
    }

    [Fact]
    public async Task Lock_files_whose_number_belongs_to_a_stranger_do_not_stop_the_start()
    {
        await using (await Start()) { }
        // A process of the very user that PostgreSQL runs as, as Debian's own cluster would be.
        var user = await ClusterUser.Of(Path.Combine(data, "cluster"), Ct);
        using var stranger = user.Start("/", "exec sleep 60", []);
        foreach (var file in (string[])["postmaster.pid", ".s.PGSQL.5432.lock"])
            await File.WriteAllTextAsync(Path.Combine(data, "cluster", file), $"{stranger.Id}\n/x\n1\n5432\n/x\n\n1 1\nready\n", Ct);
        await using (var second = await Start()) Assert.Equal(1, await Scalar(second, "SELECT 1"));
        Assert.False(stranger.HasExited);
        stranger.Kill();
    }

    [Fact]
    public async Task A_socket_that_a_killed_postgresql_has_not_closed_yet_is_waited_for()
    {
        using var dying = await ListenWithLocks();
        var second = Start();
        (await dying.AcceptAsync(Ct)).Dispose();
        dying.Dispose();
        await using var cluster = await second;
        Assert.Equal(1, await Scalar(cluster, "SELECT 1"));
    }

    [Fact]
    public async Task A_postgresql_that_the_process_list_does_not_show_is_not_disturbed()
    {
        // It takes fewer connections than it is asked for, as one that hangs.
        using var other = await ListenWithLocks();
        var failure = await Assert.ThrowsAsync<SetupFailure>(Start);
        Assert.Equal($"A PostgreSQL that Coffer did not start runs on {data}/cluster: stop it first.", failure.Message);
        Assert.True(File.Exists(Path.Combine(data, "cluster", "postmaster.pid")));
    }

    [Fact]
    public async Task A_data_folder_path_longer_than_a_socket_path_works()
    {
        var deep = Path.Combine(data, new string('d', 120));
        await using var cluster = await EmbeddedCluster.Start(deep, TimeProvider.System, Ct);
        Assert.Equal(1, await Scalar(cluster, "SELECT 1"));
    }

    [Fact]
    public async Task A_cluster_of_another_major_version_is_refused_by_the_package_it_needs()
    {
        await using (await Start()) { }
        await File.WriteAllTextAsync(Path.Combine(data, "cluster", "PG_VERSION"), "99\n", Ct);
        var failure = await Assert.ThrowsAsync<SetupFailure>(Start);
        Assert.Contains("`apt-get install postgresql-99`", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_postgresql_refuses_is_told_in_its_own_words()
    {
        await using (await Start()) { }
        await File.AppendAllTextAsync(Path.Combine(data, "cluster", "postgresql.conf"), "shared_buffers = nonsense\n", Ct);
        var failure = await Assert.ThrowsAsync<SetupFailure>(Start);
        Assert.Contains("FATAL: ", failure.Message, StringComparison.Ordinal);
    }

    private Task<EmbeddedCluster> Start() => EmbeddedCluster.Start(data, TimeProvider.System, Ct);

    /// <summary>A cluster that was stopped, with the lock files of one that runs and somebody at its socket.</summary>
    private async Task<Socket> ListenWithLocks()
    {
        await using (await Start()) { }
        var folder = Path.Combine(data, "cluster");
        await File.WriteAllTextAsync(Path.Combine(folder, "postmaster.pid"), "2147483647\n/x\n1\n5432\n/x\n\n1 1\nready\n", Ct);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, ".s.PGSQL.5432")));
        socket.Listen(backlog: 1);
        return socket;
    }

    private async Task<string> StartAndForget()
    {
        var user = await ClusterUser.Of(Path.Combine(data, "cluster"), Ct);
        var programs = PostgresPrograms.Find(null);
        using var process = user.Start(
            Path.Combine(data, "cluster"), ClusterSettings.LaunchScript, [ClusterSettings.Durable, programs.Postgres, Postmaster.Name]);
        while (Postmaster.Running() is not (_, "ready")) await Task.Delay(5, Ct);
        return $"Host={data}/cluster;Username=coffer;Database=coffer";
    }

    private static async Task Execute(EmbeddedCluster cluster, params string[] statements)
    {
        foreach (var sql in statements) await Scalar(cluster, sql);
    }

    private static async Task<object?> Scalar(EmbeddedCluster cluster, string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Ct);
    }
}
