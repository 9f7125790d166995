using Coffer.Server.Addresses;
using Coffer.Server.Auth;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Rates;
using Coffer.Server.Sql;
using Coffer.Server.Wallets;
using Coffer.Server.Withdrawals;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Server.Demo;

/// <summary>
/// Writes the thirty days of a plan through the machinery that every test account has: transactions and blocks on the simulated chain, the
/// follower, withdrawals that are sent, mined and settled. Only the clock is the demo's own, set to the moment of each step, so that ids,
/// blocks and postings carry the times they tell of. Called by the demo before it serves.
///
/// If the process dies here: the next start does it again from the step that the chain's height tells. Nothing happens twice, because
/// accounts are made in one transaction each, movements have references, transactions on the chain have names, and blocks are counted.
/// Commits need not reach the disk one by one (what is lost is lost from the end, and done again); the last one does.
/// </summary>
internal sealed class SeedDemo
{
    private const short ShardOfMain = 0;
    private const string Source = "demo";

    private readonly DemoPlan _plan;
    private readonly Currencies _currencies;
    private readonly string _connectionString;
    private readonly RandomBytes _random;
    private readonly int _shards;

    private SeedDemo(DemoPlan plan, string connectionString, int shards, Currencies currencies, RandomBytes random) =>
        (_plan, _connectionString, _shards, _currencies, _random) = (plan, connectionString, shards, currencies, random);

    /// <summary>Does what of the plan is not done.</summary>
    /// <param name="plan">What to write.</param>
    /// <param name="connectionString">The migrated database.</param>
    /// <param name="shards">How many shards it has.</param>
    /// <param name="currencies">The currencies; those of the demo must be among them.</param>
    /// <param name="random">The operating system's generator.</param>
    /// <param name="ct">Stops between two steps.</param>
    public static async Task Run(
        DemoPlan plan, string connectionString, int shards, Currencies currencies, RandomBytes random, CancellationToken ct)
    {
        var seed = new SeedDemo(plan, DatabaseUrl.WithSetting(connectionString, "synchronous_commit=off"), shards, currencies, random);
        var (first, second) = (DemoTimeline.OfMain(plan.SeededAt, plan.Main), DemoTimeline.OfTrading(plan.SeededAt, plan.Trading));
        // Each account has a chain and a clock of its own.
        await Task.WhenAll(
            seed.Prices(ct),
            seed.Account(plan.Main, "Demo", "Online Store", ShardOfMain, first, ct),
            seed.Account(plan.Trading, "Demo Trading", "Trading Wallet", (short)(shards - 1), second, ct));
        await using var durable = new Db(connectionString, TimeProvider.System);
        var (currency, hours) = DemoPrices.Of(plan.SeededAt).First();
        await durable.Transaction((tx, token) => tx.SetRate(currency, hours[^1].Price, plan.SeededAt, Source, token), ct, repeatable: true);
    }

    private async Task Prices(CancellationToken ct)
    {
        await using var db = new Db(_connectionString, TimeProvider.System);
        foreach (var (currency, hours) in DemoPrices.Of(_plan.SeededAt))
            await db.Transaction((tx, token) => tx.SetRates(currency, hours, Source, token), ct, repeatable: true);
    }

    private async Task Account(DemoAccount demo, string name, string wallet, short shard, List<DemoStep> steps, CancellationToken ct)
    {
        var clock = new DemoClock(DemoTimeline.Start(_plan.SeededAt));
        await using var db = new Db(_connectionString, clock);
        var account = new Account(new AccountId(demo.AccountId), shard, Mode.Test, name, clock.GetUtcNow());
        await Create(db, account, demo, wallet, ct);
        await using var ledger = new LedgerWriters(_shards, db, new Ids(clock, _random), clock, LedgerGuests.All(clock));
        var chains = new SimulatedChains(db, _currencies, clock);
        var follow = new FollowSimulatedChains(
            db, chains, new FollowChain(db, ledger, _currencies), new LookIntoMempool(db, clock),
            new PayWithdrawals(db, new FinishWithdrawal(ledger, _currencies), new Ids(clock, _random), clock, NullLogger.Instance));
        var chain = chains.Of(account.Id);
        var height = (await chain.Tip(ct)).Height;
        var done = 0L;
        foreach (var step in steps)
        {
            done += step.Blocks;
            // Of the steps that have their blocks, the last one may not have been followed to its end.
            if (done < height)
                continue;
            await new DemoStepRun(account, demo, clock, ledger, follow, chain, _currencies).Run(step, mined: done <= height, ct);
        }
    }

    /// <summary>Account, wallets, credentials and addresses in one transaction: there are all of them or none.</summary>
    private async Task Create(Db db, Account account, DemoAccount demo, string wallet, CancellationToken ct)
    {
        if (await db.AccountById(account.Id, ct) is not null)
            return;
        var now = account.CreatedAt;
        const Scopes all = Scopes.Read | Scopes.Write;
        Wallet[] wallets =
        [
            new(new WalletId(demo.DefaultWalletId), Wallet.DefaultName, IsDefault: true, now, now),
            new(new WalletId(demo.WalletId), wallet, IsDefault: false, now.AddMinutes(1), now.AddMinutes(1)),
        ];
        var ids = new Ids(TimeProvider.System, _random);
        await db.Transaction(async (tx, token) =>
        {
            await tx.Insert(account, token);
            foreach (var one in wallets)
            {
                await tx.InsertWallet(account.Id, account.Shard, one, token);
                foreach (var network in _currencies.All.Select(c => c.Network).Distinct())
                    await tx.Watch(IssuedAddress.FirstSimulated(ids.New(), account.Shard, account.Id, one.Id, network, now), token);
            }

            await tx.InsertApiKey(Authenticate.Hash(demo.ApiKey), account, ApiKey.Of(demo.KeyId, "Demo key", demo.ApiKey, all, now), null, token);
            await tx.Insert(new OAuthClient(demo.ClientId, Authenticate.Hash(demo.ClientSecret), account.Id, account.Shard, account.Mode,
                all, "Demo client", now), token);
        }, ct);
    }
}

/// <summary>A clock that stands where it was put.</summary>
internal sealed class DemoClock(DateTimeOffset now) : TimeProvider
{
    private DateTimeOffset _now = now;

    public void Set(DateTimeOffset now) => _now = now;

    public override DateTimeOffset GetUtcNow() => _now;
}
