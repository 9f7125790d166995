using System.Security.Cryptography;
using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Ledger;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>One process that follows a real Bitcoin node and pays withdrawals there; any number may run on one database.</summary>
internal sealed class PayingBitcoin : IAsyncDisposable
{
    public const string Chain = "bitcoin";

    public static readonly Currency Coin = new()
    {
        Code = "BTC",
        Name = "Bitcoin",
        Network = "BTC",
        Token = "BTC",
        Decimals = 8,
        Confirmations = 2,
        WithdrawalFee = 500,
        NetworkFee = 2_000,
    };

    private readonly BitcoinChain chain;
    private readonly LedgerWriters ledger;
    private readonly FollowChain follow;
    private readonly FollowedChain followed;
    private readonly PayWithdrawals pay;

    /// <param name="database">The database.</param>
    /// <param name="node">The node.</param>
    /// <param name="start">The first block to follow.</param>
    /// <param name="batchMax">Withdrawals in one transaction.</param>
    /// <param name="bumpAfter">When a higher fee is offered; null: never.</param>
    /// <param name="at">Called at each point of the follower and of the worker that pays.</param>
    public PayingBitcoin(
        string database, Uri node, long start, int batchMax = 1, TimeSpan? bumpAfter = null, Func<string, Task>? at = null)
    {
        var time = TimeProvider.System;
        Db = new Db(database, time);
        var ids = new Ids(time, RandomNumberGenerator.Fill);
        ledger = new LedgerWriters(2, Db, ids, time, new WithdrawalGuest());
        var currencies = new Currencies([Coin]);
        var options = new BitcoinOptions { Network = BitcoinNetwork.Regtest, Nodes = [node] };
        chain = new BitcoinChain(Chain, options, (addresses, _) => Task.FromResult<IReadOnlySet<string>>(
            addresses.Where(address => Hot.Find(address) is not null).ToHashSet()), time);
        follow = new FollowChain(Db, ledger, currencies, at);
        followed = new FollowedChain(chain, "bitcoin", start, _ => Coin) { Assets = [(Coin, null)], Hot = Hot };
        pay = new PayWithdrawals(Db, new FinishWithdrawal(ledger, currencies), ids, time, NullLogger.Instance, at);
        Paying = new PayingChain
        {
            Chain = chain,
            Payouts = new BitcoinPayouts(chain, Hot, async ct => await Db.UnspentHotCoins(Chain, ct)),
            Signer = (request, _) => Task.FromResult(new SigningAnswer(BitcoinTransfer.Sign(request.Unsigned, Hot, HotKeys.Sign), null)),
            Assets = new Dictionary<string, (Currency, string?)> { ["BTC"] = (Coin, null) },
            FeeMax = 1_000_000,
            InFlightMax = 64,
            BatchMax = batchMax,
            BumpAfter = bumpAfter ?? TimeSpan.MaxValue,
            SendAgainAfter = TimeSpan.Zero,
        };
        var entry = new ChainEntry
        {
            Id = Chain,
            Kind = ChainKind.Bitcoin,
            Network = "BTC",
            Nodes = [node],
            Poll = TimeSpan.FromSeconds(1),
            BitcoinNetwork = "regtest",
            Hot = new HotEntry { Xpub = HotKeys.Xpub, FeeMax = 1_000_000, Low = new Dictionary<string, string> { ["BTC"] = "0.001" } },
        };
        Wallet = new HotWallet(Paying, entry, Hot.First.Address, Hot);
    }

    public static HotAddresses Hot => HotKeys.Addresses;

    public Db Db { get; }

    public PayingChain Paying { get; set; }

    public HotWallet Wallet { get; }

    /// <summary>Follows to the tip, and pays what can be paid.</summary>
    public async Task Round(CancellationToken ct)
    {
        await follow.CatchUp(followed, ct);
        await pay.Run(Paying, ct);
    }

    /// <summary>Gives the customer something to withdraw.</summary>
    public async Task Credit(Int128 amount) => (await ledger.Write(ChainWorld.Shard, new Correct(ChainWorld.Account, ChainWorld.Wallet, Coin,
        Reference.Of($"credit:{amount}"), amount, null, "a start"))).Accepted();

    public async Task Withdraw(string name, Int128 amount, string address) => (await ledger.Write(ChainWorld.Shard,
        new RequestWithdrawal(ChainWorld.Account, ChainWorld.Wallet, Coin, Reference.Of($"withdrawal:{name}"), amount,
            Coin.NetworkFee + Coin.WithdrawalFee, address)
        {
            Companion = new WithdrawalOrder(Chain, Coin.NetworkFee, FeesOnTop: true),
        })).Accepted();

    public async ValueTask DisposeAsync()
    {
        chain.Dispose();
        await ledger.DisposeAsync();
        await Db.DisposeAsync();
    }
}
