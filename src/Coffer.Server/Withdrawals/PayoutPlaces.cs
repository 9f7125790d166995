using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Simulated;

namespace Coffer.Server.Withdrawals;

/// <summary>Where withdrawals of one network's currencies are paid.</summary>
/// <param name="Entry">The chain, as the chains file describes it.</param>
/// <param name="Family">The chains that share its addresses; see <c>chain_address</c>.</param>
/// <param name="Contracts">The token contracts of the currency file on the chains of the family, in their one spelling.</param>
/// <param name="IsHot">Whether an address is one of the hot wallet that pays there.</param>
internal sealed record PayoutPlace(ChainEntry Entry, string Family, IReadOnlySet<string> Contracts, Func<string, bool> IsHot);

/// <summary>
/// Where withdrawals are paid and which addresses there may be paid, as far as an address says so itself. Made from the operator's files at
/// start; asks nobody.
/// </summary>
internal sealed class PayoutPlaces
{
    private readonly Dictionary<string, PayoutPlace> _byNetwork;

    public PayoutPlaces(IReadOnlyList<ChainEntry> chains, Currencies currencies) =>
        _byNetwork = chains.ToDictionary(chain => chain.Network, chain => Place(chain, chains, currencies));

    /// <summary>The place of a network; null when the chains file has no chain of it.</summary>
    public PayoutPlace? Find(string network) => _byNetwork.GetValueOrDefault(network);

    /// <summary>The chain that a withdrawal is paid on.</summary>
    /// <exception cref="Refused">This server cannot pay it out.</exception>
    public string ChainOf(AccountId account, Mode mode, Currency currency) => mode == Mode.Test
        ? SimulatedChain.IdOf(account)
        : MayPay(currency) ? Find(currency.Network)!.Entry.Id : throw new Refused(new(RefusalCode.ServiceUnavailable,
            $"This server is not connected to a live chain that pays {currency.Code}, so it cannot pay out; nothing was reserved. Ask its operator."));

    /// <summary>Whether this server pays a currency out on a real chain.</summary>
    public bool MayPay(Currency currency) => Find(currency.Network) is { Entry.Hot: not null };

    /// <summary>The address in its chain's one spelling, or what is wrong with it. Not whether it is a customer's deposit address.</summary>
    /// <exception cref="ArgumentException">No chain of that network is configured, and the account is live.</exception>
    public PayeeAddress Read(Mode mode, string network, string text)
    {
        if (mode == Mode.Test)
            return SimulatedAddress.IsValid(text) ? new PayeeAddress(text, null)
                : new PayeeAddress(null, "This is no address of the simulated chain; they begin with sim1. Check every character.");
        var place = Find(network) ?? throw new ArgumentException("No chain of that network.", nameof(network));
        var read = place.Entry.Kind switch
        {
            ChainKind.Evm => PayeeAddress.Evm(text),
            ChainKind.Tron => PayeeAddress.Tron(text),
            ChainKind.Bitcoin => PayeeAddress.Bitcoin(text, BitcoinNetwork.Of(place.Entry.BitcoinNetwork)!),
            _ => throw new ArgumentOutOfRangeException(nameof(network)),
        };
        if (read.Canonical is not { } address)
            return read;
        if (place.Contracts.Contains(address))
            return new PayeeAddress(null, "This is the contract of a token, not a wallet: what is sent there is lost.");
        return place.IsHot(address)
            ? new PayeeAddress(null, "This address belongs to the wallet that pays withdrawals. Send the address of the receiver.") : read;
    }

    /// <summary>The refusal of an address, for whatever reason.</summary>
    public static Refused No(string why) =>
        new(new(RefusalCode.InvalidAddress, why, new Dictionary<string, object> { ["address"] = new[] { why } }));

    private static PayoutPlace Place(ChainEntry entry, IReadOnlyList<ChainEntry> chains, Currencies currencies)
    {
        var networks = chains.Where(other => other.Kind == entry.Kind).Select(other => other.Network).ToHashSet();
        var contracts = currencies.All.Where(currency => networks.Contains(currency.Network))
            .Select(currency => currency.Contract is null ? null : Canonical(entry.Kind, currency.Contract)).OfType<string>().ToHashSet();
        var hot = entry is { Kind: ChainKind.Bitcoin, Hot.Xpub: { } xpub }
            ? new HotAddresses(xpub, BitcoinNetwork.Of(entry.BitcoinNetwork)!) : null;
        return new PayoutPlace(entry, AddressSource.FamilyOf(entry.Kind), contracts,
            address => address == entry.Hot?.Address || hot?.Find(address) is not null);
    }

    private static string? Canonical(ChainKind kind, string contract) => kind switch
    {
        ChainKind.Evm => EvmAddress.Read(contract),
        ChainKind.Tron => TronAddress.Read(contract),
        _ => null,
    };
}
