using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>One real chain at work in this process.</summary>
/// <param name="Entry">What the operator's file says of it.</param>
/// <param name="Followed">The chain and what the follower must know.</param>
/// <param name="Progress">How it goes.</param>
internal sealed record RealChain(ChainEntry Entry, FollowedChain Followed, ChainProgress Progress)
{
    public IChain Chain => Followed.Chain;
}

/// <summary>The real chains of this process, made from the operator's file at start; fixed while it runs.</summary>
internal sealed class RealChains : IDisposable
{
    private RealChains(IReadOnlyList<RealChain> all, IReadOnlyDictionary<string, AddressSource> addresses) =>
        (All, Addresses) = (all, addresses);

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<RealChain> All { get; }

    /// <summary>Where the deposit addresses of each network come from; a network whose chain has no xpub gives out none.</summary>
    public IReadOnlyDictionary<string, AddressSource> Addresses { get; }

    /// <param name="entries">The operator's file.</param>
    /// <param name="db">Where the watched addresses are.</param>
    /// <param name="currencies">The currencies that this server keeps.</param>
    /// <param name="time">The clock of the chains.</param>
    /// <param name="make">How a chain is made; null in the product.</param>
    public static RealChains Of(
        IReadOnlyList<ChainEntry> entries, Db db, Currencies currencies, TimeProvider time, MakeChain? make = null) => new(
    [
        .. entries.Select(entry =>
        {
            var family = AddressSource.FamilyOf(entry.Kind);
            var hot = entry is { Kind: ChainKind.Bitcoin, Hot.Xpub: { } xpub }
                ? new HotAddresses(xpub, BitcoinNetwork.Of(entry.BitcoinNetwork)!) : null;
            Watch watch = async (addresses, ct) =>
            {
                var watched = await db.Watched(family, addresses, ct);
                return hot is null ? watched : [.. watched, .. addresses.Where(address => hot.Find(address) is not null)];
            };
            var chain = (make ?? ChainFactory.Make)(entry, Tokens(entry, currencies), watch, time);
            var followed = new FollowedChain(chain, family, entry.Start, CurrencyOf(entry, currencies))
            {
                Assets = [.. currencies.All.Where(c => c.Network == entry.Network).Select(c => (c, c.Contract))],
                Hot = hot,
            };
            return new RealChain(entry, followed, new ChainProgress(entry.Id, entry.BehindMax));
        }),
    ], entries.Where(entry => entry.Xpub is not null).ToDictionary(entry => entry.Network, AddressesOf));

    /// <summary>The contracts of the tokens that this server keeps on a chain.</summary>
    public static IReadOnlyList<string> Tokens(ChainEntry entry, Currencies currencies) =>
        [.. currencies.All.Where(currency => currency.Network == entry.Network).Select(currency => currency.Contract).OfType<string>()];

    /// <summary>What a chains file must agree about with the currency file.</summary>
    /// <exception cref="ChainsFault">A chain's network is that of no currency, a contract is none, or its key cannot serve.</exception>
    public static void Check(IReadOnlyList<ChainEntry> entries, Currencies currencies)
    {
        var unknown = entries.Where(entry => currencies.All.All(currency => currency.Network != entry.Network));
        string[] problems =
        [
            .. unknown.Select(entry => $"{entry.Id}: no currency of the currency file is on the network {entry.Network}"),
            .. from entry in entries
               from currency in currencies.All
               where currency.Network == entry.Network && currency.Contract is not null && !IsContract(entry.Kind, currency.Contract)
               select $"{entry.Id}: the contract of {currency.Code} in the currency file is no address of such a chain",
            .. entries.Select(WhyNoAddresses).OfType<string>(),
            .. entries.Where(entry => entry.Hot is not null).SelectMany(entry => HotProblems(entry, entry.Hot!, currencies)),
        ];
        if (problems.Length > 0)
            throw new ChainsFault(problems);
    }

