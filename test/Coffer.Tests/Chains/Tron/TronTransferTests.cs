using System.Globalization;
using System.Text.Json;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;

namespace Coffer.Tests.Chains.Tron;

public sealed class TronTransferTests(NodeFolder node) : IDisposable
{
    private static readonly byte[] Secret = [.. Enumerable.Repeat((byte)0x46, 32)];
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 8, 0, 0, TimeSpan.Zero);
    private static readonly string To = TronAddress.Write([.. Enumerable.Repeat((byte)0x35, 20)]);
    private static readonly string Token = TronAddress.OfHex("a614f803b6fd780986a42c78ec9c7f77e6ded13c")!;
    private static readonly (long, string) Reference = (70_000_000, "00000000042c1d80" + new string('5', 48));

    private readonly SecretKeys keys = new(new byte[SecretKeys.RandomBytes]);

    private string From => TronAddress.OfKey(keys.PublicKey(Secret));

    public void Dispose() => keys.Dispose();

    [Fact]
    public async Task Every_payment_has_the_raw_data_the_id_and_the_signature_that_tronweb_gives_it()
    {
        using var printed = JsonDocument.Parse(await node.Run("tron-transactions.cjs"));
        Assert.Equal(printed.RootElement.GetProperty("from").GetString(), From);
        Assert.All(printed.RootElement.GetProperty("lines").EnumerateArray(), line =>
        {
            string Text(string name) => line.GetProperty(name).GetString()!;
            long Number(string name) => line.GetProperty(name).GetInt64();
            DateTimeOffset Time(string name) => DateTimeOffset.FromUnixTimeMilliseconds(Number(name));
            var output = new PayoutOutput(Text("address"), line.GetProperty("asset").GetString(),
                Int128.Parse(Text("amount"), CultureInfo.InvariantCulture));
            var unsigned = TronTransfer.Build(
                From, output, (Number("height"), Text("block")), Time("expiration"), Time("timestamp"), Number("feeLimit"));
            Assert.Equal(Text("rawData"), Convert.ToHexStringLower(unsigned));

            var signed = TronTransfer.Sign(unsigned, Secret, keys.PublicKey(Secret), keys);
            Assert.Equal(Text("signed"), Convert.ToHexStringLower(signed.Bytes));
            Assert.Equal(Text("txId"), signed.TxId);
            Assert.Equal(signed.TxId, TronTransfer.Accept(unsigned, signed.Bytes, From).TxId);

            var reading = TronTransfer.Read(unsigned);
            Assert.Equal([output], reading.Outputs);
            Assert.Equal((From, Time("expiration")), (reading.From, reading.Claim.ExpiresAt));
        });
    }

    // The promise of re-parsing: nothing can be changed without being seen.
    [Fact]
    public void A_change_of_any_bit_is_refused_or_read()
    {
        foreach (var output in new PayoutOutput[] { new(To, null, 1_000_000), new(To, Token, Int128.MaxValue / 3) })
        {
            var unsigned = Payment(output);
            var signed = TronTransfer.Sign(unsigned, Secret, keys.PublicKey(Secret), keys).Bytes;
            var reading = Shown(TronRawData.Parse(unsigned));
            for (var bit = 0; bit < unsigned.Length * 8; bit++)
            {
                var flipped = Flipped(unsigned, bit);
                Assert.True(Try(() => Shown(TronRawData.Parse(flipped))) != reading, $"bit {bit}");
                _ = Try(() => $"{TronTransfer.Read(flipped)}");
            }

            for (var bit = 0; bit < signed.Length * 8; bit++)
                Assert.Null(Try(() => TronTransfer.Accept(unsigned, Flipped(signed, bit), From).TxId));
            for (var length = 0; length < signed.Length; length++)
            {
                Assert.Null(Try(() => TronTransfer.Accept(unsigned, signed[..length], From).TxId));
                // The limit is the last part and may be left out: that is another payment, read as such.
                Assert.NotEqual(reading, Try(() => Shown(TronRawData.Parse(unsigned[..Math.Min(length, unsigned.Length - 1)]))));
            }

            Assert.Null(Try(() => Shown(TronRawData.Parse([.. unsigned, 0]))));
            Assert.Null(Try(() => TronTransfer.Accept(unsigned, [.. signed, 0], From).TxId));
        }
    }

    [Fact]
    public void Any_bytes_at_all_are_read_or_refused()
    {
        var random = new Random(4);
        var (coin, token) = (Payment(new(To, null, 5)), Payment(new(To, Token, 5)));
        for (var i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. i % 2 == 0 ? coin : token];
            for (var change = random.Next(1, 6); change > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            _ = Try(() => $"{TronTransfer.Read(bytes)}");
            random.NextBytes(bytes);
            _ = Try(() => $"{TronTransfer.Read(bytes)}");
        }
    }

    // A memo, another permission, coin sent along with a call: what a payment has no need of.
    [Theory]
    [InlineData("52046d656d6f", 8)] // data (10): a memo, behind the expiration
    [InlineData("4a00", 8)] // auths (9)
    [InlineData("900140", 18)] // fee_limit on a payment of TRX
    [InlineData("6200", 11)] // scripts (12)
    public void A_payment_with_anything_beside_it_is_refused(string field, int behind)
    {
        var unsigned = Payment(new(To, null, 5));
        var at = behind switch { 8 => 4 + 10 + 7, 11 => unsigned.Length - 7, _ => unsigned.Length };
        Assert.Throws<KeyFault>(() => TronTransfer.Read([.. unsigned[..at], .. Convert.FromHexString(field), .. unsigned[at..]]));
    }

    [Theory]
    [InlineData("095ea7b3")] // approve
    [InlineData("23b872dd")] // transferFrom
    public void A_call_that_is_no_transfer_is_no_payment(string selector)
    {
        var text = Convert.ToHexStringLower(Payment(new(To, Token, 5)));
        Assert.Contains("a9059cbb", text, StringComparison.Ordinal);
        Assert.Throws<KeyFault>(() => TronTransfer.Read(Convert.FromHexString(text.Replace("a9059cbb", selector, StringComparison.Ordinal))));
    }

    [Fact]
    public void A_signature_by_another_key_or_for_another_plan_is_refused()
    {
        var unsigned = Payment(new(To, null, 5));
        var signed = TronTransfer.Sign(unsigned, Secret, keys.PublicKey(Secret), keys).Bytes;
        Assert.Throws<KeyFault>(() => TronTransfer.Accept(unsigned, signed, To));
        Assert.Throws<KeyFault>(() => TronTransfer.Accept(Payment(new(To, null, 6)), signed, From));
        var other = Enumerable.Repeat((byte)0x47, 32).ToArray();
        Assert.Throws<KeyFault>(() => TronTransfer.Sign(unsigned, other, keys.PublicKey(other), keys));
    }

    // Anybody could make it of the lower one; it would be the same transaction in other bytes.
    [Fact]
    public void The_higher_s_of_a_signature_is_refused()
    {
        var unsigned = Payment(new(To, null, 5));
        var signature = TronTransfer.Sign(unsigned, Secret, keys.PublicKey(Secret), keys).Bytes[^65..];
        Assert.NotNull(Try(() => TronTransfer.Accept(unsigned, TronTransfer.Join(unsigned, signature), From).TxId));
        var order = System.Numerics.BigInteger.Parse(
            "0fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var s = new System.Numerics.BigInteger(signature.AsSpan(32, 32), isUnsigned: true, isBigEndian: true);
        (order - s).ToByteArray(isUnsigned: true, isBigEndian: true).CopyTo(signature, 32);
        signature[^1] = (byte)(27 + 28 - signature[^1]);
        Assert.Equal(keys.PublicKey(Secret), PublicKeys.Recover(TronRawData.Hash(unsigned), signature.AsSpan(0, 64), signature[^1] - 27));
        Assert.Null(Try(() => TronTransfer.Accept(unsigned, TronTransfer.Join(unsigned, signature), From).TxId));
    }

    [Fact]
    public void The_most_it_can_cost_has_the_energy_the_bytes_and_a_new_account_in_it()
    {
        Assert.InRange(TronTransfer.Read(Payment(new(To, null, 5))).FeeMax, 1_100_000 + 265_000, 1_100_000 + 285_000);
        Assert.InRange(TronTransfer.Read(Payment(new(To, Token, 5))).FeeMax, 30_000_000 + 340_000, 30_000_000 + 370_000);
    }

    private byte[] Payment(PayoutOutput output) =>
        TronTransfer.Build(From, output, Reference, Now.AddMinutes(10), Now, output.Asset is null ? 0 : 30_000_000);

    private static byte[] Flipped(byte[] bytes, int bit)
    {
        byte[] copy = [.. bytes];
        copy[bit / 8] ^= (byte)(1 << (bit % 8));
        return copy;
    }

    private static string Shown(TronRawData said) => $"{said} {said.ExpiresAt:O} {said.MadeAt:O}";

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
