using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Addresses;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coffer.Tests.Chains;

/// <summary>One test account with two wallets on its simulated chain in a real database, as one process sees it.</summary>
internal sealed class ChainWorld : IAsyncDisposable
{
    public const short Shard = 1;
    public const int BlocksKept = 20;
    public static readonly DateTimeOffset Noon = new(2025, 1, 15, 12, 0, 0, TimeSpan.Zero);
    public static readonly AccountId Account = new(new Guid("11111111-1111-4111-8111-111111111111"));
    public static readonly WalletId Wallet = new(new Guid("22222222-2222-4222-8222-222222222222"));
    public static readonly WalletId Other = new(new Guid("33333333-3333-4333-8333-333333333333"));
    public static readonly Currency Tether = Make("USDTERC20", "ETH", 3, minimum: 10);
    public static readonly Currency Ether = Make("ETH", "ETH", 5, minimum: 0);
    public static readonly Currency Tron = Make("TRX", "TRX", 2, minimum: 0);
    public static readonly Currency Dai = Make("DAIERC20", "ETH", Currency.ConfirmationsWithoutFinality, minimum: 0) with { Finalized = true };
    public static readonly string Address = SimulatedAddress.Make(Account, Wallet, "ETH", 0);
    public static readonly string OtherAddress = SimulatedAddress.Make(Account, Other, "ETH", 0);

    private readonly LedgerWriters _ledger;
    private readonly FollowSimulatedChains _all;

    private readonly bool _ownsDb;

    private ChainWorld(Db db, bool ownsDb, Func<string, Task>? at)
    {
        var time = TimeProvider.System;
        (Db, _ownsDb) = (db, ownsDb);
        _ledger = new LedgerWriters(2, Db, new Ids(time, Random.Shared.NextBytes), time, new WithdrawalGuest());
        var currencies = new Currencies([Tether, Ether, Tron, Dai]);
        Chains = new SimulatedChains(Db, currencies, time);
        Chain = Chains.Of(Account);
        Follower = new FollowChain(Db, _ledger, currencies, at);
        Forgetful = new FollowChain(Db, _ledger, currencies, at, BlocksKept);
        Pay = new PayWithdrawals(
            Db, new FinishWithdrawal(_ledger, currencies), new Ids(time, Random.Shared.NextBytes), time, NullLogger.Instance, at);
        _all = new FollowSimulatedChains(Db, Chains, Follower, new LookIntoMempool(Db, time), Pay);
    }

    public Db Db { get; }

    public SimulatedChains Chains { get; }

    public SimulatedChain Chain { get; }

    public FollowChain Follower { get; }

    /// <summary>A follower that remembers few blocks.</summary>
    public FollowChain Forgetful { get; }

