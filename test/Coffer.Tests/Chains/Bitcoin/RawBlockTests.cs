using Coffer.Chains;
using Coffer.Chains.Bitcoin;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>Blocks and transactions from bytes that a stranger made: read exactly, or a fault and nothing else.</summary>
public sealed class RawBlockTests(SharedBcoin shared) : IClassFixture<SharedBcoin>
{
    private const int Seed = 20250115, Mutations = 30_000;

    // The first block of the main network, which everybody has: https://en.bitcoin.it/wiki/Genesis_block.
    private const string Genesis =
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49"
        + "ffff001d1dac2b7c0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d6573203033"
        + "2f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a010000"
        + "00434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000";
    private const string GenesisHash = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

    private readonly Bcoin bcoin = shared.Node;

    [Fact]
    public void The_first_block_of_the_main_network_is_read_to_the_last_byte()
    {
        var block = RawBlock.Parse(Convert.FromHexString(Genesis), RawHash.Parse(GenesisHash)!.Value);
        Assert.Equal((GenesisHash, default), (block.Hash.ToString(), block.Parent));
        Assert.Equal(new DateTimeOffset(2009, 1, 3, 18, 15, 5, TimeSpan.Zero), block.Time);
        var only = Assert.Single(block.Transactions);
        Assert.True(only.IsCoinbase);
        Assert.Equal("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b", only.Id.ToString());
        Assert.Equal(50_0000_0000, Assert.Single(only.Outputs).Value);
    }

    [Fact]
    public async Task Blocks_with_witnesses_have_the_ids_outputs_and_parents_that_the_node_names()
    {
        var to = await bcoin.Key();
        for (var i = 0; i < 4; i++)
            await bcoin.Pay([.. Enumerable.Range(1, 1 + i * 60).Select(n => (to, 1_000L + n))]);
        var hash = await bcoin.Mine();
        var said = await bcoin.Call("getblock", hash, 2);
        var block = RawBlock.Parse(await bcoin.RawBlock(hash), RawHash.Parse(hash)!.Value);
        Assert.Equal(said.GetProperty("previousblockhash").GetString(), block.Parent.ToString());
        Assert.Equal(said.GetProperty("time").GetInt64(), block.Time.ToUnixTimeSeconds());
        Assert.Equal(5, block.Transactions.Count);
        Assert.Equal(said.GetProperty("tx").EnumerateArray().Select(tx => tx.GetProperty("txid").GetString()),
            block.Transactions.Select(tx => tx.Id.ToString()));
        Assert.Equal(said.GetProperty("tx").EnumerateArray().Select(tx => tx.GetProperty("vin").GetArrayLength()),
            block.Transactions.Select(tx => tx.Spent.Count));
        Assert.Equal(
            said.GetProperty("tx").EnumerateArray().SelectMany(tx => tx.GetProperty("vout").EnumerateArray())
                .Select(output => output.GetProperty("scriptPubKey").GetProperty("hex").GetString()),
            block.Transactions.SelectMany(tx => tx.Outputs).Select(output => Convert.ToHexStringLower(output.Script.Span)));
    }

    [Fact]
    public async Task A_block_is_refused_when_it_is_another_or_holds_other_transactions()
    {
        await bcoin.Pay((await bcoin.Key(), 5_000));
        var hash = await bcoin.Mine();
        var bytes = await bcoin.RawBlock(hash);
        var asked = RawHash.Parse(hash)!.Value;
        RawBlock.Parse(bytes, asked);

        Assert.Contains("that was asked for", Refused(bytes, RawHash.Parse(await bcoin.HashAt(0))!.Value));
        var richer = bytes.ToArray();
        var output = bytes.AsSpan().IndexOf(BitConverter.GetBytes(5_000L));
        richer[output + 1]++;
        Assert.Contains("has other transactions", Refused(richer, asked));
        var header = bytes.ToArray();
        header[40]++;
        Assert.Contains("that was asked for", Refused(header, asked));
        Assert.Contains("goes on after", Refused([.. bytes, 0], asked));
    }

