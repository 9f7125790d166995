using System.Text.Json;
using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

/// <summary>The same addresses as the wallets that customers' payers and operators use: ethers, tronweb, bcoin, unmodified.</summary>
public sealed class WalletAddressTests(NodeFolder node)
{
    private sealed record Account(string Xpub, string[] Addresses);

    [Fact]
    public async Task The_first_addresses_of_an_account_are_those_of_other_wallets()
    {
        var printed = await node.Run("addresses.cjs");
        var wallets = JsonSerializer.Deserialize<Dictionary<string, Account>>(printed, JsonSerializerOptions.Web)!;
        Same(wallets["evm"], AddressSource.Evm);
        Same(wallets["tron"], AddressSource.Tron);
        Same(wallets["main"], xpub => AddressSource.Bitcoin(xpub, BitcoinNetwork.Main));
        Same(wallets["regtest"], xpub => AddressSource.Bitcoin(xpub, BitcoinNetwork.Regtest));
    }

    private static void Same(Account wallet, Func<string, AddressSource> make)
    {
        var source = make(wallet.Xpub);
        Assert.Equal(20, wallet.Addresses.Length);
        Assert.Equal(wallet.Addresses, Enumerable.Range(0, wallet.Addresses.Length).Select(i => source.At((uint)i)));
    }
}
