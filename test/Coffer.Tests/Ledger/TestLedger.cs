using System.Security.Cryptography;
using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Npgsql;

namespace Coffer.Tests.Ledger;

/// <summary>A ledger on a database of its own: writers, a clock to turn, and the ways around them that only a test may take.</summary>
internal sealed class TestLedger : IAsyncDisposable
{
    public const int Shards = 2;
    public static readonly DateTimeOffset Noon = new(2025, 1, 15, 12, 0, 0, TimeSpan.Zero);
    public static readonly Currency Eth =
        new() { Code = "ETH", Name = "Ether", Network = "ETH", Token = "ETH", Decimals = 18, Confirmations = 12 };
    public static readonly Currency Usdt =
        new() { Code = "USDTERC20", Name = "Tether USD", Network = "ETH", Token = "USDT", Decimals = 6, Confirmations = 12 };

    private TestLedger(string database, TimeProvider time)
    {
        Database = database;
        Db = new Db(database, time);
        Ids = new Ids(time, RandomNumberGenerator.Fill);
        Writers = new LedgerWriters(Shards, Db, Ids, time);
    }

    public string Database { get; }

    public Db Db { get; }

    public Ids Ids { get; }

    public LedgerWriters Writers { get; }

    public static async Task<TestLedger> Open(TestCluster cluster, TimeProvider? time = null) =>
        new(await cluster.NewDatabase(), time ?? TimeProvider.System);

    public static TestLedger On(string database) => new(database, TimeProvider.System);

    public static AccountId Account(int number) => new(new Guid(number, 1, 1, new byte[8]));

    public static WalletId Wallet(int number) => new(new Guid(number, 2, 2, new byte[8]));

    public async Task<Movement> Do(short shard, Command command)
    {
        var outcome = await Writers.Write(shard, command);
        return outcome.Movement ?? throw new InvalidOperationException($"{command} was refused: {outcome.Refusal}");
    }

    public Task<VerifyReport> Verify(CancellationToken ct) => Server.Ledger.Verify.Run(Db, TimeProvider.System, ct);

    public async Task<T> Scalar<T>(string sql, bool superuser = false)
    {
        await using var connection = new NpgsqlConnection(superuser ? TestCluster.AsSuperuser(Database) : Database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        var value = await command.ExecuteScalarAsync();
        return value is T typed ? typed : default!;
    }

    public async ValueTask DisposeAsync()
    {
        await Writers.DisposeAsync();
        await Db.DisposeAsync();
    }
}
