using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Tests.Chains.Bitcoin;

public sealed class PsbtTests(NodeFolder node) : IDisposable
{
    private static readonly HotAddresses Hot = HotKeys.Addresses;
    private static readonly string[] Receivers =
    [
        "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry",
        "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
    ];

    private readonly SecretKeys keys = new(new byte[SecretKeys.RandomBytes]);

    public void Dispose() => keys.Dispose();

    // The example "Native P2WPKH" of BIP143; its first input is of another kind, which the second one's hash has to cover all the same.
    [Fact]
    public void The_hash_and_the_signature_of_an_input_are_those_of_bip_143()
    {
        var outputs = Hex("202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac"
            + "9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac");
        var secret = Hex("619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9");
        var key = Hex("025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357");
        var hash = SegwitHash.Of(1,
        [
            (new Outpoint(new RawHash(Hex("fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f")), 0), 0xffffffee),
            (new Outpoint(new RawHash(Hex("ef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a")), 1), uint.MaxValue),
        ], outputs, 17, 1, 600_000_000, key);
        Assert.Equal("c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670", Convert.ToHexStringLower(hash));
        var signature = new byte[64];
        keys.Sign(hash, secret, key, signature);
        Assert.Equal(BitcoinPayment.Decode(Hex("304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a"
            + "0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee01")), signature);
    }

    [Fact]
    public void What_bip_174_calls_invalid_is_refused_and_what_it_calls_valid_is_understood()
    {
        Assert.All(Bip174Vectors.Invalid, vector =>
        {
            var psbt = Convert.FromBase64String(vector.Psbt);
            Assert.Throws<ChainFault>(() => PsbtMaps.Parse(psbt));
            Assert.Throws<KeyFault>(() => BitcoinTransfer.Read(psbt, Hot, BitcoinNetwork.Regtest));
        });
        Assert.All([.. Bip174Vectors.Valid, .. Bip174Vectors.NotToSign], vector => PsbtMaps.Parse(Convert.FromBase64String(vector.Psbt)));
    }

    [Fact]
    public void Nothing_is_signed_that_is_not_a_payment_of_the_hot_wallet() =>
        Assert.All([.. Bip174Vectors.Valid, .. Bip174Vectors.NotToSign], vector =>
        {
            var psbt = Convert.FromBase64String(vector.Psbt);
            Assert.Throws<KeyFault>(() => BitcoinTransfer.Read(psbt, Hot, BitcoinNetwork.Regtest));
            Assert.Throws<KeyFault>(() => BitcoinTransfer.Sign(psbt, Hot, HotKeys.Sign));
        });

    [Fact]
    public async Task Another_wallet_reads_in_our_psbt_what_we_read_and_its_signed_form_is_taken()
    {
        var psbt = Payment(3, Receivers);
        var reading = BitcoinTransfer.Read(psbt, Hot, BitcoinNetwork.Regtest);
        using var printed = JsonDocument.Parse(await node.Run("sign-psbt.cjs", ("PSBT", Convert.ToBase64String(psbt)), ("ACCOUNT", HotKeys.Xprv)));
        var theirs = printed.RootElement;
        Assert.Equal(reading.Claim.Coins.Select(coin => (coin.TxId, coin.Ordinal, 0xfffffffd, (long)coin.Amount, $"m/{coin.Path}")),
            theirs.GetProperty("inputs").EnumerateArray().Select(input => (Text(input, "txId"), (int)Number(input, "index"),
                (uint)Number(input, "sequence"), Number(input, "value"), Text(input, "path"))));
        Assert.Equal([.. reading.Outputs.Select(output => (output.Address, (long)output.Amount)), (reading.Change[0].Address, (long)reading.Change[0].Amount)],
            theirs.GetProperty("outputs").EnumerateArray().Select(output =>
                (BitcoinAddress.OfScript(Hex(Text(output, "script")), BitcoinNetwork.Regtest)!, Number(output, "value"))));
        Assert.Equal((long)reading.FeeMax, Number(theirs, "fee"));

        var ours = BitcoinTransfer.Sign(psbt, Hot, HotKeys.Sign);
        Assert.Equal(Text(theirs, "transaction"), Convert.ToHexStringLower(ours.Bytes));
        Assert.Equal(Text(theirs, "txId"), ours.TxId);
        foreach (var form in new[] { Convert.FromBase64String(Text(theirs, "partial")), Convert.FromBase64String(Text(theirs, "final")), ours.Bytes })
        {
            var accepted = BitcoinTransfer.Accept(psbt, form, Hot);
            Assert.Equal((ours.TxId, Convert.ToHexStringLower(ours.Bytes)), (accepted.TxId, Convert.ToHexStringLower(accepted.Bytes)));
        }

        // The size that the fee is planned with is never below the real one, and at most one above it for each input.
        var planned = BitcoinSize.Without(Receivers.Select(one => BitcoinAddress.ToScript(one, BitcoinNetwork.Regtest)!.Length))
            + (3 * BitcoinSize.Input) + BitcoinSize.Change;
        Assert.InRange(planned, Number(theirs, "vsize"), Number(theirs, "vsize") + 3);

        // Signed for the same payment of other coins, or with a bit that is not the wallet's: not ours to send.
        var final = Convert.FromBase64String(Text(theirs, "final"));
        Assert.Throws<KeyFault>(() => BitcoinTransfer.Accept(Payment(2, Receivers), final, Hot));
        Assert.Throws<KeyFault>(() => BitcoinTransfer.Accept(psbt, psbt, Hot));
        // What does not belong to the signatures may differ; what is taken from it may not.
        for (var bit = 0; bit < final.Length * 8; bit++)
            if (Try(() => Convert.ToHexStringLower(BitcoinTransfer.Accept(psbt, Flipped(final, bit), Hot).Bytes)) is { } taken)
                Assert.Equal(Text(theirs, "transaction"), taken);
    }

