using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

public sealed class PayeeAddressTests
{
    private const string Checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"; // EIP-55
    private const string Tether = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";

    [Theory]
    [InlineData(Checksummed)]
    [InlineData("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")]
    [InlineData("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED")]
    public void An_EVM_address_is_kept_in_its_checksummed_spelling(string text) =>
        Assert.Equal(new PayeeAddress(Checksummed, null), PayeeAddress.Evm(text));

    [Theory]
    [InlineData("", "begins with 0x")]
    [InlineData("sim1", "begins with 0x")]
    [InlineData("0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "begins with 0x")]
    [InlineData("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", "40 hexadecimal digits")]
    [InlineData("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0", "40 hexadecimal digits")]
    [InlineData("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg", "40 hexadecimal digits")]
    [InlineData("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "EIP-55")]
    [InlineData("0x0000000000000000000000000000000000000000", "zero address")]
    public void What_is_no_EVM_address_is_refused_with_the_reason(string text, string why) => Refused(PayeeAddress.Evm(text), why);

    [Fact]
    public void A_Tron_address_has_one_spelling() => Assert.Equal(new PayeeAddress(Tether, null), PayeeAddress.Tron(Tether));

    [Theory]
    [InlineData("", "begins with T")]
    [InlineData(Checksummed, "begins with T")]
    [InlineData("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "begins with T")]
    [InlineData("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T", "checksum")]
    [InlineData("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6", "checksum")]
    [InlineData("T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb", "zero address")]
    public void What_is_no_Tron_address_is_refused_with_the_reason(string text, string why) => Refused(PayeeAddress.Tron(text), why);

    [Theory]
    // P2PKH, P2SH, P2WPKH in both cases (BIP173), P2TR (BIP350).
    [InlineData("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")]
    [InlineData("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy")]
    [InlineData("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")]
    [InlineData("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")]
    [InlineData("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")]
    public void A_Bitcoin_address_is_kept_in_its_one_spelling(string text, string canonical) =>
        Assert.Equal(new PayeeAddress(canonical, null), PayeeAddress.Bitcoin(text, BitcoinNetwork.Main));

    [Theory]
    [InlineData("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "another Bitcoin network (test)")]
    [InlineData("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "another Bitcoin network (test)")]
    // One wrong letter; bech32 where bech32m belongs (BIP350); a witness version that means nothing yet.
    [InlineData("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "no address of Bitcoin's network main")]
    [InlineData("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "no address of Bitcoin's network main")]
    [InlineData("bc1sw50qgdz25j", "does not define yet")]
    [InlineData("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "no address of Bitcoin's network main")]
    [InlineData(Checksummed, "no address of Bitcoin's network main")]
    [InlineData("", "no address of Bitcoin's network main")]
    public void What_is_no_Bitcoin_address_of_the_network_is_refused_with_the_reason(string text, string why) =>
        Refused(PayeeAddress.Bitcoin(text, BitcoinNetwork.Main), why);

    private static void Refused(PayeeAddress read, string why)
    {
        Assert.Null(read.Canonical);
        Assert.Contains(why, read.Fault, StringComparison.Ordinal);
    }
}