    public void Dispose()
    {
        foreach (var chain in All)
            (chain.Chain as IDisposable)?.Dispose();
    }

    private static bool IsContract(ChainKind kind, string contract) => kind switch
    {
        ChainKind.Evm => EvmAddress.Read(contract) is not null,
        ChainKind.Tron => TronAddress.Read(contract) is not null,
        _ => false,
    };

    /// <summary>Why the chain's key cannot serve; null when it can, or there is none.</summary>
    private static string? WhyNoAddresses(ChainEntry entry)
    {
        try
        {
            if (entry.Xpub is not null)
                AddressesOf(entry);
            return null;
        }
        catch (KeyFault fault)
        {
            return $"{entry.Id}: xpub: {fault.Message.TrimEnd('.')}";
        }
    }

    /// <summary>What is wrong with a chain's hot wallet.</summary>
    private static IEnumerable<string> HotProblems(ChainEntry entry, HotEntry hot, Currencies currencies)
    {
        if (entry.Kind is ChainKind.Evm && EvmAddress.Read(hot.Address!) != hot.Address)
            yield return $"{entry.Id}: hot: address must be an address in its checksummed spelling (EIP-55)";
        if (entry.Kind is ChainKind.Tron && TronAddress.Read(hot.Address!) is null)
            yield return $"{entry.Id}: hot: address must be a Tron address, which begins with T";
        if (entry.Kind is ChainKind.Bitcoin && WhyNoHot(entry, hot.Xpub!) is { } why)
            yield return $"{entry.Id}: hot: xpub: {why}";
        foreach (var (code, text) in hot.Low)
        {
            if (!currencies.TryFind(code, out var currency) || currency.Network != entry.Network)
                yield return $"{entry.Id}: hot: low names a currency that the currency file does not have on the network {entry.Network}";
            else if (!Amount.TryParse(text, currency.Decimals, out _, out _))
                yield return $"{entry.Id}: hot: low of {code} must be a decimal amount with at most {currency.Decimals} digits after the point";
        }
    }

    private static string? WhyNoHot(ChainEntry entry, string xpub)
    {
        try
        {
            var hot = new HotAddresses(xpub, BitcoinNetwork.Of(entry.BitcoinNetwork)!);
            return entry.Xpub is not null && AddressesOf(entry).Fingerprint == hot.Fingerprint
                ? "customers' deposit addresses come from the same key; give the hot wallet an account of its own" : null;
        }
        catch (KeyFault fault)
        {
            return fault.Message.TrimEnd('.');
        }
    }

    private static AddressSource AddressesOf(ChainEntry entry) => entry.Kind switch
    {
        ChainKind.Evm => AddressSource.Evm(entry.Xpub!),
        ChainKind.Tron => AddressSource.Tron(entry.Xpub!),
        ChainKind.Bitcoin => AddressSource.Bitcoin(entry.Xpub!, BitcoinNetwork.Of(entry.BitcoinNetwork)!),
        _ => throw new ArgumentOutOfRangeException(nameof(entry)),
    };

    /// <summary>Matched by contract, never by a symbol: anybody can make a token that calls itself USDT.</summary>
    private static Func<ChainTransfer, Currency?> CurrencyOf(ChainEntry entry, Currencies currencies)
    {
        var own = currencies.All.Where(currency => currency.Network == entry.Network).ToDictionary(currency => Asset(currency.Contract));
        return transfer => own.GetValueOrDefault(Asset(transfer.Asset));
    }

    // Hexadecimal addresses have no case of their own; Tron's do. The coin itself has no contract.
    private static string Asset(string? contract) => contract is null ? ""
        : contract.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? contract.ToLowerInvariant() : contract;
}

/// <summary>Makes a chain from what the operator's file says of it and the contracts of its currencies. Opens no connection yet.</summary>
internal delegate IChain MakeChain(ChainEntry entry, IReadOnlyList<string> tokens, Watch watch, TimeProvider time);
