namespace Coffer.Server.Dashboard;

/// <summary>What the QR code of a payment says: address and amount, where wallets read both.</summary>
internal static class PaymentUri
{
    /// <param name="currency">The currency's code.</param>
    /// <param name="address">Where to pay.</param>
    /// <param name="amount">How much, as the API writes it; null where it is hidden: then the address alone.</param>
    public static string Of(string currency, string address, string? amount) => (currency, amount) switch
    {
        // BIP 21.
        ("BTC", { } bitcoins) => $"bitcoin:{address}?amount={bitcoins}",
        // EIP-681, whose value is in wei; a decimal exponent makes it of ether.
        ("ETH", { } ether) => $"ethereum:{address}?value={ether}e18",
        // Of a token, EIP-681 names the contract first, and a wallet that reads only the beginning would pay the contract. Tron has no form.
        _ => address,
    };
}
