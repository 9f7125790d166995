using System.Diagnostics;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Ledger;
using Coffer.Server.Demo;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Withdrawals;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Bench;

/// <summary>
/// Withdrawals that wait in the queue, planned, signed and handed to a real node (anvil), each with its commits; against the same number
/// of payments that are only signed and handed to the same node. Afterwards no nonce may be missing.
/// </summary>
internal static class PayoutBench
{
    private const int Queued = 1_000;

    // The first account of the public test phrase "test test ... junk", which has plenty on every anvil.
    private const string Secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    private static readonly Currency _ether = new()
    {
        Code = "ETH",
        Name = "Ether",
        Network = "ETH",
        Token = "ETH",
        Decimals = 18,
        Confirmations = 12,
    };

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var count = quick ? Queued / 5 : Queued;
        await using var anvil = await AnvilNode.Start(["--no-mining"], CancellationToken.None);
        using var node = new BareNode(anvil.Url);
        using var keys = new SecretKeys(new byte[SecretKeys.RandomBytes]);
        var secret = Convert.FromHexString(Secret);
        var key = keys.PublicKey(secret);
        var hot = EvmAddress.OfKey(key);
        SignedPayout Sign(byte[] unsigned) => EvmTransfer.Sign(unsigned, secret, key, keys);

        using var chain = new EvmChain(new EvmOptions("payouts", anvil.Entry.ChainId!.Value, []), [anvil.Url],
            (_, _) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>()), TimeProvider.System);
        var payouts = new EvmPayouts(chain, hot);
        await using var ledger = new LedgerWriters(PostingBench.Shards, rig.Db, rig.Ids, TimeProvider.System, new WithdrawalGuest());
        await Queue(rig, ledger, count);
        var pay = new PayWithdrawals(rig.Db, new FinishWithdrawal(ledger, new Currencies([_ether])), rig.Ids, TimeProvider.System, NullLogger.Instance);
        var watch = Stopwatch.StartNew();
        await pay.Pay(new PayingChain
        {
            Chain = chain,
            Payouts = payouts,
            Signer = (request, _) => Task.FromResult(new SigningAnswer(Sign(request.Unsigned), null)),
            Assets = new Dictionary<string, (Currency, string?)> { ["ETH"] = (_ether, null) },
            FeeMax = Amount.One(16),
            InFlightMax = count,
            BumpAfter = TimeSpan.MaxValue,
            SendAgainAfter = TimeSpan.MaxValue,
        }, CancellationToken.None);
        var product = watch.Elapsed;
        var waiting = (await payouts.Nonces(CancellationToken.None))!.Value.Waiting;
        var sent = await rig.Sql("SELECT count(*) FROM withdrawal WHERE chain = 'payouts' AND state = 4");

        // The same to the same node, with nothing stored.
        var terms = await payouts.Terms([Output(0)], CancellationToken.None);
        watch.Restart();
        for (var i = 0; i < count; i++)
        {
            var funds = new PayoutFunds(waiting + i, [], null, Amount.One(16), TimeProvider.System.GetUtcNow());
            await node.Raw(Sign(payouts.Plan([Output(i)], terms, funds).Plan!.Unsigned).Bytes);
        }

        var (rate, bare) = (count / product.TotalSeconds, count / watch.Elapsed.TotalSeconds);
        table.Add($"payouts planned, signed and broadcast a second, {count:N0} queued", ResultTable.Number(rate), $"{ResultTable.Number(bare)} only signed and sent",
            $"{rate / bare * 100:F0} %", "", null);
        table.Add("  missing nonces afterwards", $"{count - waiting}", $"{sent:N0} sent", "", "0", waiting == count && sent == count);
    }

    private static PayoutOutput Output(int i)
    {
        var bytes = new byte[EvmAddress.Bytes];
        bytes[0] = 0xC0;
        BitConverter.TryWriteBytes(bytes.AsSpan(4), i);
        return new PayoutOutput(EvmAddress.Write(bytes), null, 1);
    }

    private static async Task Queue(Rig rig, LedgerWriters ledger, int count)
    {
        var account = await BenchAccounts.Make(rig, "payouts");
        var (id, wallet) = (new AccountId(account.Id), new WalletId(account.Wallet));
        (await ledger.Write(account.Shard, new Correct(id, wallet, _ether, Reference.Of("bench"), Amount.One(18), null, "bench"))).Accepted();
        var requests = Enumerable.Range(0, count).Select(i => new RequestWithdrawal(id, wallet, _ether, Reference.Of($"withdrawal:{i}"), 1, 0, Output(i).Address)
        {
            Companion = new WithdrawalOrder("payouts", 0, FeesOnTop: true),
        });
        foreach (var outcome in await ledger.WriteAll(account.Shard, requests))
            outcome.Accepted();
    }
}