    // The promise of re-parsing: nothing can be changed without being seen.
    [Fact]
    public void A_change_of_any_bit_is_refused_or_read()
    {
        var psbt = Payment(2, Receivers[..2]);
        var reading = Shown(BitcoinTransfer.Read(psbt, Hot, BitcoinNetwork.Regtest));
        for (var bit = 0; bit < psbt.Length * 8; bit++)
            Assert.NotEqual(reading, Try(() => Shown(BitcoinTransfer.Read(Flipped(psbt, bit), Hot, BitcoinNetwork.Regtest))));
        for (var length = 0; length < psbt.Length; length++)
            Assert.Null(Try(() => Shown(BitcoinTransfer.Read(psbt.AsMemory(..length), Hot, BitcoinNetwork.Regtest))));
        Assert.Null(Try(() => Shown(BitcoinTransfer.Read((byte[])[.. psbt, 0], Hot, BitcoinNetwork.Regtest))));
    }

    [Fact]
    public void Any_bytes_at_all_are_read_or_refused()
    {
        var random = new Random(4);
        byte[][] seeds = [Payment(2, Receivers[..2]), .. Bip174Vectors.Valid.Select(vector => Convert.FromBase64String(vector.Psbt))];
        var ours = seeds[0];
        for (var i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. seeds[i % seeds.Length]];
            for (var change = random.Next(1, 6); change > 0; change--)
                bytes[random.Next(5, bytes.Length)] = (byte)random.Next(256);
            _ = Try(() => $"{BitcoinTransfer.Read(bytes, Hot, BitcoinNetwork.Regtest)}");
            Assert.Null(Try(() => BitcoinTransfer.Accept(ours, bytes, Hot).TxId));
        }
    }

    // Change is what a key of the wallet gets at the path that the bytes name; a payment may not pass for it.
    [Fact]
    public void Change_that_is_not_the_wallets_is_refused()
    {
        var stranger = keys.PublicKey(Enumerable.Repeat((byte)7, 32).ToArray());
        foreach (var (key, path) in new[] { (stranger, "1/7"), ([.. Hot.Change(7).Key], "1/8"), ([.. Hot.Change(7).Key], "0/7") })
        {
            var payment = new BitcoinPayment([Input(0)], [new PaymentOutput(5_000, BitcoinAddress.KeyScript(key), (key, path))]);
            Assert.Throws<KeyFault>(() => BitcoinTransfer.Read(Psbt.Write(payment, Hot.Fingerprint), Hot, BitcoinNetwork.Regtest));
        }

        byte[] own = [.. Hot.Change(7).Key];
        var honest = new BitcoinPayment([Input(0)], [new PaymentOutput(5_000, BitcoinAddress.KeyScript(own), (own, "1/7"))]);
        Assert.Single(BitcoinTransfer.Read(Psbt.Write(honest, Hot.Fingerprint), Hot, BitcoinNetwork.Regtest).Change);
    }

    private static byte[] Payment(int inputs, string[] receivers)
    {
        var outputs = receivers.Select((address, i) => new PaymentOutput(10_000 + i, BitcoinAddress.ToScript(address, BitcoinNetwork.Regtest)!, null)).ToList();
        outputs.Add(new PaymentOutput(7_777, BitcoinAddress.KeyScript([.. Hot.Change(7).Key]), ([.. Hot.Change(7).Key], Hot.Change(7).Path)));
        return Psbt.Write(new BitcoinPayment([.. Enumerable.Range(0, inputs).Select(Input)], outputs), Hot.Fingerprint);
    }

    private static PaymentInput Input(int number)
    {
        var own = number == 0 ? Hot.First : Hot.Change(number);
        return new PaymentInput(new Outpoint(RawHash.Of([(byte)number]), (uint)number), 60_000 + number, [.. own.Key], own.Path);
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text);

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    private static byte[] Flipped(byte[] bytes, int bit)
    {
        byte[] copy = [.. bytes];
        copy[bit / 8] ^= (byte)(1 << (bit % 8));
        return copy;
    }

    private static string Shown(PayoutReading reading) =>
        $"{string.Join(',', reading.Outputs)} {string.Join(',', reading.Change)} {string.Join(',', reading.Claim.Coins)} {reading.FeeMax}";

    private static string? Try(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (KeyFault)
        {
            return null;
        }
    }
}
