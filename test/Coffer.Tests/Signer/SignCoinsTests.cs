using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Tests.Signer;

/// <summary>Bitcoin: whose coins and whose change, and what may be signed beside what was signed.</summary>
public sealed class SignCoinsTests : IDisposable
{
    private const string Receiver = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    private const string Other = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn";
    private const long Each = 10_000_000, Fee = 1_000;

    private readonly SignerWorld world = new();
    private readonly HotAddresses hot;

    public SignCoinsTests() => hot = new HotAddresses(world.Key("regtest").Xpub!, BitcoinNetwork.Regtest);

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task A_batch_with_change_is_signed_with_every_inputs_own_key()
    {
        var request = Pay([1, 2, 3], [("a", Receiver, 4_000_000), ("b", Receiver, 4_000_000), ("c", Other, 6_000_000)]);
        var signed = await world.Signed(request);
        Assert.Equal(signed.TxId, BitcoinTransfer.Accept(request.Unsigned, signed.Bytes, hot).TxId);
    }

    [Fact]
    public async Task Other_destinations_amounts_and_fees_are_refused()
    {
        var good = Pay([1], [("a", Receiver, 4_000_000)]);
        await world.Refused(SigningRefusalCode.OtherDestination, good with { Unsigned = Pay([1], [("a", Other, 4_000_000)]).Unsigned });
        await world.Refused(SigningRefusalCode.OtherAmount, good with { Unsigned = Pay([1], [("a", Receiver, 4_000_001)]).Unsigned });
        await world.Refused(SigningRefusalCode.OtherDestination,
            good with { Unsigned = Pay([1], [("a", Receiver, 4_000_000), ("b", Other, 1_000_000)]).Unsigned }, "also pay");
        await world.Refused(SigningRefusalCode.FeeAboveCap, Pay([1], [("a", Receiver, 4_000_000)], fee: 100_001));
        await world.Refused(SigningRefusalCode.OverTransactionLimit, Pay([.. Enumerable.Range(1, 21)], [("a", Receiver, 100_000_001), ("b", Other, 100_000_000)]));
        await world.Refused(SigningRefusalCode.NotAPayment, Pay([1], []));
    }

    // The change is an output that the bytes call the wallet's own: the key behind it must be, at that path.
    [Fact]
    public async Task Change_that_goes_to_another_key_is_refused()
    {
        byte[] stranger = [.. world.Curve.PublicKey(Convert.FromHexString(new string('1', 64)))];
        await world.Refused(SigningRefusalCode.NotAPayment, Pay([1], [("a", Receiver, 1_000)], change: (stranger, "1/0")), "says that a key is the wallet's");
        await world.Refused(SigningRefusalCode.NotAPayment, Pay([1], [("a", Receiver, 1_000)], change: ([.. hot.Change(0).Key], "1/1")));
        // Nobody watches an index outside the ring.
        var far = ExtendedPublicKey.Parse(world.Key("regtest").Xpub!).Child(1).ChildKey(HotAddresses.ChangeCount);
        await world.Refused(SigningRefusalCode.NotAPayment, Pay([1], [("a", Receiver, 1_000)], change: (far, $"1/{HotAddresses.ChangeCount}")));
    }

    [Fact]
    public async Task A_withdrawal_is_signed_again_only_with_an_input_of_every_earlier_transaction()
    {
        await world.Signed(Pay([1, 2], [("a", Receiver, 4_000_000)]));
        await world.Refused(SigningRefusalCode.AlreadyPaid, Pay([3], [("a", Receiver, 4_000_000)]));
        await world.Signed(Pay([2, 3], [("a", Receiver, 4_000_000)], fee: 2 * Fee));
        // Shares 3 with the second but nothing with the first, which could be mined beside it.
        await world.Refused(SigningRefusalCode.AlreadyPaid, Pay([3], [("a", Receiver, 4_000_000)]));
        world.Restart();
        await world.Refused(SigningRefusalCode.AlreadyPaid, Pay([3], [("a", Receiver, 4_000_000)]));
        await world.Signed(Pay([2], [("a", Receiver, 4_000_000)], fee: 3 * Fee));
    }

    // The known attack on BIP143: ask twice, each time with one input's worth told right, and put the two signatures together.
    [Fact]
    public async Task An_input_whose_worth_is_told_otherwise_the_second_time_is_refused()
    {
        await world.Signed(Pay([1, 2], [("a", Receiver, 4_000_000)]));
        var request = Pay([1, 2], [("a", Receiver, 4_000_000)], worth: Each / 2);
        await world.Refused(SigningRefusalCode.NotThisPlan, request, "was worth another amount");
        world.Restart();
        await world.Refused(SigningRefusalCode.NotThisPlan, request);
    }

    /// <summary>Spends coins with these numbers; what is left after the payments and the fee is change, unless it would be none.</summary>
    private SigningRequest Pay(int[] coins, (string Id, string To, long Amount)[] pays, long fee = Fee, (byte[] Key, string Path)? change = null,
        long worth = Each)
    {
        var inputs = coins.Select(number =>
            new PaymentInput(new Outpoint(RawHash.Of([(byte)number]), (uint)number), worth, [.. hot.Change(number).Key], hot.Change(number).Path));
        var outputs = pays.Select(one => new PaymentOutput(one.Amount, BitcoinAddress.ToScript(one.To, BitcoinNetwork.Regtest)!, null)).ToList();
        var left = (coins.Length * worth) - pays.Sum(one => one.Amount) - fee;
        var own = change ?? ([.. hot.Change(77).Key], hot.Change(77).Path);
        if (left > 0)
            outputs.Add(new PaymentOutput(left, BitcoinAddress.KeyScript(own.Key), own));
        var psbt = Psbt.Write(new BitcoinPayment([.. inputs], outputs), hot.Fingerprint);
        return new SigningRequest("p", "regtest", [.. pays.Select(one => new SigningPayment(one.Id, new PayoutOutput(one.To, null, one.Amount)))],
            Amount.One(8), psbt);
    }
}
