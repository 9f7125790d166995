using System.Security.Cryptography;
using Coffer.Chains;
using Coffer.Chains.Evm;
using Coffer.Ledger;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Chains;
using Coffer.Tests.Chains.Evm;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Payouts;

/// <summary>One process that follows a real EVM node and pays withdrawals there; any number may run on one database.</summary>
internal sealed class PayingEvm : IAsyncDisposable
{
    public const string Chain = "ethereum";
    public const int Confirmations = 3;
    public static readonly Int128 Gwei = 1_000_000_000, Ether = Gwei * Gwei;

    private readonly EvmChain chain;
    private readonly LedgerWriters ledger;
    private readonly FollowChain follow;
    private readonly FollowedChain followed;
    private readonly PayWithdrawals pay;

    /// <param name="database">The database.</param>
    /// <param name="node">The node.</param>
    /// <param name="tokens">The contracts of the tokens, in the order of <see cref="Tokens"/>.</param>
    /// <param name="at">Called at each point of the worker that pays.</param>
    /// <param name="time">The clock of the worker that pays.</param>
    public PayingEvm(string database, Uri node, string[] tokens, Func<string, Task>? at = null, TimeProvider? time = null)
    {
        var system = TimeProvider.System;
        Db = new Db(database, system);
        var ids = new Ids(system, RandomNumberGenerator.Fill);
        ledger = new LedgerWriters(2, Db, ids, system, new WithdrawalGuest());
        Currencies = [Coin("ETH", null, 18), .. tokens.Zip(Tokens, (contract, token) => Coin(token.Code, contract, token.Decimals))];
        var currencies = new Currencies(Currencies);
        chain = new EvmChain(new EvmOptions(Chain, EvmWorld.ChainId, tokens), [node],
            (_, _) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>()), system);
        follow = new FollowChain(Db, ledger, currencies);
        var assets = Currencies.Select(currency => (currency, currency.Contract)).ToArray();
        followed = new FollowedChain(chain, "evm", Start: 0, _ => null) { Assets = assets };
        pay = new PayWithdrawals(Db, new FinishWithdrawal(ledger, currencies), ids, time ?? system, NullLogger.Instance, at);
        Paying = new PayingChain
        {
            Chain = chain,
            Payouts = new EvmPayouts(chain, TestHotKey.Address),
            Signer = TestHotKey.Sign,
            Assets = Currencies.ToDictionary(currency => currency.Code, currency => (currency, currency.Contract)),
            FeeMax = Ether / 100,
            InFlightMax = 64,
            BumpAfter = TimeSpan.MaxValue,
            SendAgainAfter = TimeSpan.Zero,
        };
    }

    /// <summary>The tokens beside the coin.</summary>
    public static IReadOnlyList<(string Code, int Decimals)> Tokens { get; } = [("STD", 18), ("USDT", 6), ("ODD", 6), ("NO", 6)];

    public Currency[] Currencies { get; }

    public Db Db { get; }

    public PayingChain Paying { get; set; }

    /// <summary>The wallet that pays, for what is asked about it.</summary>
    public HotWallet Wallet => new(Paying, new ChainEntry
    {
        Id = Chain,
        Kind = ChainKind.Evm,
        Network = "ETH",
        Nodes = [],
        Poll = TimeSpan.FromSeconds(1),
    }, TestHotKey.Address, null);

    /// <summary>Follows to the tip, and pays what can be paid.</summary>
    public async Task Round(CancellationToken ct)
    {
        await follow.CatchUp(followed, ct);
        await pay.Run(Paying, ct);
    }

    /// <summary>Gives the customer something to withdraw.</summary>
    public async Task Credit(string code, Int128 amount) => Assert.Null((await ledger.Write(ChainWorld.Shard, new Correct(ChainWorld.Account,
        ChainWorld.Wallet, Currency(code), Reference.Of($"credit:{code}:{amount}"), amount, null, "a start"))).Refusal);

    /// <summary>Asks for a payment of the amount, with a fee of 1 for the network.</summary>
    public async Task<MovementId> Withdraw(string name, Int128 amount, string address, string code = "ETH")
    {
        var outcome = await ledger.Write(ChainWorld.Shard, Request(name, amount, address, code));
        Assert.Null(outcome.Refusal);
        return outcome.Movement!.Id;
    }

    /// <summary>Asks for many at once.</summary>
    public async Task Withdraw(IEnumerable<(string Name, Int128 Amount, string Address, string Code)> all)
    {
        foreach (var outcome in await ledger.WriteAll(ChainWorld.Shard, all.Select(one => Request(one.Name, one.Amount, one.Address, one.Code))))
            Assert.Null(outcome.Refusal);
    }

    public async ValueTask DisposeAsync()
    {
        chain.Dispose();
        await ledger.DisposeAsync();
        await Db.DisposeAsync();
    }

    private Currency Currency(string code) => Currencies.Single(currency => currency.Code == code);

    private RequestWithdrawal Request(string name, Int128 amount, string address, string code) => new(ChainWorld.Account, ChainWorld.Wallet,
        Currency(code), Reference.Of($"withdrawal:{name}"), amount, 1, address)
    {
        Companion = new WithdrawalOrder(Chain, 1, FeesOnTop: true),
    };

    private static Currency Coin(string code, string? contract, int decimals) => new()
    {
        Code = code,
        Name = code,
        Network = "ETH",
        Token = code,
        Decimals = decimals,
        Contract = contract,
        Confirmations = Confirmations,
        NetworkFee = 1,
    };
}
