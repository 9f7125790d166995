using Coffer.Chains;
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
    private RealChains(IReadOnlyList<RealChain> all) => All = all;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<RealChain> All { get; }

    /// <param name="entries">The operator's file.</param>
    /// <param name="db">Where the watched addresses are.</param>
    /// <param name="currencies">The currencies that this server keeps.</param>
    /// <param name="make">How a chain is made; null in the product.</param>
    public static RealChains Of(IReadOnlyList<ChainEntry> entries, Db db, Currencies currencies, MakeChain? make = null) => new(
    [
        .. entries.Select(entry =>
        {
            var family = Family(entry.Kind);
            Watch watch = async (addresses, ct) => await db.Watched(family, addresses, ct);
            var followed = new FollowedChain((make ?? ChainFactory.Make)(entry, watch), family, entry.Start, CurrencyOf(entry, currencies));
            return new RealChain(entry, followed, new ChainProgress(entry.Id, entry.BehindMax));
        }),
    ]);

    /// <summary>What a chains file must agree about with the currency file.</summary>
    /// <exception cref="ChainsFault">A chain's network is that of no currency.</exception>
    public static void Check(IReadOnlyList<ChainEntry> entries, Currencies currencies)
    {
        var unknown = entries.Where(entry => currencies.All.All(currency => currency.Network != entry.Network));
        string[] problems = [.. unknown.Select(entry => $"{entry.Id}: no currency of the currency file is on the network {entry.Network}")];
        if (problems.Length > 0)
            throw new ChainsFault(problems);
    }

    /// <summary>The chains on which one key is one address; see <c>chain_address</c>.</summary>
    public static string Family(ChainKind kind) => kind switch
    {
        ChainKind.Evm => "evm",
        ChainKind.Bitcoin => "bitcoin",
        ChainKind.Tron => "tron",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public void Dispose()
    {
        foreach (var chain in All)
            (chain.Chain as IDisposable)?.Dispose();
    }

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

/// <summary>Makes a chain from what the operator's file says of it. Opens no connection yet.</summary>
internal delegate IChain MakeChain(ChainEntry entry, Watch watch);
