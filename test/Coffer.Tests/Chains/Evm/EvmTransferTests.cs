using System.Globalization;
using System.Text.Json;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Tests.Chains.Evm;

public sealed class EvmTransferTests(NodeFolder node) : IDisposable
{
    private const string From = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
    private const string To = "0x3535353535353535353535353535353535353535";
    private const string Token = "0xdAC17F958D2ee523a2206206994597C13D831ec7";

    private static readonly byte[] Secret = [.. Enumerable.Repeat((byte)0x46, 32)];
    private readonly SecretKeys keys = new(new byte[SecretKeys.RandomBytes]);

    public void Dispose() => keys.Dispose();

    [Fact]
    public async Task Every_payment_has_the_bytes_the_signature_and_the_id_that_ethers_gives_it()
    {
        using var printed = JsonDocument.Parse(await node.Run("evm-transactions.cjs"));
        var from = printed.RootElement.GetProperty("from").GetString()!;
        Assert.Equal(from, EvmAddress.OfKey(keys.PublicKey(Secret)));
        Assert.All(printed.RootElement.GetProperty("lines").EnumerateArray(), line =>
        {
            string Text(string name) => line.GetProperty(name).GetString()!;
            Int128 Number(string name) => Int128.Parse(Text(name), CultureInfo.InvariantCulture);
            var output = new PayoutOutput(Text("address"), line.GetProperty("asset").GetString(), Number("amount"));
            var made = Payment(output) with
            {
                ChainId = line.GetProperty("chainId").GetInt64(),
                Nonce = line.GetProperty("nonce").GetInt64(),
                MaxPriorityFeePerGas = Number("priority"),
                MaxFeePerGas = Number("fee"),
                Gas = line.GetProperty("gas").GetInt64(),
            };
            var unsigned = made.Unsigned();
            Assert.Equal(Text("unsigned"), "0x" + Convert.ToHexStringLower(unsigned));
            var signed = EvmTransfer.Sign(unsigned, Secret, keys.PublicKey(Secret), keys);
            Assert.Equal(Text("signed"), "0x" + Convert.ToHexStringLower(signed.Bytes));
            Assert.Equal(Text("hash"), signed.TxId);

            var reading = EvmTransfer.Read(unsigned, from);
            Assert.Equal([output], reading.Outputs);
            Assert.Equal(made.Gas * made.MaxFeePerGas, reading.FeeMax);
            Assert.Equal((made.Nonce, made.ChainId), (reading.Claim.Nonce, reading.ChainId));
            Assert.Equal(signed.TxId, EvmTransfer.Accept(unsigned, signed.Bytes, from).TxId);
        });
    }

    // The promise of re-parsing: nothing can be changed without being seen.
    [Fact]
    public void A_change_of_any_bit_is_refused_or_read()
    {
        foreach (var output in new PayoutOutput[] { new(To, null, 1_000_000), new(To, Token, Int128.MaxValue / 3) })
        {
            var unsigned = Payment(output).Unsigned();
            var signed = EvmTransfer.Sign(unsigned, Secret, keys.PublicKey(Secret), keys).Bytes;
            var reading = Shown(EvmTransfer.Read(unsigned, From));
            for (var bit = 0; bit < unsigned.Length * 8; bit++)
                Assert.True(Try(() => Shown(EvmTransfer.Read(Flipped(unsigned, bit), From))) != reading || IsTip(unsigned, bit), $"bit {bit}");
            for (var bit = 0; bit < signed.Length * 8; bit++)
                Assert.Null(Try(() => EvmTransfer.Accept(unsigned, Flipped(signed, bit), From).TxId));
            for (var length = 0; length < signed.Length; length++)
            {
                Assert.Null(Try(() => EvmTransfer.Accept(unsigned, signed[..length], From).TxId));
                Assert.Null(Try(() => Shown(EvmTransfer.Read(unsigned[..Math.Min(length, unsigned.Length - 1)], From))));
            }

            Assert.Null(Try(() => Shown(EvmTransfer.Read([.. unsigned, 0], From))));
        }
    }

