namespace Coffer.Server.Sql;

/// <summary>How the private PostgreSQL is set up. The settings go to coffer.conf, written anew at every start, which postgresql.conf
/// includes; lines that an operator adds to postgresql.conf below the include, or by ALTER SYSTEM, win over them.</summary>
internal static class ClusterSettings
{
    /// <summary>For two cores and an OLTP ledger: few, large checkpoints (each is followed by a burst of full page images), no
    /// compilation of queries that take microseconds, a cache that holds the hot balances.</summary>
    internal const string Durable = """
        # Written by Coffer at every start; your own settings belong into postgresql.conf.
        fsync = on
        full_page_writes = on
        synchronous_commit = on
        max_connections = 200
        shared_buffers = 1GB
        wal_buffers = 16MB
        min_wal_size = 512MB
        max_wal_size = 4GB
        checkpoint_timeout = 15min
        random_page_cost = 1.1
        jit = off
        timezone = 'UTC'
        log_timezone = 'UTC'
        log_checkpoints = off

        """;

    /// <summary>For test runs only: a power cut may lose or damage everything, a crash of the processes still loses nothing.</summary>
    internal const string Forgetful = Durable + "fsync = off\nshared_buffers = 256MB\n";

    /// <summary>Makes the database at the first start and is not used again.</summary>
    internal const string Superuser = "postgres";

    /// <summary>$1 programs' initdb. No --no-sync: what is renamed into place afterwards must be on the disk.</summary>
    internal const string InitScript = $"""
        "$1" --pgdata={ClusterUser.Folder} --username={Superuser} --encoding=UTF8 --locale=C --auth-local=trust --auth-host=reject \
          --data-checksums --no-instructions </dev/null &&
        printf '%s\n' "# coffer.conf is written by Coffer at every start; what you set below the next line wins." \
          "include 'coffer.conf'" > {ClusterUser.Folder}/postgresql.conf &&
        sync {ClusterUser.Folder}/postgresql.conf {ClusterUser.Folder}
        """;

    /// <summary>$1 settings, $2 postgres, $3 the cluster's name. A session of its own, so that Ctrl-C reaches the server alone, which then
    /// stops PostgreSQL last. Never on TCP: trust is only right behind a closed folder.</summary>
    internal const string LaunchScript = $"""
        printf %s "$1" > {ClusterUser.Folder}/coffer.conf &&
        exec setsid "$2" -D {ClusterUser.Folder} -c listen_addresses= -c unix_socket_directories={ClusterUser.Folder} -c port=5432 \
          -c cluster_name="$3" </dev/null >>{ClusterUser.Folder}/{ClusterLog.Name} 2>&1
        """;
}
