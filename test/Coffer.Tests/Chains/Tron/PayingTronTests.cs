using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;
using Coffer.Ledger;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Chains.Evm;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Chains.Tron;

/// <summary>Withdrawals on Tron: what has expired, and nothing else, is paid by another transaction.</summary>
public sealed class PayingTronTests(TestCluster cluster, NodeFolder folder) : IAsyncLifetime
{
    private const long Funds = 100_000_000_000_000_000;
    private static readonly byte[] _secret = [.. Enumerable.Repeat((byte)0x46, 32)];
    private static readonly Currency _trx = Make("TRX", null);
    private readonly SecretKeys keys = new(new byte[SecretKeys.RandomBytes]);
    private EvmWorld world = null!;
    private TronStub stub = null!;
    private TronWallet node = null!;
    private ChainWorld books = null!;
    private Db db = null!;
    private LedgerWriters ledger = null!;
    private TronChain chain = null!;
    private FollowedChain followed = null!;
    private PayingChain paying = null!;
    private FollowChain follow = null!;
    private PayWithdrawals pay = null!;
    private Currency tether = null!;
    private int made;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Hot => TronAddress.OfKey(keys.PublicKey(_secret));

    public async ValueTask InitializeAsync()
    {
        world = await EvmWorld.Start(folder);
        stub = await TronStub.Start(world.Node);
        node = new TronWallet(stub, world.Node);
        await world.Node.Call("anvil_setBalance", TronAddress.ToHex(Hot), Anvil.Hex(Funds));
        await world.Transfer(world.Tether, TronAddress.ToHex(Hot), 1_000_000);
        await world.Node.Mine();
        tether = Make("USDTTRC20", TronAddress.OfHex(world.Tether)!);
        (books, var database) = await ChainWorld.New(cluster);
        db = new Db(database, TimeProvider.System);
        var ids = new Ids(TimeProvider.System, RandomNumberGenerator.Fill);
        ledger = new LedgerWriters(2, db, ids, TimeProvider.System, new WithdrawalGuest());
        var currencies = new Currencies([_trx, tether]);
        chain = new TronChain(new TronOptions("tron", EvmWorld.ChainId, [tether.Contract!]), [stub.Url],
            (_, _) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>()), TimeProvider.System);
        followed = new FollowedChain(chain, "tron", await world.Node.Height(), _ => null) { Assets = [(_trx, null), (tether, tether.Contract)] };
        follow = new FollowChain(db, ledger, currencies);
        pay = new PayWithdrawals(db, new FinishWithdrawal(ledger, currencies), ids, TimeProvider.System, NullLogger.Instance);
        paying = new PayingChain
        {
            Chain = chain,
            Payouts = new TronPayouts(chain, Hot, TronPayouts.Life),
            Signer = (request, _) => Task.FromResult(
                new SigningAnswer(TronTransfer.Sign(request.Unsigned, _secret, keys.PublicKey(_secret), keys), null)),
            Assets = followed.Assets.ToDictionary(asset => asset.Currency.Code),
            FeeMax = 100_000_000,
            InFlightMax = 64,
            BumpAfter = TimeSpan.Zero,
            SendAgainAfter = TimeSpan.Zero,
        };
        await Round();
        foreach (var currency in new[] { _trx, tether })
            (await ledger.Write(ChainWorld.Shard, new Correct(ChainWorld.Account, ChainWorld.Wallet, currency,
                Reference.Of($"credit:{currency.Code}"), 1_000_000, null, "a start"))).Accepted();
    }

    public async ValueTask DisposeAsync()
    {
        chain.Dispose();
        await ledger.DisposeAsync();
        await db.DisposeAsync();
        await books.DisposeAsync();
        await stub.DisposeAsync();
        await world.DisposeAsync();
        keys.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_payment_that_was_lost_is_made_again_once_it_has_expired_and_arrives_once(bool token)
    {
        node.Loses = true;
        await Withdraw(token ? tether : _trx, 5_000, EvmWorld.Ours);
        for (var i = 0; i < 3; i++)
            await Round();
        var lost = Assert.Single(node.Broadcasts.Select(one => one.TxId).Distinct());
        var expires = await books.Scalar<DateTime>("SELECT expires_at FROM payout");

        // Past it, but not final: nothing is made anew; the node takes the old bytes no more.
        stub.Waiting = 1;
        await MineAt(expires, 5);
        await Round();
        Assert.Equal(1, await books.Scalar<long>("SELECT count(*) FROM payout"));
        Assert.Equal((lost, "TRANSACTION_EXPIRATION_ERROR"), node.Broadcasts[^1]);
        stub.Waiting = 0;
        node.Loses = false;
        await Round();
        await Round();
        Assert.Equal(2, await books.Scalar<long>("SELECT count(*) FROM payout"));
        Assert.Equal("SUCCESS", node.Broadcasts[^1].Word);
        Assert.NotEqual(lost, node.Broadcasts[^1].TxId);
        await world.Node.Mine(2);
        await Round();
        await Round();
        Assert.Equal(node.Broadcasts[^1].TxId, await books.Scalar<string>("SELECT tx_id FROM withdrawal WHERE state = 6"));
        Assert.Equal(5_000, await Received(token, EvmWorld.Ours));
        await Clean();
    }

    [Fact]
    public async Task An_answer_that_was_lost_pays_nothing_twice()
    {
        node.Hangs = true;
        await Withdraw(_trx, 5_000, EvmWorld.Ours);
        await Round();
        Assert.Equal((short)WithdrawalState.Unknown, await books.Scalar<short>("SELECT state FROM withdrawal"));
        node.Hangs = false;
        await Round();
        Assert.Equal((short)WithdrawalState.Submitted, await books.Scalar<short>("SELECT state FROM withdrawal"));
        await world.Node.Mine(2);
        await Round();
        await MineAt(await books.Scalar<DateTime>("SELECT expires_at FROM payout"), 60);
        await Round();
        Assert.Equal((short)WithdrawalState.Completed, await books.Scalar<short>("SELECT state FROM withdrawal"));
        Assert.Single(node.Broadcasts);
        Assert.Equal(5_000, await Received(token: false, EvmWorld.Ours));
        await Clean();
    }

    [Fact]
    public async Task Payments_of_the_same_amount_to_the_same_address_at_the_same_time_are_as_many()
    {
        for (var i = 0; i < 3; i++)
            await Withdraw(_trx, 5_000, EvmWorld.Ours);
        await Round();
        Assert.Equal(3, node.Broadcasts.Select(one => one.TxId).Distinct().Count());
        await world.Node.Mine(2);
        await Round();
        Assert.Equal(15_000, await Received(token: false, EvmWorld.Ours));
        Assert.Equal(3, await books.Scalar<long>("SELECT count(*) FROM withdrawal WHERE state = 6"));
        await Clean();
    }

    [Fact]
    public async Task What_the_wallet_lacks_is_waited_for_and_named()
    {
        await Withdraw(tether, 900_000, EvmWorld.Ours);
        await Withdraw(tether, 90_000, EvmWorld.AlsoOurs);
        await world.Node.Call("anvil_setBalance", TronAddress.ToHex(Hot), Anvil.Hex(1_000));
        await Round();
        Assert.Equal(2, await books.Scalar<long>("SELECT count(*) FROM withdrawal WHERE waits_for = 'gas' AND state = 1"));
        await world.Node.Call("anvil_setBalance", TronAddress.ToHex(Hot), Anvil.Hex(Funds));
        await world.Node.Mine();
        await Round();
        await world.Node.Mine(2);
        await Round();
        Assert.Equal((900_000, 90_000), (await Received(token: true, EvmWorld.Ours), await Received(token: true, EvmWorld.AlsoOurs)));
        await Clean();
    }

    private async Task Round()
    {
        await follow.CatchUp(followed, Ct);
        await pay.Run(paying, Ct);
    }

    private async Task Withdraw(Currency currency, Int128 amount, string address) => (await ledger.Write(ChainWorld.Shard,
        new RequestWithdrawal(ChainWorld.Account, ChainWorld.Wallet, currency, Reference.Of($"withdrawal:{made++}"), amount, 3,
            TronAddress.OfHex(address)!)
        {
            Companion = new WithdrawalOrder("tron", 2, FeesOnTop: true),
        })).Accepted();

    private async Task MineAt(DateTime time, int secondsLater)
    {
        await world.Node.Call("evm_setNextBlockTimestamp", new DateTimeOffset(time).ToUnixTimeSeconds() + secondsLater);
        await world.Node.Mine();
    }

    private async Task<int> Received(bool token, string address)
    {
        var said = token
            ? await world.Node.Call("eth_call", new { to = world.Tether, data = Abi.Call("balanceOf(address)", address) }, "latest")
            : await world.Node.Call("eth_getBalance", address, "latest");
        return (int)BigInteger.Parse("0" + said.GetString()![2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    private async Task Clean() => Assert.Empty((await Verify.Run(db, TimeProvider.System, Ct)).Findings);

    private static Currency Make(string code, string? contract) => new()
    {
        Code = code,
        Name = code,
        Network = "TRX",
        Token = code,
        Decimals = 6,
        Contract = contract,
        Confirmations = 1,
        WithdrawalFee = 1,
        NetworkFee = 2,
    };
}
