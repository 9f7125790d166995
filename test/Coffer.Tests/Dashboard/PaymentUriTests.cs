using Coffer.Server.Dashboard;

namespace Coffer.Tests.Dashboard;

/// <summary>What a payer's wallet reads from the QR code. The forms are those of BIP 21 and EIP-681.</summary>
public sealed class PaymentUriTests
{
    [Theory]
    [InlineData("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0.01", "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=0.01")]
    [InlineData("ETH", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "2.014", "ethereum:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359?value=2.014e18")]
    [InlineData("ETH", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", null, "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")]
    [InlineData("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", null, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")]
    [InlineData("USDTERC20", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "25.00", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")]
    public void The_code_has_the_amount_where_wallets_read_it_and_is_never_a_contract(string currency, string address, string? amount, string uri) =>
        Assert.Equal(uri, PaymentUri.Of(currency, address, amount));
}
