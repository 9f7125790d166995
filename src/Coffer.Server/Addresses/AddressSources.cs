using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Chains.Simulated;
using Coffer.Server.Host;

namespace Coffer.Server.Addresses;

/// <summary>
/// What this server derives addresses from: for live accounts the account-level public keys of the chains file, one per network; for a test
/// account the account itself. No spending key is here or can be made from what is here.
/// </summary>
internal sealed class AddressSources
{
    private readonly Dictionary<string, AddressSource> _byNetwork = new(StringComparer.Ordinal);

    /// <param name="chains">The operator's chains; one without a key gives out no addresses.</param>
    /// <exception cref="SetupFailure">A key is none, or belongs to another kind of chain.</exception>
    public AddressSources(IReadOnlyList<ChainEntry> chains)
    {
        foreach (var chain in chains.Where(chain => chain.Xpub is not null))
        {
            try
            {
                _byNetwork.Add(chain.Network, Of(chain, chain.Xpub!));
            }
            catch (KeyFault fault)
            {
                throw new SetupFailure($"The xpub of the chain {chain.Id} cannot be used. {fault.Message}");
            }
        }
    }

    /// <summary>The keys of the chains file.</summary>
    public IEnumerable<AddressSource> Keys => _byNetwork.Values;

    /// <summary>Where addresses of a network come from; null when this server gives out none there.</summary>
    public AddressSource? Find(AccountId account, Mode mode, WalletId wallet, string network) => mode == Mode.Test
        ? Simulated(account, wallet, network)
        : _byNetwork.GetValueOrDefault(network);

    /// <summary>Where an address came from; null when its key is in the chains file no more.</summary>
    public AddressSource? Find(IssuedAddress issued) => issued.Family == SimulatedChain.IdOf(issued.Account)
        ? Simulated(issued.Account, issued.Wallet, issued.Network)
        : _byNetwork.Values.FirstOrDefault(source => source.Family == issued.Family && source.Fingerprint == issued.Source);

    /// <summary>Where a test account's addresses come from.</summary>
    public static AddressSource Simulated(AccountId account, WalletId wallet, string network) => new(
        SimulatedChain.IdOf(account), $"{wallet.Value}:{network}", index => SimulatedAddress.Make(account, wallet, network, index));

    private static AddressSource Of(ChainEntry chain, string xpub) => chain.Kind switch
    {
        ChainKind.Evm => AddressSource.Evm(xpub),
        ChainKind.Tron => AddressSource.Tron(xpub),
        ChainKind.Bitcoin => AddressSource.Bitcoin(xpub, chain.BitcoinNetwork switch
        {
            "main" => BitcoinNetwork.Main,
            "test" => BitcoinNetwork.Test,
            _ => BitcoinNetwork.Regtest,
        }),
        _ => throw new ArgumentOutOfRangeException(nameof(chain)),
    };
}