    public PayWithdrawals Pay { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A world in a database of its own.</summary>
    public static async Task<(ChainWorld World, string Database)> New(TestCluster cluster)
    {
        var database = await cluster.NewDatabase();
        var world = On(database);
        await world.Execute($"""
            INSERT INTO account (id, shard, mode, name, created_at) VALUES ('{Account}', {Shard}, 1, 'test', now());
            INSERT INTO wallet (shard, account_id, id, name, is_default, created_at, updated_at)
            VALUES ({Shard}, '{Account}', '{Wallet}', 'one', true, now(), now()),
                ({Shard}, '{Account}', '{Other}', 'two', false, now(), now())
            """);
        await world.Db.Transaction(async (tx, ct) =>
        {
            await tx.Watch(IssuedAddress.FirstSimulated(Wallet.Value, Shard, Account, Wallet, "ETH", Noon), ct);
            await tx.Watch(IssuedAddress.FirstSimulated(Other.Value, Shard, Account, Other, "ETH", Noon), ct);
        }, Ct);
        return (world, database);
    }

    /// <summary>Another process on the same database.</summary>
    public static ChainWorld On(string database) => new(new Db(database, TimeProvider.System), ownsDb: true, at: null);

    /// <summary>Another process on the same database that may be stopped at a named point; only the connections are not its own.</summary>
    public ChainWorld Mortal(Func<string, Task> at) => new(Db, ownsDb: false, at);

    public FollowedChain Followed(IChain? instead = null) => Chains.Followed(Account) is var followed && instead is null
        ? followed
        : followed with { Chain = instead! };

    /// <summary>Everything that the sandbox does after each call.</summary>
    public Task Follow() => _all.Follow(Account, Shard, Ct);

    /// <summary>One run of the worker.</summary>
    public Task<bool> RunWorker() => _all.Run(Ct);

    public Task<string> Deposit(string seed, Int128 amount, string? address = null, string currency = "USDTERC20") =>
        Chain.Deposit(seed, [new SimulatedOutput(TransferKind.Token, address ?? Address, currency, amount)], Ct);

    public Task Mine(int count) => Chain.Mine(count, Noon, 0, Ct);

    public Task Reorg(int depth, bool returned = false) => Chain.Reorg(depth, Noon, returned, Ct);

    public async Task<Outcome> Write(Command command) => await _ledger.Write(Shard, command);

    public async Task<Parts> Balance(WalletId? wallet = null, string currency = "USDTERC20")
    {
        await using var command = Db.Reads.CreateCommand("""
            SELECT available, incoming, held, deposited, withdrawn, deficit FROM balance
            WHERE shard = $1 AND account_id = $2 AND wallet_id = $3 AND currency = $4
            """);
        command.Parameters.AddWithValue(Shard);
        command.Parameters.AddWithValue(Account.Value);
        command.Parameters.AddWithValue((wallet ?? Wallet).Value);
        command.Parameters.AddWithValue(currency);
        await using var row = await command.ExecuteReaderAsync(Ct);
        return await row.ReadAsync(Ct)
            ? new Parts(row.GetFieldValue<Int128>(0), row.GetFieldValue<Int128>(1), row.GetFieldValue<Int128>(2),
                row.GetFieldValue<Int128>(3), row.GetFieldValue<Int128>(4), row.GetFieldValue<Int128>(5))
            : default;
    }

    public async Task<T?> Scalar<T>(string sql)
    {
        await using var command = Db.Reads.CreateCommand(sql);
        return (T?)(await command.ExecuteScalarAsync(Ct) is var value and not DBNull ? value : null);
    }

    public Task Execute(string sql) => Db.Transaction(async (tx, ct) =>
    {
        await using var command = new NpgsqlCommand(sql, tx.Connection, tx.Transaction);
        await command.ExecuteNonQueryAsync(ct);
    }, Ct);

    /// <summary>What the wallet must hold by the canonical chain alone, as long as nothing was spent.</summary>
    public async Task<Parts> Expected(WalletId wallet, Currency currency)
    {
        var address = wallet == Wallet ? Address : OtherAddress;
        var tip = await Chain.Tip(Ct);
        Int128 available = 0, incoming = 0;
        foreach (var block in await Chain.Blocks(0, int.MaxValue, Ct))
        {
            var paid = block.Transfers.Where(transfer => transfer.Address == address && transfer.Asset == currency.Code)
                .Select(transfer => (Int128)transfer.Amount).Where(amount => amount >= currency.DepositMinimum)
                .Aggregate(Int128.Zero, (sum, amount) => sum + amount);
            if (tip.Height - block.Height + 1 >= currency.Confirmations)
                available += paid;
            else
                incoming += paid;
        }

        return new Parts(available, incoming, 0, available + incoming, 0, 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _ledger.DisposeAsync();
        if (_ownsDb)
            await Db.DisposeAsync();
    }

    private static Currency Make(string code, string network, int confirmations, Int128 minimum) => new()
    {
        Code = code,
        Name = code,
        Network = network,
        Token = code,
        Decimals = 6,
        Contract = code == network ? null : "0x1",
        Confirmations = confirmations,
        DepositMinimum = minimum,
        WithdrawalFee = 1,
        NetworkFee = 2,
    };
}

/// <summary>What a balance row says.</summary>
internal readonly record struct Parts(Int128 Available, Int128 Incoming, Int128 Held, Int128 Deposited, Int128 Withdrawn, Int128 Deficit);
