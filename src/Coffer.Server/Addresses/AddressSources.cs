using Coffer.Chains.Keys;
using Coffer.Chains.Simulated;

namespace Coffer.Server.Addresses;

/// <summary>
/// What this server derives addresses from: for live accounts the account-level public keys of the chains file, one per network; for a test
/// account the account itself. No spending key is here or can be made from what is here.
/// </summary>
/// <param name="byNetwork">What the addresses of each network come from; a network that is not in it gives out none.</param>
internal sealed class AddressSources(IReadOnlyDictionary<string, AddressSource> byNetwork)
{
    /// <summary>The keys of the chains file.</summary>
    public IEnumerable<AddressSource> Keys => byNetwork.Values;

    /// <summary>Where addresses of a network come from; null when this server gives out none there.</summary>
    public AddressSource? Find(AccountId account, Mode mode, WalletId wallet, string network) => mode == Mode.Test
        ? Simulated(account, wallet, network)
        : byNetwork.GetValueOrDefault(network);

    /// <summary>Where an address came from; null when its key is in the chains file no more.</summary>
    public AddressSource? Find(IssuedAddress issued) => issued.Family == SimulatedChain.IdOf(issued.Account)
        ? Simulated(issued.Account, issued.Wallet, issued.Network)
        : byNetwork.Values.FirstOrDefault(source => source.Family == issued.Family && source.Fingerprint == issued.Source);

    /// <summary>Where a test account's addresses come from.</summary>
    public static AddressSource Simulated(AccountId account, WalletId wallet, string network) => new(
        SimulatedChain.IdOf(account), $"{wallet.Value}:{network}", index => SimulatedAddress.Make(account, wallet, network, index));
}