    [Theory]
    [InlineData("095ea7b3")] // approve
    [InlineData("23b872dd")] // transferFrom
    [InlineData("a9059cbb00")] // transfer with one byte more
    public void A_call_that_is_no_transfer_is_no_payment(string selector)
    {
        var (_, _, data) = EvmTransfer.Call(new PayoutOutput(To, Token, 5));
        var call = Payment(new(To, Token, 5)) with { Data = (byte[])[.. Convert.FromHexString(selector), .. data.AsSpan(4)] };
        Assert.Throws<KeyFault>(() => EvmTransfer.Read(call.Unsigned(), From));
    }

    [Fact]
    public void A_token_call_that_also_sends_coin_is_no_payment() =>
        Assert.Throws<KeyFault>(() => EvmTransfer.Read((Payment(new(To, Token, 5)) with { Value = 1 }).Unsigned(), From));

    [Fact]
    public void An_amount_beyond_the_ledgers_digits_is_no_payment()
    {
        var (_, _, data) = EvmTransfer.Call(new PayoutOutput(To, Token, 5));
        data[36] = 1; // the first byte of the amount's word
        Assert.Throws<KeyFault>(() => EvmTransfer.Read((Payment(new(To, Token, 5)) with { Data = data }).Unsigned(), From));
    }

    [Fact]
    public void Nothing_sent_to_ourselves_only_uses_up_a_nonce()
    {
        Assert.Empty(EvmTransfer.Read((Payment(new(From, null, 1)) with { Value = 0 }).Unsigned(), From).Outputs);
        Assert.Throws<KeyFault>(() => EvmTransfer.Read((Payment(new(To, null, 1)) with { Value = 0 }).Unsigned(), From));
    }

    [Fact]
    public void A_signature_by_another_key_or_for_another_plan_is_refused()
    {
        var unsigned = Payment(new(To, null, 5)).Unsigned();
        var signed = EvmTransfer.Sign(unsigned, Secret, keys.PublicKey(Secret), keys).Bytes;
        Assert.Throws<KeyFault>(() => EvmTransfer.Accept(unsigned, signed, To));
        Assert.Throws<KeyFault>(() => EvmTransfer.Accept(Payment(new(To, null, 6)).Unsigned(), signed, From));
    }

    // EIP-2: the other s of the same signature makes another id of the same payment.
    [Fact]
    public void The_higher_s_of_a_signature_is_refused()
    {
        var made = Payment(new(To, null, 5));
        var signature = new byte[64];
        var recoveryId = keys.Sign(made.SigningHash(), Secret, keys.PublicKey(Secret), signature);
        var order = System.Numerics.BigInteger.Parse(
            "0fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var s = new System.Numerics.BigInteger(signature.AsSpan(32), isUnsigned: true, isBigEndian: true);
        (order - s).ToByteArray(isUnsigned: true, isBigEndian: true).CopyTo(signature, 32);
        Assert.Throws<KeyFault>(() => FeeMarketTransaction.ParseSigned(made.Signed(signature, 1 - recoveryId)));
    }

    private static FeeMarketTransaction Payment(PayoutOutput output)
    {
        var (to, value, data) = EvmTransfer.Call(output);
        return new FeeMarketTransaction
        {
            ChainId = 1,
            Nonce = 9,
            MaxPriorityFeePerGas = 1_500_000_000,
            MaxFeePerGas = 40_000_000_000,
            Gas = 65_000,
            To = to,
            Value = value,
            Data = data,
        };
    }

    /// <summary>The tip alone is not part of what a reading says: it is inside the fee that is.</summary>
    private static bool IsTip(byte[] unsigned, int bit) =>
        Try(() => $"{(FeeMarketTransaction.Parse(Flipped(unsigned, bit)) with { MaxPriorityFeePerGas = 0 }).GetHashCode()}") is not null
        && FeeMarketTransaction.Parse(Flipped(unsigned, bit)).MaxPriorityFeePerGas != FeeMarketTransaction.Parse(unsigned).MaxPriorityFeePerGas;

    private static byte[] Flipped(byte[] bytes, int bit)
    {
        byte[] copy = [.. bytes];
        copy[bit / 8] ^= (byte)(1 << (bit % 8));
        return copy;
    }

    private static string Shown(PayoutReading reading) =>
        $"{string.Join(',', reading.Outputs)} {reading.FeeMax} {reading.Claim.Nonce} {reading.ChainId}";

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