    [Fact]
    public async Task A_block_that_repeats_its_tail_is_refused_although_its_root_is_right()
    {
        await bcoin.Pay((await bcoin.Key(), 5_000));
        await bcoin.Pay((await bcoin.Key(), 6_000));
        var hash = await bcoin.Mine();
        var bytes = await bcoin.RawBlock(hash);
        var asked = RawHash.Parse(hash)!.Value;
        Assert.Equal((3, 3), (bytes[80], RawBlock.Parse(bytes, asked).Transactions.Count));
        // Three transactions and the last once more have one and the same root.
        var lastId = RawBlock.Parse(bytes, asked).Transactions[2].Id.ToString();
        var last = Convert.FromHexString((await bcoin.Call("getrawtransaction", lastId)).GetString()!);
        Assert.Equal(last, bytes[^last.Length..]);
        byte[] repeated = [.. bytes, .. last];
        repeated[80] = 4;
        Assert.Contains("repeats transactions", Refused(repeated, asked));
    }

    [Fact]
    public async Task However_a_block_is_cut_or_changed_it_is_a_fault_or_the_same_block()
    {
        for (var i = 0; i < 3; i++)
            await bcoin.Pay((await bcoin.Key(), 5_000), (await bcoin.Key(), 6_000));
        var hash = await bcoin.Mine();
        var bytes = await bcoin.RawBlock(hash);
        var asked = RawHash.Parse(hash)!.Value;
        var ids = RawBlock.Parse(bytes, asked).Transactions.Select(tx => tx.Id).ToArray();
        for (var length = 0; length < bytes.Length; length++)
            Refused(bytes.AsMemory(0, length).ToArray(), asked);

        var random = new Random(Seed);
        var unharmed = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var changed = Mutate(bytes, random);
            try
            {
                // Only witnesses, which the header's root does not cover, may differ.
                Assert.Equal(ids, RawBlock.Parse(changed, asked).Transactions.Select(tx => tx.Id));
                unharmed++;
            }
            catch (ChainFault)
            {
            }
        }

        Assert.InRange(unharmed, 1, Mutations / 2);
    }

    [Fact]
    public async Task However_a_transaction_is_cut_or_changed_it_is_a_fault_or_a_transaction()
    {
        var bytes = Convert.FromHexString(await bcoin.Make(null, (await bcoin.Key(), 5_000), (await bcoin.Key(), 6_000)));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<ChainFault>(() => RawTransaction.Parse(bytes.AsMemory(0, length)));
        var random = new Random(Seed);
        for (var i = 0; i < Mutations; i++)
        {
            try
            {
                Assert.True(RawTransaction.Parse(Mutate(bytes, random)).Outputs.Sum(output => output.Value) >= 0);
            }
            catch (ChainFault)
            {
            }
        }
    }

    [Theory]
    [InlineData("fdfc00", "longer than needed")]
    [InlineData("feffff0000", "longer than needed")]
    [InlineData("ffffffffff00000000", "longer than needed")]
    [InlineData("ffffffffffffffffff", "counts more than it has")]
    [InlineData("fe00000080", "counts more than it has")]
    [InlineData("00", "spends nothing")]
    [InlineData("fd", "ends too early")]
    public void A_count_is_bounded_by_what_is_there(string count, string why)
    {
        var fault = Assert.Throws<ChainFault>(() => RawTransaction.Parse(Convert.FromHexString("02000000" + count + "77")));
        Assert.Contains(why, fault.Message);
        Assert.True(fault.Retryable);
    }

    [Theory]
    [InlineData("0040075af0750700", "0000000000000000", true)]
    [InlineData("0140075af0750700", "0000000000000000", false)]
    [InlineData("0040075af0750700", "0100000000000000", false)]
    [InlineData("ffffffffffffffff", "0000000000000000", false)]
    public void No_transaction_pays_more_than_there_is(string first, string second, bool fits)
    {
        var bytes = Convert.FromHexString($"0200000001{new string('1', 64)}0000000000ffffffff02{first}00{second}0000000000");
        if (fits)
            Assert.Equal(RawTransaction.ValueMax, RawTransaction.Parse(bytes).Outputs[0].Value);
        else
            Assert.Contains("more than there is", Assert.Throws<ChainFault>(() => RawTransaction.Parse(bytes)).Message);
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var changed = bytes.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(changed.Count);
            switch (random.Next(5))
            {
                case 0: changed[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: changed[at] = (byte)random.Next(256); break;
                case 2: changed[at] = 0xff; break;
                case 3: changed.RemoveRange(at, Math.Min(random.Next(1, 9), changed.Count - at)); break;
                default: changed.InsertRange(at, new byte[random.Next(1, 9)]); break;
            }
        }

        return [.. changed];
    }

    private static string Refused(byte[] bytes, RawHash asked) =>
        Assert.Throws<ChainFault>(() => RawBlock.Parse(bytes, asked)).Message;
}
