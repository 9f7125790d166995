using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Chains.Tron;
using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Chains.Evm;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Chains.Tron;

/// <summary>A Tron hot wallet whose key signs elsewhere: tronweb gets the raw data, and what it makes of it comes back.</summary>
public sealed class ColdTronTests(NodeFolder folder, TestCluster cluster) : IAsyncLifetime
{
    private const string Secret = "4646464646464646464646464646464646464646464646464646464646464646";
    private static readonly string _hot = TronAddress.OfHex("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")!;
    private static readonly string _payee = TronAddress.Write([.. Enumerable.Repeat((byte)0x35, 20)]);
    private static readonly TimeSpan _life = TimeSpan.FromMinutes(10);

    private static readonly ChainEntry _entry = new()
    {
        Id = "tron",
        Kind = ChainKind.Tron,
        Network = "TRX",
        Nodes = [],
        Poll = TimeSpan.FromSeconds(1),
        Hot = new HotEntry { Address = _hot, FeeMax = 50_000_000 },
    };

    private readonly List<byte[]> sent = [];
    private FakeTime clock = null!;
    private EvmWorld evm = null!;
    private TronStub node = null!;
    private TronChain chain = null!;
    private ChainWorld world = null!;
    private LedgerWriters ledger = null!;
    private PayWithdrawals pay = null!;
    private PayingChain paying = null!;
    private SignByHand hand = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        evm = await EvmWorld.Start(folder);
        node = await TronStub.Start(evm.Node);
        clock = new FakeTime(await NodeTime());
        node.Instead = (path, body) => path switch
        {
            "/wallet/getnowblock" => new JsonObject
            {
                ["block_header"] = new JsonObject { ["raw_data"] = new JsonObject { ["timestamp"] = clock.Now.ToUnixTimeMilliseconds() } },
            },
            "/wallet/getaccount" => JsonNode.Parse("""{"address":"41","balance":90000000}"""),
            "/wallet/getaccountresource" => new JsonObject(),
            "/wallet/getchainparameters" => JsonNode.Parse("""
                {"chainParameter":[{"key":"getTransactionFee","value":1000},{"key":"getEnergyFee","value":210},
                {"key":"getCreateAccountFee","value":100000},{"key":"getCreateNewAccountFeeInSystemContract","value":1000000}]}
                """),
            "/wallet/broadcasthex" => Taken(body["transaction"]!.GetValue<string>()),
            _ => null,
        };
        (world, _) = await ChainWorld.New(cluster);
        var (ids, currencies) = (new Ids(clock, RandomNumberGenerator.Fill), new Currencies([ChainWorld.Tron]));
        ledger = new LedgerWriters(2, world.Db, ids, clock, new WithdrawalGuest());
        pay = new PayWithdrawals(world.Db, new FinishWithdrawal(ledger, currencies), ids, clock, NullLogger.Instance);
        chain = new TronChain(new TronOptions("tron", null, []), [node.Url], (_, _) => throw new InvalidOperationException(), TimeProvider.System);
        paying = new PayingChain
        {
            Chain = chain,
            Payouts = new TronPayouts(chain, _hot, _life),
            Signer = null,
            Assets = new Dictionary<string, (Currency, string?)> { ["TRX"] = (ChainWorld.Tron, null) },
            FeeMax = 50_000_000,
            InFlightMax = 8,
            BumpAfter = TimeSpan.MaxValue,
            SendAgainAfter = TimeSpan.Zero,
        };
        hand = new SignByHand(world.Db, [_entry], currencies, clock);
        (await ledger.Write(ChainWorld.Shard, new Correct(ChainWorld.Account, ChainWorld.Wallet, ChainWorld.Tron,
            Reference.Of("credit:1"), 10_000_000, null, "a start"))).Accepted();
    }

    public async ValueTask DisposeAsync()
    {
        chain.Dispose();
        await ledger.DisposeAsync();
        await world.DisposeAsync();
        await node.DisposeAsync();
        await evm.DisposeAsync();
    }

    [Fact]
    public async Task What_tronweb_signs_is_sent_as_it_signed_it()
    {
        var id = await Withdraw(5_000_000);
        await pay.Run(paying, Ct);
        Assert.Equal("signature", await world.Scalar<string>("SELECT waits_for FROM withdrawal"));
        var toSign = await hand.Export(id, Ct);
        var (payout, _, signed, isNew) = await hand.Import(id, await Signed(toSign.Text), Ct);
        Assert.True(isNew);
        Assert.False((await hand.Import(id, await Signed(toSign.Text), Ct)).IsNew);
        Assert.Equal(TronRawData.Hash(toSign.Attempt.Unsigned), Convert.FromHexString(signed.TxId));
        await pay.Run(paying, Ct);
        Assert.Equal(signed.Bytes, Assert.Single(sent));
        Assert.Equal($"4 {signed.TxId}", await world.Scalar<string>("SELECT concat_ws(' ', state, tx_id) FROM withdrawal"));
        Assert.Equal(payout.Id, await world.Scalar<Guid>("SELECT id FROM payout WHERE state = 1"));
    }

    [Fact]
    public async Task What_nobody_signed_in_time_is_planned_anew_once_no_block_can_take_it()
    {
        var id = await Withdraw(5_000_000);
        await pay.Run(paying, Ct);
        var first = await hand.Export(id, Ct);
        var end = first.Reading.Claim.ExpiresAt!.Value;
        clock.Now = end.AddSeconds(1);
        await pay.Run(paying, Ct);

        // The clock is past it, the chain is not: somebody might still have it mined.
        Assert.Equal(first.Payout.Id, (await hand.Export(id, Ct)).Payout.Id);
        await Assert.ThrowsAsync<SetupFailure>(async () => await hand.Import(id, await Signed(first.Text), Ct));
        await evm.Node.Call("evm_setNextBlockTimestamp", end.AddSeconds(3).ToUnixTimeSeconds());
        await evm.Node.Mine(2);
        await pay.Run(paying, Ct);
        var second = await hand.Export(id, Ct);
        Assert.NotEqual(first.Payout.Id, second.Payout.Id);
        Assert.True(second.Reading.Claim.ExpiresAt > clock.Now);
        Assert.Equal(first.Reading.Outputs, second.Reading.Outputs);
        await Assert.ThrowsAsync<SetupFailure>(async () => await hand.Import(id, await Signed(first.Text), Ct));
        Assert.True((await hand.Import(id, await Signed(second.Text), Ct)).IsNew);
        await pay.Run(paying, Ct);
        Assert.Single(sent);
    }

    private JsonObject Taken(string transaction)
    {
        lock (sent)
            sent.Add(Convert.FromHexString(transaction));
        return new JsonObject { ["result"] = true };
    }

    private async Task<byte[]> Signed(string rawData) => Encoding.UTF8.GetBytes(
        await folder.Run("sign-tron.cjs", ("RAW_DATA", rawData), ("SECRET", Secret), ("TYPE", "TransferContract")));

    private async Task<Guid> Withdraw(Int128 amount)
    {
        (await ledger.Write(ChainWorld.Shard, new RequestWithdrawal(
            ChainWorld.Account, ChainWorld.Wallet, ChainWorld.Tron, Reference.Of("withdrawal:w"), amount, 3, _payee)
        {
            Companion = new WithdrawalOrder("tron", 2, FeesOnTop: true),
        })).Accepted();
        return await world.Scalar<Guid>("SELECT id FROM withdrawal");
    }

    private async Task<DateTimeOffset> NodeTime() => DateTimeOffset.FromUnixTimeSeconds(long.Parse(
        (await evm.Node.Call("eth_getBlockByNumber", "latest", false)).GetProperty("timestamp").GetString()![2..],
        NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
