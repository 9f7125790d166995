using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

public sealed class AddressTests
{
    // All vectors of EIP-55.
    private static readonly string[] Checksummed =
    [
        "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    // The scripts of one address of each kind that Bitcoin has; P2PKH and P2SH from Bitcoin Core's key_io_valid.json.
    public static TheoryData<string, string, string> BitcoinAddresses => new()
    {
        { "main", "1AGNa15ZQXAZUgFiqJ2i7Z2DPU2J6hW62i", "76a91465a16059864a2fdbc7c99a4723a8395bc6f188eb88ac" },
        { "main", "3CMNFxN1oHBc4R1EpboAL5yzHGgE611Xou", "a91474f209f6ea907e2ea48f74fae05782ae8a66525787" },
        { "test", "mo9ncXisMeAoXwqcV5EWuyncbmCcQN4rVs", "76a91453c0307d6851aa0ce7825ba883c6bd9ad242b48688ac" },
        { "test", "2N2JD6wb56AfK4tfmM6PwdVmoYk2dCKf4Br", "a9146349a418fc4578d10a372b54b45c280cc8c4382f87" },
        { "regtest", "mo9ncXisMeAoXwqcV5EWuyncbmCcQN4rVs", "76a91453c0307d6851aa0ce7825ba883c6bd9ad242b48688ac" },
        { "main", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8199196d454941c45d1b3a323f1433bd6" },
        { "test", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262" },
        { "main", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" },
    };

    [Fact]
    public void An_evm_address_has_the_spelling_of_eip_55_whatever_case_it_comes_in() => Assert.All(Checksummed, address =>
    {
        Assert.Equal(address, EvmAddress.Read(address));
        Assert.Equal(address, EvmAddress.Read(address.ToLowerInvariant()));
        Assert.Equal(address, EvmAddress.Read("0x" + address[2..].ToUpperInvariant()));
        Assert.Equal(address, EvmAddress.Write(EvmAddress.ToBytes(address)));
    });

    [Fact]
    public void An_evm_address_in_mixed_case_with_one_letter_in_the_wrong_case_is_refused() => Assert.All(Checksummed[4..], address =>
    {
        for (var i = 2; i < address.Length; i++)
        {
            if (char.IsAsciiLetter(address[i]))
                Assert.Null(EvmAddress.Read(address[..i] + (char)(address[i] ^ 0x20) + address[(i + 1)..]));
        }
    });

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")]
    [InlineData("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae")]
    [InlineData("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0")]
    [InlineData("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg")]
    [InlineData(" 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae")]
    public void Other_texts_are_no_evm_addresses(string text)
    {
        Assert.Null(EvmAddress.Read(text));
        Assert.Throws<ArgumentException>(() => EvmAddress.ToBytes(text));
    }

    // The contract of USDT on Tron, as its explorers and its hex form show it.
    [Fact]
    public void A_tron_address_has_one_spelling_and_a_hex_form()
    {
        const string address = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", hex = "a614f803b6fd780986a42c78ec9c7f77e6ded13c";
        Assert.Equal(address, TronAddress.Read(address));
        Assert.Equal("0x" + hex, TronAddress.ToHex(address));
        Assert.All(new[] { hex, "0x" + hex, "41" + hex, "0x41" + hex, hex.ToUpperInvariant() }, text => Assert.Equal(address, TronAddress.OfHex(text)));
        Assert.Equal(address, TronAddress.Write(TronAddress.ToBytes(address)));
        Assert.All(new[] { "", "0x", hex[1..], "40" + hex, hex + "00", "0X" + hex, "zz" + hex[2..] }, text => Assert.Null(TronAddress.OfHex(text)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T")]
    [InlineData("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6")]
    [InlineData("tr7nhqjekqxgtci8q8zy4pl8otszgjlj6t")]
    [InlineData("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t ")]
    [InlineData("1AGNa15ZQXAZUgFiqJ2i7Z2DPU2J6hW62i")]
    [InlineData("0xa614f803b6fd780986a42c78ec9c7f77e6ded13c")]
    public void Other_texts_are_no_tron_addresses(string text)
    {
        Assert.Null(TronAddress.Read(text));
        Assert.Throws<ArgumentException>(() => TronAddress.ToBytes(text));
    }

    [Theory]
    [MemberData(nameof(BitcoinAddresses))]
    public void A_bitcoin_address_means_one_script_and_back(string word, string address, string script)
    {
        var network = BitcoinNetwork.Of(word)!;
        Assert.Equal(script, Convert.ToHexStringLower(BitcoinAddress.ToScript(address, network)!));
        Assert.Equal(address, BitcoinAddress.OfScript(Convert.FromHexString(script), network));
        Assert.Equal(address, BitcoinAddress.Read(address, network));
        if (address.Contains('1', StringComparison.Ordinal) && address == address.ToLowerInvariant())
            Assert.Equal(address, BitcoinAddress.Read(address.ToUpperInvariant(), network));
        Assert.Null(BitcoinAddress.Read(address, network == BitcoinNetwork.Main ? BitcoinNetwork.Test : BitcoinNetwork.Main));
    }

    [Fact]
    public void A_witness_version_without_a_meaning_is_no_bitcoin_address() => Assert.All(SegwitVectors.Addresses, vector =>
    {
        var known = vector.Script.StartsWith("00", StringComparison.Ordinal) || vector.Script.StartsWith("5120", StringComparison.Ordinal);
        var network = vector.Address.StartsWith("tb", StringComparison.Ordinal) ? BitcoinNetwork.Test : BitcoinNetwork.Main;
        Assert.Equal(known ? vector.Script : null, BitcoinAddress.ToScript(vector.Address, network) is { } script ? Convert.ToHexStringLower(script) : null);
        Assert.Equal(known ? vector.Address.ToLowerInvariant() : null, BitcoinAddress.Read(vector.Address, network));
        Assert.Equal(known ? vector.Address.ToLowerInvariant() : null, BitcoinAddress.OfScript(Convert.FromHexString(vector.Script), network));
    });

    // A bare key, an OP_RETURN, an anchor (P2A), and scripts with a byte too many or too few.
    [Theory]
    [InlineData("")]
    [InlineData("6a0568656c6c6f")]
    [InlineData("51024e73")]
    [InlineData("2102c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5ac")]
    [InlineData("76a91465a16059864a2fdbc7c99a4723a8395bc6f188eb88ac00")]
    [InlineData("76a91465a16059864a2fdbc7c99a4723a8395bc6f18888ac")]
    [InlineData("0014751e76e8199196d454941c45d1b3a323f1433bd600")]
    [InlineData("a91474f209f6ea907e2ea48f74fae05782ae8a66525788")]
    public void Other_scripts_have_no_address(string script) =>
        Assert.Null(BitcoinAddress.OfScript(Convert.FromHexString(script), BitcoinNetwork.Main));

    [Fact]
    public void Base58_keeps_leading_zeros_and_finds_every_changed_character()
    {
        byte[] bytes = [0, 0, 1, 2, 3];
        var text = Base58Check.Encode(bytes);
        Assert.StartsWith("11", text, StringComparison.Ordinal);
        Assert.Equal(bytes, Base58Check.Decode(text));
        Assert.Empty(Base58Check.Decode(Base58Check.Encode([]))!);
        for (var i = 0; i < text.Length; i++)
            Assert.Null(Base58Check.Decode(text[..i] + (text[i] == '2' ? '3' : '2') + text[(i + 1)..]));
        Assert.All(new[] { "", "1", "1" + text, text[1..], text + "é", text.Replace('1', '0'), new string('z', 10_000) }, t => Assert.Null(Base58Check.Decode(t)));
        var longest = Enumerable.Repeat((byte)0xff, Base58Check.BytesMax).ToArray();
        Assert.Equal(longest, Base58Check.Decode(Base58Check.Encode(longest))!);
    }
}
