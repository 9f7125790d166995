using Coffer.Chains.Simulated;

namespace Coffer.Tests.Chains;

public sealed class SimulatedAddressTests
{
    private static readonly AccountId Account = new(new Guid("11111111-1111-1111-1111-111111111111"));
    private static readonly WalletId Wallet = new(new Guid("22222222-2222-2222-2222-222222222222"));

    [Fact]
    public void An_address_depends_on_owner_network_and_index_and_on_nothing_else()
    {
        var address = SimulatedAddress.Make(Account, Wallet, "ETH", 0);
        Assert.Equal(address, SimulatedAddress.Make(Account, Wallet, "ETH", 0));
        var others = new[]
        {
            SimulatedAddress.Make(new AccountId(Wallet.Value), Wallet, "ETH", 0),
            SimulatedAddress.Make(Account, new WalletId(Account.Value), "ETH", 0),
            SimulatedAddress.Make(Account, Wallet, "TRX", 0),
            SimulatedAddress.Make(Account, Wallet, "ETH", 1),
        };
        Assert.Equal(5, others.Append(address).Distinct().Count());
        Assert.All(others, other => Assert.True(SimulatedAddress.IsValid(other)));
    }

    [Fact]
    public void An_address_once_given_stays_the_address() =>
        Assert.Equal("sim1205ac355a1224d2a8c5b170ee2e1a3e08383085b173c6bdd", SimulatedAddress.Make(Account, Wallet, "ETH", 7));

    [Fact]
    public void Every_single_mistyped_or_swapped_character_is_refused()
    {
        var address = SimulatedAddress.Make(Account, Wallet, "ETH", 3);
        Assert.Equal(SimulatedAddress.Length, address.Length);
        Assert.True(SimulatedAddress.IsValid(address));
        for (var i = 0; i < address.Length; i++)
        {
            foreach (var digit in "0123456789abcdef")
                if (digit != address[i])
                    Assert.False(SimulatedAddress.IsValid(address[..i] + digit + address[(i + 1)..]));
            if (i > 0 && address[i] != address[i - 1])
                Assert.False(SimulatedAddress.IsValid(address[..(i - 1)] + address[i] + address[i - 1] + address[(i + 1)..]));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sim1")]
    [InlineData("0xdAC17F958D2ee523a2206206994597C13D831ec7")]
    public void Anything_else_is_refused(string? address)
    {
        Assert.False(SimulatedAddress.IsValid(address));
        Assert.False(SimulatedAddress.IsValid(SimulatedAddress.Make(Account, Wallet, "ETH", 0).ToUpperInvariant()));
        Assert.False(SimulatedAddress.IsValid(SimulatedAddress.Make(Account, Wallet, "ETH", 0) + " "));
    }
}
